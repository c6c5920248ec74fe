"""AGL307: an agent that trains in sync and validates in async methods."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.edit.statements import header_span
from codemods.legacy.agents import Agents, Method
from codemods.names import known
from codemods.names.values import ProjectClass
from codemods.rule import Hit, Rule

_ASYNC = "validation_rollout_async"
_LINES = (
    "\ndef is_async(self) -> bool:\n"
    "    return False  # as under 0.1, where only an async training method made an agent async"
)


class AsyncValidation(Rule):
    """A sync training method beside an async validation method."""

    code = "AGL307"
    title = "Async validation makes the whole agent async"
    why = (
        "0.1 ran an agent in async methods if its training method was async, and never called a "
        "lone `validation_rollout_async`. Today any async method makes the agent async, and the "
        "sync training method is not called. `is_async` keeps the agent as it was; to use the "
        "async validation, make the training method async as well."
    )
    before = "async def validation_rollout_async(self, task, rollout_id, resources): ..."
    after = (
        "async def validation_rollout_async(self, task, resources, rollout): ...\n\n"
        "def is_async(self) -> bool:\n    return False"
    )
    applicability = "review"
    nodes = (ast.ClassDef,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """A class that defines the async validation method of such an agent."""
        assert isinstance(node, ast.ClassDef)
        agents = Agents.of(ctx.project)
        cls = ProjectClass(ctx.module, node)
        method = agents.own(cls, _ASYNC) if agents.member(cls) else None
        if method is None or not method.legacy or _decides(agents, cls):
            return
        users = [c for c in agents.family(cls) if agents.resolve(c, _ASYNC) == method]
        users = [c for c in users if agents.is_agent(c)]
        differing = [c for c in users if _differs(agents, c)]
        if differing:
            yield _hit(ctx, method, same=len(differing) == len(users))


def _decides(agents: Agents, cls: ProjectClass) -> bool:
    """Whether the family says by itself whether it is async."""
    return any(agents.own(c, "is_async") is not None for c in agents.family(cls))


def _differs(agents: Agents, cls: ProjectClass) -> bool:
    """Whether 0.1 took the agent for sync, and worked, where 0.3 takes it for async."""
    asynchronous = ("training_rollout_async", "rollout_async")
    return agents.resolve(cls, "training_rollout") is not None and not any(
        agents.resolve(cls, name) is not None for name in asynchronous
    )


def _hit(ctx: FileContext, method: Method, same: bool) -> Hit:
    message = "`validation_rollout_async` makes this agent async in the store API"
    symbol = f"{known.LIT_AGENT}.is_async"
    node = method.node
    if node is None or method.statement is not node:
        reason = "it is not defined by a `def`; define is_async() to return False"
        return Hit(method.statement, message, reason=reason, symbol=symbol)
    span = header_span(ctx.module, node)
    if not same:
        reason = "some of the classes with it train in async methods; define is_async() in the rest"
        return Hit(node, message, reason=reason, symbol=symbol, span=span)

    def fix(rewrite: Rewrite) -> None:
        rewrite.after(node, _LINES)

    return Hit(node, message, fix, symbol=symbol, span=span)
