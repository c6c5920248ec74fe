"""Rewrites of the calls that a script makes on the server that it runs."""

from __future__ import annotations

import ast

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.awaiting import HELPERS, is_statement
from codemods.legacy.given import arguments
from codemods.legacy.servers import timeout_text

PARAMETERS = {
    "queue_task": ("sample", "mode", "resources_id", "metadata"),
    "update_resources": ("resources",),
    "get_completed_rollout": ("rollout_id",),
    "poll_completed_rollout": ("rollout_id", "timeout"),
    "retrieve_completed_rollouts": (),
}
# A coroutine function of the same arguments, for each.
HELPER = {
    "queue_task": "queue_rollout",
    "update_resources": "publish_resources",
    "get_completed_rollout": "take_completed",
    "poll_completed_rollout": "wait_completed",
    "retrieve_completed_rollouts": "drain_completed",
}
# The store's own method, and the part of what it returns that the legacy one returned.
OF_STORE = {
    "queue_task": ("enqueue_rollout", "rollout_id"),
    "update_resources": ("add_resources", "resources_id"),
}
_CONFIG = "agentlightning.RolloutConfig"
# The old server gave up on no task, however often it was lost.
_ATTEMPTS = 1000


def call_problem(call: ast.Call, name: str) -> str:
    """Why a call on a server cannot be rewritten; a helper takes spread arguments as they are."""
    if any(k.arg is None for k in call.keywords) or any(
        isinstance(a, ast.Starred) for a in call.args
    ):
        return ""
    return arguments(call, PARAMETERS[name]).problem


def by_helper(ctx: FileContext, call: ast.Call, name: str) -> bool:
    """Whether a helper has to take the call over, for want of an `await` or of clear arguments."""
    spread = bool(arguments(call, PARAMETERS[name]).problem)
    return name not in OF_STORE or spread or not isinstance(ctx.parent(call), ast.Await)


def use_store(rewrite: Rewrite, ctx: FileContext, call: ast.Call, name: str) -> None:
    """Turn a call into one of the store's method, or of the helper that stands for it."""
    assert isinstance(call.func, ast.Attribute)
    if by_helper(ctx, call, name):
        rewrite.call(call).to_function(rewrite.use(f"{HELPERS}.{HELPER[name]}", call))
    else:
        _own_method(rewrite, ctx, call, name)
    timeout = timeout_text(ctx, call.func.value) if name == "queue_task" else ""
    if timeout:
        config = rewrite.use(_CONFIG, call)
        rewrite.call(call).set_keyword(
            "config",
            f"{config}(timeout_seconds={timeout}, max_attempts={_ATTEMPTS}, "
            'retry_condition=["timeout"])',
        )


def _own_method(rewrite: Rewrite, ctx: FileContext, call: ast.Call, name: str) -> None:
    method, part = OF_STORE[name]
    given = arguments(call, PARAMETERS[name])
    edit = rewrite.call(call).rename_attribute(method)
    if "metadata" in given.positions:
        # The fourth parameter is another one today.
        edit.name_positional(given.positions["metadata"], "metadata")
    edit.rename_keyword("sample", "input")
    awaited = ctx.parent(call)
    assert isinstance(awaited, ast.Await)
    if not is_statement(ctx, call):
        rewrite.wrap(awaited, "(", f").{part}")
