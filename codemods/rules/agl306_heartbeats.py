"""AGL306: heartbeats by hand, and code that is left without those of today's runners."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.legacy.heartbeats import Beat, borrowed, loops
from codemods.legacy.objects import is_today, names_today
from codemods.rule import Hit, Rule

RUNNER = "LitAgentRunner"
STORE = "LightningStore"
# What a store has to write itself, so that a class with one of these is meant to be one.
_OF_STORE = frozenset({"enqueue_rollout", "dequeue_rollout", "start_rollout", "update_attempt"})


class Heartbeats(Rule):
    """Threads and tasks that ping a server; runners and stores that lack heartbeats."""

    code = "AGL306"
    title = "Heartbeat by hand"
    why = (
        "A `LitAgentRunner` tells the store that it is alive, in a thread or task of its own, "
        "every `heartbeat_interval` seconds as long as `iter` runs. A thread that does so by hand "
        "asks addresses of the old server, and its beats are not what a store counts. It is never "
        "taken out for you: other things may depend on it."
    )
    before = (
        "def heartbeat(client):\n"
        "    while True:\n"
        "        client.get_latest_resources()\n"
        "        time.sleep(5)"
    )
    after = "runner = LitAgentRunner(tracer, heartbeat_interval=5)  # and the thread taken out"
    applicability = "manual"
    nodes = (ast.Module, ast.ClassDef, ast.Attribute)
    attributes = frozenset({"step"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Loops that ping; `step` of a runner that is to beat; runners and stores of one's own."""
        if isinstance(node, ast.Module):
            if ctx.options.server == "store":
                for beat in [*loops(ctx), *borrowed(ctx)]:
                    yield _beat(beat, ctx)
        elif isinstance(node, ast.ClassDef):
            yield from _own_class(node, ctx)
        elif isinstance(node, ast.Attribute):
            yield from _step(node, ctx)


def _beat(beat: Beat, ctx: FileContext) -> Hit:
    seconds = beat.seconds or "..."
    line = ctx.module.span(beat.node)[0]
    end = ctx.module.text.find("\n", line)
    return Hit(
        beat.node,
        "a heartbeat by hand",
        reason=f"a LitAgentRunner beats by itself: give it heartbeat_interval={seconds} (a Trainer:"
        f' runner={{"type": "agentlightning.LitAgentRunner", "heartbeat_interval": {seconds}}}),'
        " and take this out; without a runner, ask `/v1/agl/health` of the store server",
        symbol=f"agentlightning.{RUNNER}(heartbeat_interval)",
        span=(line, end) if end > line and not isinstance(beat.node, ast.Call) else None,
    )


def _own_class(node: ast.ClassDef, ctx: FileContext) -> Iterator[Hit]:
    methods = {
        n.name: n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    lacking = "update_worker" not in methods and not _OF_STORE.isdisjoint(methods)
    deaf = "iter" in methods and not _starts_beats(methods["iter"])
    for base in node.bases:
        value = ctx.infer(base.value if isinstance(base, ast.Subscript) else base)
        if deaf and names_today(value, RUNNER):
            yield Hit(
                base,
                "a runner with an `iter` of its own sends no heartbeats",
                reason="stop = self._start_heartbeat_loop(store) before the loop, and "
                "`await stop()` behind it where stop is not None",
                symbol=f"agentlightning.{RUNNER}.iter",
            )
        elif lacking and names_today(value, STORE):
            yield Hit(
                base,
                "a store without `update_worker` cannot take heartbeats",
                reason="add async def update_worker(self, worker_id, heartbeat_stats=...), "
                "or every beat of a runner logs a warning",
                symbol=f"agentlightning.{STORE}.update_worker",
            )


def _starts_beats(function: ast.AST) -> bool:
    """Whether a method starts the loop, or leaves that to the one that it overrides."""
    return any(
        (isinstance(node, ast.Attribute) and node.attr == "_start_heartbeat_loop")
        or (isinstance(node, ast.Name) and node.id == "super")
        for node in ast.walk(function)
    )


def _step(node: ast.Attribute, ctx: FileContext) -> Iterator[Hit]:
    built = ctx.constructor(node.value) if is_today(ctx, node.value, RUNNER) else None
    if built is None:
        return
    given = [k.value for k in built.keywords if k.arg == "heartbeat_interval"]
    off = any(isinstance(v, ast.Constant) and v.value in (0, None) for v in given)
    if given and not off:
        yield Hit(
            node,
            "`step` sends no heartbeats, whatever `heartbeat_interval` is",
            reason="only `iter` starts them: enqueue the task and run `iter` with max_rollouts=1",
            symbol=f"agentlightning.{RUNNER}.step",
        )
