"""Keywords that reach `Trainer.__init__`: from calls, partials, `super().__init__` and dicts."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal, NamedTuple

from codemods.context import FileContext
from codemods.legacy.trainers import CLASSES, uses
from codemods.names.scopes import Binding
from codemods.names.values import External, ProjectClass

DictState = Literal["own", "shared", "unknown"]


_PARTIAL = External("functools.partial")


class DictKey(NamedTuple):
    """A key of a dict that is spread into a trainer's construction.

    `node` is the string, or the keyword of a `dict(...)` call, whose call is `inside` then.
    """

    name: str
    node: ast.Constant | ast.keyword
    inside: ast.Call | None = None


def reaches(ctx: FileContext, call: ast.Call, name: str) -> bool:
    """Whether the keyword `name` of a call ends up as an argument of `Trainer`."""
    target = built_class(ctx, call)
    if target is None:
        return False
    if isinstance(target, External):
        return True
    first = _first_init(ctx, target)
    if first is None:
        return True
    every = [*first.posonlyargs, *first.args, *first.kwonlyargs]
    return first.kwarg is not None and name not in {argument.arg for argument in every}


def built_class(ctx: FileContext, call: ast.Call) -> External | ProjectClass | None:
    """The class of trainers whose `__init__` a call runs, or prepares (a partial), if any."""
    func: ast.expr = call.func
    if isinstance(func, ast.Attribute) and func.attr == "__init__":
        return _initialised(ctx, call, func.value)
    value = ctx.infer(func)
    if value is None:
        return None
    return _class(ctx, call.args[0] if value == _PARTIAL and call.args else func)


def _class(ctx: FileContext, node: ast.expr) -> External | ProjectClass | None:
    value = ctx.infer(node)
    if isinstance(value, External | ProjectClass) and ctx.is_class(node, *CLASSES):
        return value
    return None


def _initialised(
    ctx: FileContext, call: ast.Call, owner: ast.expr
) -> External | ProjectClass | None:
    """The class whose `__init__` is called on `self`: the next one up, or the one that is named."""
    if not (isinstance(owner, ast.Call) and getattr(owner.func, "id", "") == "super"):
        return _class(ctx, owner)
    around = ctx.module.enclosing(call, ast.ClassDef)
    if not isinstance(around, ast.ClassDef):
        return None
    cls = ProjectClass(ctx.module, around)
    if not ctx.project.inference.derives(cls, *CLASSES):
        return None
    parents = [base for base in ctx.project.inference.mro(cls) if base != cls]
    own = [base for base in parents if isinstance(base, ProjectClass)]
    return own[0] if own else External(CLASSES[0])


def _first_init(ctx: FileContext, cls: ProjectClass) -> ast.arguments | None:
    for base in ctx.project.inference.mro(cls):
        if isinstance(base, ProjectClass):
            scope = base.module.table.inner[base.node]
            for binding in scope.bindings.get("__init__", ()):
                arguments = getattr(binding.node, "args", None)
                if isinstance(arguments, ast.arguments):
                    return arguments
    return None


def spread(ctx: FileContext, value: ast.expr) -> tuple[DictState, list[DictKey]]:
    """The keys of what `**value` spreads, and whether the dict serves nothing else."""
    if isinstance(value, ast.Name):
        bindings = ctx.module.scope(value).lookup(value.id)
        if len(bindings) != 1 or bindings[0].kind != "assign" or bindings[0].value is None:
            return "unknown", []
        keys = _keys(ctx, bindings[0].value)
        if keys is None:
            return "unknown", []
        more, alone = _later_keys(ctx, bindings[0])
        return ("own" if alone else "shared"), [*keys, *more]
    found = _keys(ctx, value)
    return ("unknown", []) if found is None else ("own", found)


def _keys(ctx: FileContext, node: ast.expr) -> list[DictKey] | None:
    if isinstance(node, ast.Dict):
        keys = [key for key in node.keys if isinstance(key, ast.Constant)]
        if len(keys) != len(node.keys):
            return None
        return [DictKey(str(key.value), key) for key in keys]
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "dict":
        named = [k for k in node.keywords if k.arg is not None]
        if node.args or len(named) != len(node.keywords):
            return None
        return [DictKey(k.arg or "", k, node) for k in named]
    return None


def _later_keys(ctx: FileContext, binding: Binding) -> tuple[list[DictKey], bool]:
    """Keys set or read by subscript, and whether that and `**` is all the dict is used for."""
    keys: list[DictKey] = []
    alone = True
    for use in uses(ctx, binding):
        parent = ctx.parent(use)
        if isinstance(parent, ast.Subscript) and isinstance(parent.slice, ast.Constant):
            keys.append(DictKey(str(parent.slice.value), parent.slice))
        elif not _spreads_into_trainer(ctx, parent):
            alone = False
    return keys, alone


def _spreads_into_trainer(ctx: FileContext, node: ast.AST | None) -> bool:
    call = ctx.parent(node) if isinstance(node, ast.keyword) and node.arg is None else None
    return isinstance(call, ast.Call) and built_class(ctx, call) is not None


def from_parameter(ctx: FileContext, node: ast.expr) -> bool:
    """Whether a name is the `**kwargs` of the function around: what callers give is found there."""
    if not isinstance(node, ast.Name):
        return False
    function = ctx.function_around(node)
    kwarg = None if function is None else function.args.kwarg
    return kwarg is not None and kwarg.arg == node.id


def dict_keys(ctx: FileContext, call: ast.Call) -> Iterator[tuple[ast.keyword, DictState, DictKey]]:
    """The keys of each dict that a construction spreads."""
    for keyword in call.keywords:
        if keyword.arg is None:
            state, keys = spread(ctx, keyword.value)
            for key in keys:
                yield keyword, state, key
