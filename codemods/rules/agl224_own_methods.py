"""AGL224: an agent's own methods that override the framework's today."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.legacy.agents import RENAMED, Agents
from codemods.legacy.signatures import read_signature
from codemods.names import known
from codemods.names.scopes import FunctionNode
from codemods.names.values import ProjectClass
from codemods.rule import Hit, Rule

_ADDED = frozenset({"is_async", "get_trainer", "get_runner", "get_tracer"})
_HOOKS = {"on_rollout_start": 3, "on_rollout_end": 4}


class OwnMethods(Rule):
    """Helpers of an agent that are called like something LitAgent has got since."""

    code = "AGL224"
    title = "Agent's own method overrides the framework's"
    why = (
        "LitAgent has `rollout`, `rollout_async`, `is_async`, `get_trainer`, `get_runner`, "
        "`get_tracer`, `on_rollout_start` and `on_rollout_end` since 0.2. A helper that happens to "
        "have such a name is called by the framework, or keeps it from working."
    )
    before = "class Agent(LitAgent):\n    def rollout(self, text): ..."
    after = "class Agent(LitAgent):\n    def roll(self, text): ..."
    applicability = "manual"
    nodes = (ast.ClassDef,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Colliding names in the body of a class that takes part in an agent."""
        assert isinstance(node, ast.ClassDef)
        agents = Agents.of(ctx.project)
        cls = ProjectClass(ctx.module, node)
        if not agents.member(cls):
            return
        legacy = agents.legacy(cls)
        for name, bindings in ctx.module.table.inner[node].bindings.items():
            found = bindings[-1].node
            function = found if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef) else None
            if name in RENAMED.values():
                collides = function is not None and not _takes_three(function)
            elif name in _HOOKS:
                collides = legacy and not _is_hook(function, _HOOKS[name])
            else:
                collides = legacy and name in _ADDED and not _answers(function)
            if collides:
                yield Hit(
                    found,
                    f"`{name}` of this agent overrides `LitAgent.{name}` of the store API",
                    reason="give it another name, and its calls, then run again",
                    symbol=f"{known.LIT_AGENT}.{name}",
                    span=_name_span(ctx, found, name),
                )


def _takes_three(function: FunctionNode) -> bool:
    """Whether the framework can call it with a task, resources and a rollout."""
    signature = read_signature(function)
    if signature.style == "legacy" and signature.parts is not None:
        return signature.parts.rollout_id.arg != "rollout_id"
    return signature.style == "new" or function.args.vararg is not None


def _answers(function: FunctionNode | None) -> bool:
    """Whether it is a real `is_async`: it only says yes or no."""
    last = function.body[-1] if function is not None and function.name == "is_async" else None
    return (
        isinstance(last, ast.Return)
        and isinstance(last.value, ast.Constant)
        and isinstance(last.value.value, bool)
    )


def _is_hook(function: FunctionNode | None, parameters: int) -> bool:
    """Whether it is the hook of 0.2, which has its own rule."""
    if function is None:
        return False
    return len([*function.args.posonlyargs, *function.args.args]) == parameters + 1


def _name_span(ctx: FileContext, node: ast.AST, name: str) -> tuple[int, int]:
    start, end = ctx.module.span(node)
    at = ctx.module.text.find(name, start, end)
    return (at, at + len(name)) if at != -1 else (start, end)
