"""Objects that are given to trainers and runners as hooks, and the classes they are of."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.context import FileContext
from codemods.legacy.trainers import reaching
from codemods.names import known
from codemods.names.values import Instance, ProjectClass

_TAKES_HOOKS = frozenset({"init", "run_context"})


class GivenHooks:
    """The project's classes whose objects are given as hooks without being a `Hook`."""

    def __init__(self) -> None:
        self.plain: set[ProjectClass] = set()

    @classmethod
    def of(cls, ctx: FileContext) -> GivenHooks:
        """The analysis of the project, made once."""
        found = ctx.project.memo.get(cls)
        if isinstance(found, GivenHooks):
            return found
        made = ctx.project.memo[cls] = cls()
        for module in ctx.project.modules.values():
            other = ctx.beside(module)
            for node in module.table.nodes.get(ast.keyword, ()):
                assert isinstance(node, ast.keyword)
                if node.arg == "hooks" and goes_to_runner(other, node):
                    made.plain.update(_plain_classes(other, node.value))
        return made

    def takes_part(self, ctx: FileContext, cls: ProjectClass) -> bool:
        """Whether the methods of a class are called as a hook's."""
        if ctx.project.inference.derives(cls, known.HOOK) or cls in self.plain:
            return True
        return any(cls in family(ctx, plain) for plain in self.plain)


def goes_to_runner(ctx: FileContext, keyword: ast.keyword) -> bool:
    """Whether `hooks=` is given to a trainer or to a runner of today."""
    call = ctx.parent(keyword)
    if not isinstance(call, ast.Call):
        return False
    if ctx.is_class(call.func, known.TRAINER):
        return True
    return ctx.method_call(call, known.LIT_RUNNER) in _TAKES_HOOKS


def elements(ctx: FileContext, value: ast.expr) -> list[ast.expr] | None:
    """The hooks of a list, also of one that has a name; None where it is no list in sight."""
    if isinstance(value, ast.Name):
        binding = reaching(ctx, value)
        if binding is not None and binding.kind == "assign" and binding.value is not None:
            value = binding.value
    return list(value.elts) if isinstance(value, ast.List | ast.Tuple) else None


def class_of(ctx: FileContext, node: ast.expr) -> ProjectClass | None:
    """The project's class that a hook is of, or is by mistake."""
    value = ctx.infer(node)
    found = value.of if isinstance(value, Instance) else value
    return found if isinstance(found, ProjectClass) else None


def family(ctx: FileContext, cls: ProjectClass) -> list[ProjectClass]:
    """A class and those of the project that it is derived from."""
    return [base for base in ctx.project.inference.mro(cls) if isinstance(base, ProjectClass)]


def is_root(cls: ProjectClass) -> bool:
    """Whether a class is derived from nothing."""
    bases = [base.id if isinstance(base, ast.Name) else "" for base in cls.node.bases]
    return bases in ([], ["object"]) and not cls.node.keywords


def _plain_classes(ctx: FileContext, value: ast.expr) -> Iterator[ProjectClass]:
    for element in elements(ctx, value) or [value]:
        cls = class_of(ctx, element)
        if cls is not None and not ctx.project.inference.derives(cls, known.HOOK):
            yield cls
