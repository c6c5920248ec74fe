"""What a rule can ask about the file that it looks at."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Literal, NamedTuple

from codemods.names.module import Module
from codemods.names.values import External, Instance, ProjectClass, Value
from codemods.project import Project

Target = Literal["agentlightning", "agentlightning_compat"]
Server = Literal["store", "legacy"]


class Options(NamedTuple):
    """What the user asked the rewrites to aim at."""

    target: Target = "agentlightning"
    server: Server = "store"


class FileContext:
    """One file, its project and the options of the run. `memo` is for a rule's own notes.

    `external` are the names read in the file that stand for something not of the project's, by
    its canonical path; filled by the first question for it. `roots` are the paths that names
    spell out, as far as they were asked for.
    """

    def __init__(self, module: Module, project: Project, options: Options) -> None:
        self.module = module
        self.project = project
        self.options = options
        self.memo: dict[object, object] = {}
        self.external: dict[str, list[ast.Name]] | None = None
        self.roots: dict[ast.Name, str | None] = {}

    @classmethod
    def of(cls, project: Project, module: Module, options: Options) -> FileContext:
        """The context of a file of the project, the same one as long as the index is."""
        known = project.memo.get((cls, module, options))
        if isinstance(known, FileContext):
            return known
        made = project.memo[cls, module, options] = cls(module, project, options)
        return made

    def beside(self, module: Module) -> FileContext:
        """The context of another file of the same run."""
        return FileContext.of(self.project, module, self.options)

    def infer(self, node: ast.expr) -> Value | None:
        """What an expression stands for, or None where it cannot be decided."""
        return self.project.inference.infer(self.module, node)

    def qual(self, node: ast.expr) -> str | None:
        """The canonical dotted path of an agentlightning name, or None for anything else."""
        value = self.infer(node)
        if isinstance(value, External) and value.path.partition(".")[0] == "agentlightning":
            return value.path
        return None

    def reads(self, *paths: str) -> Iterator[tuple[ast.Name | ast.Attribute, str]]:
        """Where names and attributes are read that stand for what is at canonical paths."""
        if self.external is None:
            self.external = _external_names(self)
        for path in paths:
            for name in self.external.get(path, ()):
                yield name, path
        for last in dict.fromkeys(path.rpartition(".")[2] for path in paths):
            for attribute in self.module.attributes.get(last, ()):
                value = self.infer(attribute)
                if isinstance(value, External) and value.path in paths:
                    yield attribute, value.path

    @cached_property
    def called(self) -> Mapping[External | ProjectClass, list[ast.Call]]:
        """The calls of classes, and of what is not the project's, by what they call."""
        found: dict[External | ProjectClass, list[ast.Call]] = {}
        for node in self.module.table.nodes.get(ast.Call, ()):
            assert isinstance(node, ast.Call)
            value = self.infer(node.func)
            if isinstance(value, External | ProjectClass):
                found.setdefault(value, []).append(node)
        return found

    def calls(self, *paths: str) -> Iterator[ast.Call]:
        """The calls of what is at canonical paths, or of classes derived from it."""
        for value, found in self.called.items():
            if self.project.inference.derives(value, *paths):
                yield from found

    @cached_property
    def dotted(self) -> Mapping[ast.Attribute, str]:
        """The dotted names of the file that begin at an import of agentlightning, as `written`."""
        found: dict[ast.Attribute, str] = {}
        for name in self.module.imported:
            for root in self.module.names.get(name, ()):
                path, node = self.written(root), self.module.parent(root)
                while path is not None and isinstance(node, ast.Attribute):
                    path = found[node] = f"{path}.{node.attr}"
                    node = self.module.parent(node)
        return found

    def written(self, node: ast.expr) -> str | None:
        """The dotted agentlightning path that a name or attribute spells out, not canonical.

        `agl.tracer.X` after `import agentlightning as agl` is `agentlightning.tracer.X`.
        """
        rest = ""
        while isinstance(node, ast.Attribute):
            rest = f".{node.attr}{rest}"
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        if node not in self.roots:
            self.roots[node] = _imported_path(self, node)
        root = self.roots[node]
        return None if root is None else root + rest

    def is_class(self, node: ast.expr, *paths: str) -> bool:
        """Whether an expression names one of the classes at `paths` or one derived from them."""
        value = self.infer(node)
        return (
            value is not None
            and not isinstance(value, Instance)
            and self.project.inference.derives(value, *paths)
        )

    def is_instance(self, node: ast.expr, *paths: str) -> bool:
        """Whether an expression is an object of one of the classes at `paths` or derived ones."""
        value = self.infer(node)
        return isinstance(value, Instance) and self.project.inference.derives(value, *paths)

    def constructor(self, node: ast.expr) -> ast.Call | None:
        """The call in this file that built the object that an expression stands for."""
        value = self.infer(node)
        if isinstance(value, Instance) and value.module is self.module:
            return value.call
        return None

    def method_call(self, node: ast.Call, *paths: str) -> str | None:
        """The method's name, if `node` calls a method of an object of one of `paths`."""
        if isinstance(node.func, ast.Attribute) and self.is_instance(node.func.value, *paths):
            return node.func.attr
        return None

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node around `node`."""
        return self.module.parent(node)

    def source(self, node: ast.AST) -> str:
        """The text of a node as it stands in the file."""
        return self.module.source(node)

    def function_around(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The nearest function definition around `node`."""
        found = self.module.enclosing(node, ast.FunctionDef, ast.AsyncFunctionDef)
        assert found is None or isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef)
        return found

    def in_async(self, node: ast.AST) -> bool:
        """Whether `await` may stand where `node` stands."""
        found = self.module.enclosing(
            node, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef
        )
        return self.module.awaits if found is None else isinstance(found, ast.AsyncFunctionDef)


def _imported_path(ctx: FileContext, node: ast.Name) -> str | None:
    """The one agentlightning path that a name is imported by."""
    if ctx.qual(node) is None:
        return None
    bindings = ctx.module.scope(node).lookup(node.id)
    paths = {b.path for b in bindings if b.kind in ("import", "from")}
    path = paths.pop() if len(paths) == 1 else ""
    return path if path.partition(".")[0] == "agentlightning" else None


def _external_names(ctx: FileContext) -> dict[str, list[ast.Name]]:
    found: dict[str, list[ast.Name]] = {}
    for node in ctx.module.table.nodes.get(ast.Name, ()):
        assert isinstance(node, ast.Name)
        if isinstance(node.ctx, ast.Load) and isinstance(value := ctx.infer(node), External):
            found.setdefault(value.path, []).append(node)
    return found
