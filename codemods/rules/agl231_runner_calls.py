"""AGL231: running a legacy runner, and its members."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.awaiting import HELPERS, await_here, is_statement
from codemods.legacy.objects import is_today, kind_of
from codemods.legacy.runners import single_run, stays
from codemods.legacy.threads import is_run_by
from codemods.names import known
from codemods.names.values import External
from codemods.rule import Hit, Rule

RUNS = frozenset({"iter", "iter_async", "run", "run_async"})
GETTERS = {"client": "get_store()", "agent": "get_agent()"}
GONE = {
    "max_tasks": "the limit is the argument max_rollouts of LitAgentRunner; keep it in a variable",
    "triplet_exporter": "runners no longer make triplets: call the adapter on the spans",
    "_to_rollout_object": "results are stored by the runner; to_result() converts one",
}
SETUP = frozenset({"init", "init_worker"})


class RunnerCalls(Rule):
    """`iter`, `run` and their async forms; what a runner was asked for."""

    code = "AGL231"
    title = "Legacy runner is run"
    why = (
        "`LitAgentRunner.iter` is a coroutine that returns nothing, under the name of what was a "
        "blocking call: without `await` nothing runs. `run` always raises RuntimeError."
    )
    before = "runner.iter()"
    after = "asyncio.run(runner.iter())"
    applicability = "review"
    nodes = (ast.Attribute,)
    words = RUNS | SETUP | GETTERS.keys() | GONE.keys()

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Members of what is a legacy runner."""
        assert isinstance(node, ast.Attribute)
        if ctx.options.server == "legacy":
            return
        if kind_of(ctx, node.value) != "runner":
            if node.attr in GONE and is_today(ctx, node.value, "LitAgentRunner"):
                yield _gone(node)
            return
        call = ctx.parent(node)
        called = isinstance(call, ast.Call) and call.func is node
        symbol = f"{known.LEGACY_RUNNER}.{node.attr}"
        if stays(ctx, node.value):
            reason = "the runner is not rewritten where it is built; see there"
            yield Hit(node, f"`{node.attr}` of a legacy runner", reason=reason, symbol=symbol)
        elif node.attr in RUNS and isinstance(call, ast.Call) and called:
            yield from _run(node, call, ctx, symbol)
        elif node.attr in SETUP and isinstance(call, ast.Call) and called:
            yield _setup(node, call, ctx, symbol)
        elif node.attr in GETTERS and isinstance(node.ctx, ast.Load):
            yield _getter(node, symbol)
        elif node.attr == "iter" and _is_target(node, ctx):
            yield _threaded(node, symbol)
        else:
            yield _gone(node)


def _gone(node: ast.Attribute) -> Hit:
    reason = GONE.get(node.attr, "`iter` is a coroutine function today, `run` is gone")
    symbol = f"{known.LEGACY_RUNNER}.{node.attr}"
    return Hit(node, f"`{node.attr}` of a legacy runner", reason=reason, symbol=symbol)


def _run(node: ast.Attribute, call: ast.Call, ctx: FileContext, symbol: str) -> Iterator[Hit]:
    name = node.attr
    if not name.endswith("_async") and _driven(call, ctx):
        return  # it is today's coroutine
    if call.args or call.keywords:
        reason = "it never took an argument"
        yield Hit(call, f"`{name}` of a legacy runner", reason=reason, symbol=symbol)
        return
    once = name in ("run", "run_async") and not single_run(ctx, node.value)
    counted = once or not _ignored(call, ctx)

    def fix(rewrite: Rewrite) -> None:
        if counted:
            edit = rewrite.call(call).to_function(rewrite.use(f"{HELPERS}.run_rollouts", call))
            if once:
                edit.add_positional("1", 1)
        elif name != "iter":
            rewrite.rename(node, "iter")
        if not name.endswith("_async"):
            _drive(rewrite, call, ctx)

    what = "runs one rollout" if name.startswith("run") else "is a coroutine"
    message = f"`{name}` of a legacy runner {what} today"
    yield Hit(call, message, fix, applicability="shim" if counted else None, symbol=symbol)


def _is_target(node: ast.Attribute, ctx: FileContext) -> bool:
    """Whether a thread is to run the method."""
    keyword = ctx.parent(node)
    thread = ctx.parent(keyword) if isinstance(keyword, ast.keyword) else None
    return isinstance(thread, ast.Call) and is_run_by(ctx, thread, node)


def _threaded(node: ast.Attribute, symbol: str) -> Hit:
    def fix(rewrite: Rewrite) -> None:
        rewrite.wrap(node, f"lambda: {rewrite.use_module('asyncio', node)}.run(", "())")

    return Hit(node, "`iter` of a legacy runner is a coroutine today", fix, symbol=symbol)


def _drive(rewrite: Rewrite, call: ast.Call, ctx: FileContext) -> None:
    if ctx.in_async(call):
        await_here(rewrite, ctx, call)
    else:
        rewrite.wrap(call, f"{rewrite.use_module('asyncio', call)}.run(", ")")


def _ignored(call: ast.Call, ctx: FileContext) -> bool:
    """Whether the count of tasks (or whether there was one) is not looked at."""
    if is_statement(ctx, call):
        return True
    parent = ctx.parent(call)
    return isinstance(parent, ast.Call) and _driven(call, ctx) and is_statement(ctx, parent)


def _driven(call: ast.Call, ctx: FileContext) -> bool:
    """Whether a call is awaited, or its coroutine given to `asyncio.run`."""
    parent = ctx.parent(call)
    if isinstance(parent, ast.Call):
        return ctx.infer(parent.func) == External("asyncio.run")
    return isinstance(parent, ast.Await)


def _setup(node: ast.Attribute, call: ast.Call, ctx: FileContext, symbol: str) -> Hit:
    message = f"`{node.attr}` of a legacy runner is called where the new one is built"
    statement = ctx.parent(call)
    if not isinstance(statement, ast.Expr):
        return Hit(call, message, reason="take the call out", symbol=symbol)
    return Hit(call, message, lambda rewrite: rewrite.remove(statement), symbol=symbol)


def _getter(node: ast.Attribute, symbol: str) -> Hit:
    new = GETTERS[node.attr]
    message = f"`{node.attr}` of a legacy runner is `{new}`"
    return Hit(node, message, lambda rewrite: rewrite.rename(node, new), symbol=symbol)
