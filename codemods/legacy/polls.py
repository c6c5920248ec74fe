"""Rewrites of the calls that a polling client makes."""

from __future__ import annotations

import ast

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.awaiting import HELPERS, await_here, block_here
from codemods.legacy.clients import poll_interval

POLLS = frozenset({"poll_next_task", "poll_next_task_async"})
READS = frozenset(
    {
        "get_resources_by_id",
        "get_resources_by_id_async",
        "get_latest_resources",
        "get_latest_resources_async",
    }
)
POSTS = frozenset({"post_rollout", "post_rollout_async"})


def poll(rewrite: Rewrite, ctx: FileContext, call: ast.Call, name: str) -> None:
    """`client.poll_next_task()` as a call of the helper that claims a rollout."""
    assert isinstance(call.func, ast.Attribute)
    waits = name == "poll_next_task" and ctx.in_async(call)
    helper = "poll_rollout" if name == "poll_next_task" and not waits else "poll_rollout_async"
    edit = rewrite.call(call).to_function(rewrite.use(f"{HELPERS}.{helper}", call))
    interval = poll_interval(ctx, call.func.value)
    if interval:
        edit.set_keyword("poll_interval", interval)
    if waits:
        await_here(rewrite, ctx, call)


def read(rewrite: Rewrite, ctx: FileContext, call: ast.Call, name: str) -> None:
    """The calls that fetch resources, which are coroutines of the store."""
    assert isinstance(call.func, ast.Attribute)
    plain = name.removesuffix("_async")
    if plain != name:
        rewrite.rename(call.func, plain)
    if plain == "get_resources_by_id":
        rewrite.call(call).rename_keyword("resource_id", "resources_id")
    if plain == name:
        block_here(rewrite, ctx, call)
