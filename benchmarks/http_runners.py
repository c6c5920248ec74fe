"""An algorithm and N runner processes at a store server; also runs in the peer's environment.

python -m benchmarks.http_runners peer|ours URL

Reads one JSON request a line, `{"pattern": ..., "runners": ..., ...}`, and answers each with a line
of JSON. What is imported is imported once: runners are forked, as both packages start theirs.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import logging
import os
import resource
import signal
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.http_side import PACKAGES

# Seconds that a turn waits, as for a model; how often the algorithm looks for what is finished.
TURN = 0.02
LOOK = 0.1
# Seconds after which an idle runner of the peer looks again; its own default is 5.
POLL = 1.0
# A turn has two spans, one in the other; the reward of the agent is one more.
_PER_TURN = 2
# What a runner says when it begins: the CPU time that it took so far.
_READY = struct.Struct("d")


def agent(api: Any, turns: int) -> Any:
    """An agent that takes several turns, each recorded by OpenTelemetry."""
    trace = importlib.import_module("opentelemetry.trace")

    class Turns(api.LitAgent):  # type: ignore[misc, name-defined, unused-ignore]
        async def rollout_async(self, task: Any, resources: Any, rollout: Any) -> float:
            tracer = trace.get_tracer("benchmark")
            for turn in range(turns):
                with tracer.start_as_current_span(f"turn {turn}"):
                    attributes = {
                        "gen_ai.prompt": f"{task['question']} {turn:8} hello" * 8,
                        "gen_ai.request.model": "gpt-4o-mini",
                        "n": turn,
                    }
                    with tracer.start_as_current_span("chat", attributes=attributes):
                        await asyncio.sleep(TURN)
            return 1.0

    return Turns()


def run(api: Any, url: str, turns: int, ready: int) -> None:
    """One runner, until it is killed."""

    async def forever() -> None:
        store = api.LightningStoreClient(url)
        options = {"poll_interval": POLL} if api.__name__ == PACKAGES["peer"] else {}
        runner = api.LitAgentRunner(tracer=api.OtelTracer(), **options)
        with runner.run_context(agent=agent(api, turns), store=store):
            os.write(ready, _READY.pack(time.process_time()))
            await runner.iter()

    asyncio.run(forever())


class Algorithm:
    """Has rollouts done, and reads their spans."""

    def __init__(self, store: Any, turns: int) -> None:
        self._store = store
        self._expected = turns * _PER_TURN + 1
        self._open: list[str] = []
        self._asked = 0

    async def batch(self, tasks: int, width: int) -> None:
        """So many at a time, and the next ones when all of these are finished."""
        while self._asked < tasks:
            await self._ask(min(width, tasks - self._asked))
            await self._finished(all_of_them=True)

    async def queue(self, tasks: int, width: int) -> None:
        """A new one for each that is finished."""
        await self._ask(min(width, tasks))
        while self._open:
            done = await self._finished(all_of_them=False)
            await self._ask(min(done, tasks - self._asked))

    async def _ask(self, count: int) -> None:
        for _ in range(count):
            task = {"question": f"what is 6 times {self._asked}?"}
            rollout = await self._store.enqueue_rollout(task, mode="train")
            self._open.append(rollout.rollout_id)
            self._asked += 1

    async def _finished(self, all_of_them: bool) -> int:
        """Wait for some or all, and look at what they did; how many they are."""
        count = 0
        while self._open and (all_of_them or not count):
            found = await self._store.wait_for_rollouts(rollout_ids=self._open, timeout=0)
            for rollout in found:
                spans = await self._store.query_spans(rollout.rollout_id, "latest")
                if rollout.status != "succeeded" or len(spans) != self._expected:
                    raise RuntimeError(f"{rollout.status} with {len(spans)} spans")
                self._open.remove(rollout.rollout_id)
            count += len(found)
            if not found:
                await asyncio.sleep(LOOK)
        return count


def direct(api: Any, url: str, pattern: str, tasks: int, width: int, turns: int) -> float:
    """Seconds for all tasks."""

    async def timed() -> float:
        store = api.LightningStoreClient(url)
        await store.add_resources({})
        start = time.perf_counter()
        await getattr(Algorithm(store, turns), pattern)(tasks, width)
        took = time.perf_counter() - start
        await store.close()
        return took

    return asyncio.run(timed())


def forked(work: Callable[[], None]) -> int:
    """Have a child do it, and end; its process id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


def measured(
    api: Any, url: str, *, pattern: str, runners: int, tasks: int, width: int, turns: int
) -> dict[str, float] | None:
    """Seconds on the clock for all tasks by so many runners, and of CPU time of them and the
    algorithm; None if the algorithm failed.

    Runners and algorithm are children: this process never has threads, which are not forked.
    """
    ready, ready_end = os.pipe()
    answer, answer_end = os.pipe()
    children = [forked(lambda: run(api, url, turns, ready_end)) for _ in range(runners)]
    try:
        # What it takes to start is no part of the work.
        started = sum(_READY.unpack(os.read(ready, _READY.size))[0] for _ in children)

        def work() -> None:
            took = direct(api, url, pattern, tasks, width, turns)
            os.write(answer_end, json.dumps(took).encode())

        before = _waited_for()
        _, status = os.waitpid(forked(work), 0)
        took = None if status else json.loads(os.read(answer, 100))
    finally:
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        for end in (ready, ready_end, answer, answer_end):
            os.close(end)
    return None if took is None else {"wall": took, "cpu": _waited_for() - before - started}


def _waited_for() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Answer requests until there are no more."""
    logging.disable(logging.CRITICAL)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    api = importlib.import_module(PACKAGES[sys.argv[1]])
    for name in ("LightningStoreClient", "LitAgentRunner", "OtelTracer", "LitAgent"):
        getattr(api, name)  # imported before anything is forked
    importlib.import_module("opentelemetry.sdk.trace")
    for line in sys.stdin:
        took = measured(api, sys.argv[2], **json.loads(line))
        print(json.dumps(took), file=answers, flush=True)


if __name__ == "__main__":
    main()
