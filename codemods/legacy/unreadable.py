"""Classes with rollout methods of which it cannot be told whether they are agents."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from codemods.context import FileContext
from codemods.legacy.agents import METHODS, Agents
from codemods.names import known
from codemods.names.values import External, ProjectClass
from codemods.rule import Hit

_HARMLESS = ("abc", "dataclasses", "enum", "pydantic", "typing", "typing_extensions")


def unknown_base(ctx: FileContext, cls: ProjectClass) -> Iterator[Hit]:
    """Legacy rollout methods of a class whose base is not in the files given."""
    if not _imports_framework(ctx):
        return
    for method in Agents.of(ctx.project).own_methods(cls):
        if method.node is None or method.signature is None or method.signature.parts is None:
            continue
        parts = method.signature.parts
        reason = doubt(ctx, cls)
        if reason and (parts.rollout_id.arg, parts.resources.arg) == ("rollout_id", "resources"):
            yield Hit(
                method.statement,
                f"`{method.name}` takes `(task, resources, rollout)` in the store API",
                reason=reason,
                symbol=f"{known.LIT_AGENT}.{method.name}",
            )


def _imports_framework(ctx: FileContext) -> bool:
    bindings = ctx.module.table.root.bindings.values()
    return any(b.path.partition(".")[0] == "agentlightning" for bs in bindings for b in bs)


def doubt(ctx: FileContext, cls: ProjectClass) -> str:
    """Why a class that is no agent as far as can be seen may be one; empty where it is none."""
    for base in ctx.project.inference.mro(cls):
        if not isinstance(base, ProjectClass):
            continue
        for expression in base.node.bases:
            value = ctx.project.inference.base(base.module, expression)
            if isinstance(value, ProjectClass) or _builtin(base, expression):
                continue
            if not isinstance(value, External) or not _is_known(value.path):
                shown = ast.unparse(expression)
                return f"its base class `{shown}` is in none of the files given"
    return ""


def _builtin(owner: ProjectClass, expression: ast.expr) -> bool:
    return (
        isinstance(expression, ast.Name)
        and not owner.module.table.root.lookup(expression.id)
        and expression.id in vars(sys.modules["builtins"])
    )


def _is_known(path: str) -> bool:
    package = path.partition(".")[0]
    return package == "agentlightning" or package in _HARMLESS or package in _STDLIB


_STDLIB = sys.stdlib_module_names


def made_by_type(ctx: FileContext, call: ast.Call) -> Iterator[Hit]:
    """`type("Agent", (LitAgent,), {...})`."""
    if not isinstance(call.func, ast.Name) or call.func.id != "type" or len(call.args) != 3:
        return
    bases = call.args[1]
    if not isinstance(bases, ast.Tuple | ast.List):
        return
    if any(ctx.is_class(base, known.LIT_AGENT) for base in bases.elts) and _names_method(call):
        yield Hit(
            call,
            "rollout methods take `(task, resources, rollout)` in the store API",
            reason="the class is made by `type(...)`",
            symbol=known.LIT_AGENT,
        )


def _names_method(call: ast.Call) -> bool:
    space = call.args[2]
    if not isinstance(space, ast.Dict):
        return not (isinstance(space, ast.Call) and isinstance(space.func, ast.Name))
    names = {key.value for key in space.keys if isinstance(key, ast.Constant)}
    return bool(names & METHODS) or None in space.keys
