"""What an expression stands for, followed through assignments, imports, classes and calls."""

from __future__ import annotations

import ast
from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING

from codemods.names import classes, known
from codemods.names.annotations import annotated
from codemods.names.elements import element_of, unpacked
from codemods.names.module import Module
from codemods.names.parameters import fixture, self_or_class, yields_of
from codemods.names.scopes import Binding
from codemods.names.shapes import is_none, is_property, meant, self_assignments
from codemods.names.values import (
    BoundMethod,
    External,
    Instance,
    ProjectClass,
    ProjectFunction,
    ProjectModule,
    Value,
    same,
)

if TYPE_CHECKING:
    from typing import Protocol

    class Imports(Protocol):
        """What inference asks of the project: which file an import means, and a symbol's path."""

        def find_module(self, importer: Module, dotted: str) -> Module | None:
            """The project file that `dotted` names when imported by `importer`."""

        def canonical(self, dotted: str) -> str:
            """The defining path of an agentlightning name; any other path unchanged."""


_DEPTH = 24


class Inference:
    """Answers "what is this?" for expressions of the project's modules.

    Answers are cached; an expression that cannot be decided is `None`.
    """

    def __init__(self, imports: Imports) -> None:
        self._imports = imports
        self._cache: dict[ast.AST, Value | None] = {}
        self._mros: dict[ProjectClass, tuple[ProjectClass | External, ...]] = {}
        self._exporting: set[tuple[Module, str]] = set()
        self._depth = 0

    def of_guest(self, imports: Imports) -> Inference:
        """Inference for these modules and one that none of them can import: what was found out
        about them stays as it is, and is shared."""
        made = Inference(imports)
        made._cache = self._cache
        made._mros = self._mros
        return made

    def infer(self, module: Module, node: ast.expr) -> Value | None:
        """The value of an expression of `module`, or None."""
        found = self._cache.get(node)
        if found is not None or node in self._cache:
            return found
        if self._depth >= _DEPTH:
            return None
        self._cache[node] = None  # a name that is defined by itself ends here
        self._depth += 1
        try:
            value = self._infer(module, node)
        finally:
            self._depth -= 1
        self._cache[node] = value
        return value

    def _infer(self, module: Module, node: ast.expr) -> Value | None:
        match node:
            case ast.Name():
                return self.name(module, node)
            case ast.Attribute():
                owner = self.infer(module, node.value)
                return None if owner is None else self.member(owner, node.attr)
            case ast.Call():
                return self._call(module, node)
            case ast.Await() | ast.NamedExpr() | ast.Starred():
                return self.infer(module, node.value)
            case ast.IfExp():
                return self._either(module, node.body, node.orelse)
            case ast.BoolOp():
                return self._either(module, *node.values)
        return None

    def _either(self, module: Module, *branches: ast.expr) -> Value | None:
        """What all branches are, `None` apart; nothing, if one of them is unknown."""
        known_branches = [b for b in branches if not is_none(b)]
        values = [self.infer(module, branch) for branch in known_branches]
        first = values[0] if values else None
        if first is None or any(v is None or not same(first, v) for v in values):
            return None
        return first

    def name(self, module: Module, node: ast.Name) -> Value | None:
        """The value of a name where it stands."""
        scope = module.table.scopes.get(node)
        if scope is None:
            return None
        bindings = scope.lookup(node.id)
        if not bindings:
            return self.export(module, node.id)
        if bindings[0].scope is scope:
            # Bound in source order, so a name that is bound again and again is searched by halves.
            end = bisect_right(bindings, (node.lineno, node.col_offset), key=attrgetter("position"))
            bindings = bindings[:end] or bindings
        return self.binding(module, meant(bindings))

    def binding(self, module: Module, binding: Binding) -> Value | None:
        """The value that a binding gives to its name."""
        match binding.kind:
            case "import" | "from":
                return self.dotted(module, binding.path)
            case "class":
                assert isinstance(binding.node, ast.ClassDef)
                return ProjectClass(module, binding.node)
            case "function":
                assert isinstance(binding.node, ast.FunctionDef | ast.AsyncFunctionDef)
                return ProjectFunction(module, binding.node)
            case "param":
                return self._parameter(module, binding)
            case "loop":
                return element_of(self, module, binding.value)
            case "unpack":
                return unpacked(self, module, binding)
            case "assign" | "with":
                value = self.infer(module, binding.value) if binding.value is not None else None
                if value is None and binding.annotation is not None:
                    return self.annotated(module, binding.annotation)
                return value
        return None

    def dotted(self, module: Module, path: str) -> Value | None:
        """The value of an import path as written in `module`."""
        if path.partition(".")[0] == "agentlightning":
            return External(self._imports.canonical(path))
        found = self._imports.find_module(module, path)
        if found is not None:
            return ProjectModule(found)
        head, dot, tail = path.rpartition(".")
        if dot and (head or path.startswith(".")):
            base = head if head.strip(".") else path[: len(path) - len(tail)]
            owner = self._imports.find_module(module, base)
            if owner is not None:
                return self.export(owner, tail)
        return External(path) if not path.startswith(".") else None

    def export(self, module: Module, name: str) -> Value | None:
        """The value of a module-level name of a project file."""
        if (module, name) in self._exporting:
            return None  # modules that import each other in a circle
        self._exporting.add((module, name))
        try:
            bindings = module.table.root.bindings.get(name)
            if bindings:
                return self.binding(module, meant(bindings))
            return self._starred(module, name)
        finally:
            self._exporting.discard((module, name))

    def _starred(self, module: Module, name: str) -> Value | None:
        for star in module.table.root.bindings.get("*", ()):
            source = star.path.removesuffix("*")
            source = source if source.endswith("..") or source == "." else source.rstrip(".")
            if source.partition(".")[0] == "agentlightning":
                path = f"{source}.{name}"
                if self._imports.canonical(path) != path:
                    return External(self._imports.canonical(path))
                continue
            origin = self._imports.find_module(module, source)
            value = None if origin is None else self.export(origin, name)
            if value is not None:
                return value
        return None

    def member(self, owner: Value, name: str) -> Value | None:
        """The attribute `name` of a value."""
        match owner:
            case External(path):
                return External(self._imports.canonical(f"{path}.{name}"))
            case ProjectModule(module):
                submodule = self._imports.find_module(module, f".{name}")
                exported = self.export(module, name)
                if exported is None and module.is_package and submodule is not None:
                    return ProjectModule(submodule)
                return exported
            case ProjectClass():
                return self._class_member(owner, name, owner)
            case Instance(of=External(path)):
                return self._external_member(owner, path, name)
            case Instance(of=ProjectClass() as cls):
                return self._class_member(cls, name, owner)
        return None

    def _external_member(self, owner: Instance, path: str, name: str) -> Value | None:
        for cls in classes.external_bases(path):
            found = known.MEMBER_TYPES.get(cls, {}).get(name)
            if found is not None and name not in known.METHODS:
                return Instance(External(found))
        return BoundMethod(owner, name)

    def _class_member(self, cls: ProjectClass, name: str, owner: Value) -> Value | None:
        for base in self.mro(cls):
            if isinstance(base, External):
                if base.path.partition(".")[0] != "agentlightning":
                    continue
                if isinstance(owner, Instance):
                    return self._external_member(Instance(base), base.path, name)
                return External(f"{base.path}.{name}")
            scope = base.module.table.inner[base.node]
            bindings = scope.bindings.get(name) or self_assignments(base.module, base.node, name)
            if not bindings:
                continue
            binding = bindings[-1]
            if isinstance(binding.node, ast.FunctionDef) and is_property(binding.node):
                return self._returned(ProjectFunction(base.module, binding.node))
            return self.binding(base.module, binding)
        return None

    def mro(self, cls: ProjectClass) -> tuple[ProjectClass | External, ...]:
        """A class and its bases, nearest first; outside bases end each chain."""
        found = self._mros.get(cls)
        if found is None:
            found = tuple(classes.mro(self, cls))
            if not self._depth:  # nothing is being worked out, so no answer is a preliminary one
                self._mros[cls] = found
        return found

    def base(self, module: Module, expression: ast.expr) -> Value | None:
        """What a base-class expression stands for; `Base[T]` is `Base`."""
        return classes.base_of(self, module, expression)

    def derives(self, value: Value | None, *paths: str) -> bool:
        """Whether a class, or an instance's class, is one of `paths` or comes from it."""
        return classes.derives(self.mro, value, paths)

    def _call(self, module: Module, node: ast.Call) -> Value | None:
        callee = self.infer(module, node.func)
        match callee:
            case External(path):
                return self._external_call(module, node, path)
            case ProjectClass():
                return Instance(callee, node, module)
            case ProjectFunction():
                return self._returned(callee)
            case BoundMethod(owner, name):
                assert isinstance(owner.of, External)
                for cls in classes.external_bases(owner.of.path):
                    found = known.MEMBER_TYPES.get(cls, {}).get(name)
                    if found is not None:
                        return Instance(External(found))
        return None

    def _external_call(self, module: Module, node: ast.Call, path: str) -> Value | None:
        last = path.rpartition(".")[2]
        if path in ("functools.partial",) and node.args:
            return self.infer(module, node.args[0])
        if path in ("asyncio.run",) and node.args:
            return self.infer(module, node.args[0])
        if path in ("typing.cast", "typing_extensions.cast") and len(node.args) == 2:
            return self.annotated(module, node.args[0])
        return Instance(External(path), node, module) if last[:1].isupper() else None

    def _returned(self, function: ProjectFunction) -> Value | None:
        node, module = function.node, function.module
        if node.returns is not None:
            annotated = self.annotated(module, node.returns)
            if annotated is not None:
                single = self._single_return(function)
                return single if single is not None and same(single, annotated) else annotated
        return self._single_return(function)

    def _single_return(self, function: ProjectFunction) -> Value | None:
        values = [
            r.value for r in function.module.returns.get(function.node, ()) if r.value is not None
        ]
        if not values:
            return None
        return self._either(function.module, *values)

    def _parameter(self, module: Module, binding: Binding) -> Value | None:
        if binding.annotation is not None:
            found = self.annotated(module, binding.annotation)
            if found is not None:
                return found
        owner = self_or_class(module, binding)
        if owner is not None:
            return owner
        function = fixture(self._imports.find_module, module, binding)
        if function is None:
            return None
        given = yields_of(function.node)
        return self.infer(function.module, given[0]) if given else self._returned(function)

    def annotated(self, module: Module, annotation: ast.expr) -> Value | None:
        """The instance that a type expression promises; `X | None` is `X`."""
        return annotated(self, module, annotation)
