"""AGL241: polling for tasks, fetching resources and posting reports."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from codemods.context import FileContext
from codemods.legacy.awaiting import cannot_await, is_awaited, is_statement
from codemods.legacy.given import arguments
from codemods.legacy.objects import asking, is_today, is_unknown, kind_of, may_be_own
from codemods.legacy.polls import POLLS, POSTS, READS, poll, read
from codemods.legacy.reports import hand_in, report_argument
from codemods.names import known
from codemods.rule import Fix, Hit, Rule

if TYPE_CHECKING:
    from codemods.edit.rewrite import Rewrite

METHODS = POLLS | READS | POSTS
# No other library is known to have methods of these names.
TELLING = METHODS - {"get_resources_by_id", "get_latest_resources"}
STATE = frozenset({"task_count", "endpoint", "poll_interval", "timeout"})


class Polling(Rule):
    """Calls of the legacy client, as calls on the store."""

    code = "AGL241"
    title = "Polling for tasks"
    why = (
        "A rollout is claimed from the store, without blocking, and its result is written to it as "
        "spans and a status. Helpers of agentlightning_compat poll and report as the client did; "
        "resources come from the store itself, whose methods are coroutines."
    )
    before = (
        "task = client.poll_next_task()\n"
        "client.post_rollout(Rollout(rollout_id=task.rollout_id, final_reward=1.0))"
    )
    after = "task = poll_rollout(client)\nreport_rollout(client, task, final_reward=1.0)"
    applicability = "shim"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Members of clients; the telling names also on what nobody knows."""
        if ctx.options.server == "store":
            for name, found in ctx.module.attributes.items():
                if _legacy_name(name):
                    for member in found:
                        yield from _member(member, ctx)


def _member(node: ast.Attribute, ctx: FileContext) -> Iterable[Hit]:
    """One member of what may be a client."""
    kind = kind_of(ctx, node.value)
    parent = ctx.parent(node)
    if kind == "client" and node.attr in METHODS and may_be_own(ctx, node.value):
        yield _left(node, "it may be of a class of the project's own; see there")
    elif kind == "client" and node.attr in METHODS:
        if isinstance(parent, ast.Call) and parent.func is node:
            yield from _call(parent, node.attr, ctx)
        else:
            yield _left(node, "call it where it is used; the store's methods are coroutines")
    elif kind == "client":
        yield _left(node, "a client of the store has no such member; keep the value yourself")
    elif node.attr in TELLING and is_today(ctx, node.value, "LightningStoreClient"):
        yield _left(node, "a client of the store has no such method; a helper does what it did")
    elif kind is None and node.attr in TELLING and is_unknown(ctx, node.value):
        yield _left(node, asking(ctx, node.value, "client"))


def _legacy_name(name: str) -> bool:
    return name in METHODS or name in STATE or _private(name)


def _private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def _left(node: ast.Attribute, reason: str) -> Hit:
    message = f"`{node.attr}` of the legacy client"
    return Hit(node, message, reason=reason, symbol=f"{known.CLIENT}.{node.attr}")


def _call(call: ast.Call, name: str, ctx: FileContext) -> Iterator[Hit]:
    plain = name.removesuffix("_async")
    if name in READS and is_awaited(ctx, call) and plain == name:
        return  # no legacy call can be awaited: it is one of the store
    problem = _problem(call, name, ctx)
    symbol = f"{known.CLIENT}.{name}"
    message = f"`{name}` is {_TODAY[plain]}"
    yield Hit(call, message, None if problem else _fix(call, name, ctx), problem, symbol=symbol)
    if plain == "post_rollout" and not problem and not is_statement(ctx, call):
        yield Hit(
            call,
            "the value of a posted report is the finished attempt, no longer the server's answer",
            reason="look whether what becomes of it still fits",
            symbol=symbol,
        )


_TODAY = {
    "poll_next_task": "a claim on the store, by a helper that waits",
    "get_resources_by_id": "a coroutine of the store",
    "get_latest_resources": "a coroutine of the store",
    "post_rollout": "spans and a status in the store, written by a helper",
}


def _problem(call: ast.Call, name: str, ctx: FileContext) -> str:
    parameters = {"get_resources_by_id": ("resource_id",), "post_rollout": ("rollout",)}
    given = arguments(call, parameters.get(name.removesuffix("_async"), ()))
    if given.problem:
        return given.problem
    if name in POSTS and report_argument(call) is None:
        return "it is given no report"
    return "" if name.endswith("_async") else cannot_await(ctx, call)


def _fix(call: ast.Call, name: str, ctx: FileContext) -> Fix:
    def fix(rewrite: Rewrite) -> None:
        if name in POLLS:
            poll(rewrite, ctx, call, name)
        elif name in READS:
            read(rewrite, ctx, call, name)
        else:
            hand_in(rewrite, ctx, call, name)

    return fix
