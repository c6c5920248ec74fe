"""How a rollout method takes its arguments."""

from __future__ import annotations

import ast
from typing import Literal, NamedTuple

from codemods.names.scopes import FunctionNode

Style = Literal["legacy", "new", "unclear"]


class Parts(NamedTuple):
    """The three parameters of a legacy rollout method."""

    task: ast.arg
    rollout_id: ast.arg
    resources: ast.arg


class Signature(NamedTuple):
    """What a rollout method takes.

    `receiver` is `self`, or None for a static method. `parts` is there for the legacy style;
    `reason` says why an unclear signature cannot be rewritten.
    """

    style: Style
    receiver: str | None = None
    parts: Parts | None = None
    reason: str = ""


def read_signature(function: FunctionNode) -> Signature:
    """Tell the signatures `(task, rollout_id, resources)` and `(task, resources, rollout)` apart.

    0.2 and 0.3 pass `resources` and `rollout` by keyword, so a method without both names can only
    be meant for 0.1, which passed three arguments by position.
    """
    args = function.args
    positional = [*args.posonlyargs, *args.args]
    receiver = None
    if not _is_static(function):
        if not positional:
            return _unclear(None, "it takes its arguments through `*args`")
        receiver = positional.pop(0).arg
    named = {arg.arg: arg for arg in [*positional, *args.kwonlyargs]}
    if "rollout_id" in named:
        return _by_name(receiver, positional, named)
    if "resources" in named and "rollout" in named:
        return _both_names(receiver, positional)
    if len(positional) >= 3:
        return _ordered(receiver, positional)
    if args.vararg is not None or args.kwarg is not None:
        return _unclear(receiver, "it takes its arguments through `*args` or `**kwargs`")
    return _unclear(receiver, "it does not take a task, a rollout id and resources")


def _by_name(
    receiver: str | None, positional: list[ast.arg], named: dict[str, ast.arg]
) -> Signature:
    rollout_id = named["rollout_id"]
    others = [arg for arg in positional if arg is not rollout_id]
    resources = named.get("resources") or (others[1] if len(others) > 1 else None)
    if not others or resources is None or resources is others[0]:
        return _unclear(receiver, "it does not take a task, a rollout id and resources")
    return Signature("legacy", receiver, Parts(others[0], rollout_id, resources))


def _both_names(receiver: str | None, positional: list[ast.arg]) -> Signature:
    names = [arg.arg for arg in positional]
    if names[1:3] != ["rollout", "resources"]:
        return Signature("new", receiver)
    if _text_of(positional[1].annotation) in ("str", "Optional[str]", "str | None"):
        return _ordered(receiver, positional)
    return _unclear(receiver, "its parameter `rollout` may be the id of 0.1 or the rollout of 0.2")


def _ordered(receiver: str | None, positional: list[ast.arg]) -> Signature:
    task, rollout_id, resources = positional[:3]
    return Signature("legacy", receiver, Parts(task, rollout_id, resources))


def _unclear(receiver: str | None, reason: str) -> Signature:
    return Signature("unclear", receiver, reason=reason)


def _is_static(function: FunctionNode) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list)


def _text_of(annotation: ast.expr | None) -> str:
    return "" if annotation is None else ast.unparse(annotation)
