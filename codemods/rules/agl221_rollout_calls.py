"""AGL221: calls of rollout methods that pass a rollout id."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.finding import Applicability
from codemods.legacy.agent_calls import CallPlan, is_own_id, plan_call, unknown_receiver
from codemods.legacy.agents import METHODS, Agents
from codemods.names import known
from codemods.rule import Hit, Rule

if TYPE_CHECKING:
    from codemods.edit.calls import CallEdit


class RolloutCalls(Rule):
    """`self.training_rollout(task, rollout_id, resources)` and calls from scripts and tests."""

    code = "AGL221"
    title = "Rollout method is called with a rollout id"
    why = (
        "The second argument of a rollout method is the resources today, and the third is the "
        "rollout with its id. Where no rollout is in reach, as in a test, "
        "`agentlightning_compat.legacy.make_rollout` makes one."
    )
    before = "return self.training_rollout(task, rollout_id, resources)"
    after = "return self.rollout(task, resources, rollout)"
    applicability = "review"
    nodes = (ast.Attribute,)
    words = METHODS

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """A rollout method of an agent where it is used."""
        assert isinstance(node, ast.Attribute)
        if not isinstance(node.ctx, ast.Load):
            return
        plan = plan_call(ctx, node)
        if plan is not None:
            yield _hit(ctx, plan)
        elif unknown_receiver(ctx, node) and _may_be_agent(ctx, node):
            yield Hit(
                node,
                f"`{node.attr}` takes `(task, resources, rollout)` in the store API",
                reason="it is not known whether this object is an agent",
                symbol=f"{known.LIT_AGENT}.{node.attr}",
            )


def _may_be_agent(ctx: FileContext, func: ast.Attribute) -> bool:
    call = ctx.parent(func)
    if not isinstance(call, ast.Call) or call.func is not func:
        return False
    if not Agents.of(ctx.project).any_legacy():
        return False
    names = {keyword.arg for keyword in call.keywords}
    return "rollout_id" in names or (len(call.args) >= 3 and "rollout" not in names)


def _hit(ctx: FileContext, plan: CallPlan) -> Hit:
    func = plan.func
    symbol = f"{known.LIT_AGENT}.{func.attr}"
    message = f"`{func.attr}` takes `(task, resources, rollout)` in the store API"
    if not plan.legacy:
        message = f"`{func.attr}` of this agent is `{plan.new_name}` in the store API"
        return Hit(func, message, lambda r: r.rename(func, plan.new_name), symbol=symbol)
    if plan.new_name != func.attr:
        message += f" and is called `{plan.new_name}`"
    if plan.blocked:
        return Hit(func, message, reason=plan.blocked, symbol=symbol)
    needs_shim: Applicability | None = "shim" if plan.origin is None else None
    return Hit(
        plan.call or func,
        message,
        lambda r: _fix(r, ctx, plan),
        applicability=needs_shim,
        symbol=symbol,
    )


def _fix(rewrite: Rewrite, ctx: FileContext, plan: CallPlan) -> None:
    call = plan.call
    assert call is not None
    if plan.new_name != plan.func.attr:
        rewrite.rename(plan.func, plan.new_name)
    given = plan.argument("rollout_id")
    own = plan.origin is not None and (given is None or is_own_id(ctx, plan.origin, given[1]))
    before, after = _wrapping(rewrite, plan)
    if given is not None and not own:
        rewrite.wrap(given[1], before, after)
    edit = rewrite.call(call)
    names = [None] * len(call.args) + [keyword.arg for keyword in call.keywords]
    resources = plan.argument("resources")
    assert resources is not None
    if given is None:
        edit.set_keyword("rollout", "rollout" if own else f"{before}'rollout-0'{after}")
    else:
        if own:
            edit.set_value(given[0], "rollout")
        _place(edit, given[0], resources[0], names)
    old = names[resources[0]]
    if old is not None and old != "resources":
        edit.rename_keyword(old, "resources")


def _place(edit: CallEdit, rollout: int, resources: int, names: list[str | None]) -> None:
    """Put the rollout behind the resources, or name it."""
    old = names[rollout]
    if old is not None:
        edit.rename_keyword(old, "rollout")
    elif names[resources] is not None:
        edit.name_positional(rollout, "rollout")
    else:
        order = list(range(len(names)))
        order[rollout], order[resources] = resources, rollout
        edit.reorder(order)


def _wrapping(rewrite: Rewrite, plan: CallPlan) -> tuple[str, str]:
    """What has to stand around a rollout id to make a rollout of it."""
    if plan.origin is not None:
        return 'rollout.model_copy(update={"rollout_id": ', "})"
    assert plan.call is not None
    make = rewrite.use("agentlightning_compat.legacy.make_rollout", plan.call)
    task = plan.argument("task")
    shown = ""
    if task is not None and isinstance(task[1], ast.Name | ast.Attribute | ast.Constant):
        shown = f"{rewrite.module.source(task[1])}, "
    return f"{make}({shown}rollout_id=", ")"
