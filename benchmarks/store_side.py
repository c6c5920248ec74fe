"""One store in a process of its own, measured on request; also runs in the peer's environment.

python -m benchmarks.store_side BACKEND [WHERE]

Reads one JSON request a line, `{"measure": ..., ...}`, and answers each with a line of JSON.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import logging
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

# The line that adds a backend: where its class is, and what a new one, with nothing in it, is
# made with.
BACKENDS: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "peer": ("agentlightning.store.memory.InMemoryLightningStore", lambda where: {}),
    "memory": ("agentlightning_compat.store.memory.InMemoryLightningStore", lambda where: {}),
    "sqlite": (
        "agentlightning_compat.store.sqlite.SqliteLightningStore",
        lambda where: {"path": _file()},
    ),
    "postgres": (
        "agentlightning_compat.store.postgres.PostgresLightningStore",
        lambda where: {"dsn": where, "schema": f"agl_bench_{uuid.uuid4().hex}"},
    ),
}
SPANS = 8
_PAGE = os.sysconf("SC_PAGE_SIZE")


def _file() -> str:
    return str(Path(tempfile.mkdtemp(prefix="agl-bench-")) / "store.db")


class Side:
    """Makes the stores and the spans of one backend."""

    def __init__(self, backend: str, where: str) -> None:
        path, self._arguments = BACKENDS[backend]
        module, _, name = path.rpartition(".")
        self._kind = getattr(importlib.import_module(module), name)
        models = "agentlightning.types" if backend == "peer" else "agentlightning_compat.model"
        self.names: Any = importlib.import_module(models)
        self._where = where

    def store(self) -> Any:
        """A fresh store."""
        return self._kind(**self._arguments(self._where))

    async def swept(self) -> None:
        """Do now what a server does by itself minutes after so much was written in one go."""
        if self._kind.__name__ == "PostgresLightningStore":
            asyncpg: Any = importlib.import_module("asyncpg")
            connection = await asyncpg.connect(self._where)
            await connection.execute("VACUUM (ANALYZE)")
            await connection.execute("CHECKPOINT")
            await connection.close()

    def spans(self, count: int) -> list[Any]:
        """Spans like those of a call to a model, whose rollouts are not known yet."""
        names = self.names
        return [
            names.Span(
                rollout_id="",
                attempt_id="",
                sequence_id=number % SPANS + 1,
                trace_id=f"{number:032x}",
                span_id=f"{number:016x}",
                parent_id=None,
                name="openai.chat.completion",
                status=names.TraceStatus(status_code="OK"),
                attributes={"gen_ai.prompt": f"{number:8} hello" * 8, "n": number, "x": 1.5},
                events=[],
                links=[],
                start_time=1.0,
                end_time=2.0,
                context=None,
                parent=None,
                resource=names.OtelResource(attributes={"service.name": "x"}, schema_url=""),
            )
            for number in range(count)
        ]


def belonging(spans: list[Any], claimed: Any) -> list[Any]:
    """Spans of a claimed rollout; the fields are set past pydantic, which would be measured."""
    ours = {"rollout_id": claimed.rollout_id, "attempt_id": claimed.attempt.attempt_id}
    for span in spans:
        span.__dict__.update(ours)
    return spans


async def closed(store: Any) -> None:
    """Close what can be closed."""
    if hasattr(store, "close"):
        await store.close()


async def lifecycle(side: Side, coroutines: int, count: int) -> float:
    """Microseconds for one rollout: enqueue, dequeue, 8 spans one by one, update its attempt."""
    each = count // coroutines
    prepared = [side.spans(SPANS * each) for _ in range(coroutines)]
    store = side.store()

    async def one(spans: list[Any]) -> None:
        while spans:
            await store.enqueue_rollout({"question": len(spans)})
            claimed = await store.dequeue_rollout("worker")
            for span in belonging(spans[-SPANS:], claimed):
                await store.add_span(span)
            del spans[-SPANS:]
            key = (claimed.rollout_id, claimed.attempt.attempt_id)
            await store.update_attempt(*key, status="succeeded")

    await one(side.spans(SPANS))  # the first call is another matter
    gc.collect()
    start = time.perf_counter()
    await asyncio.gather(*(one(spans) for spans in prepared))
    took = time.perf_counter() - start
    await closed(store)
    return took / (each * coroutines) * 1e6


async def filled(side: Side, size: int) -> tuple[Any, Any]:
    """A store of so many rollouts, half of them claimed, and one of those with its spans."""
    store = side.store()
    requests = [side.names.EnqueueRolloutRequest(input=n, mode="train") for n in range(500)]
    for _ in range(size // 500):
        await store.enqueue_many_rollouts(requests)
    claimed: list[Any] = []
    for _ in range(size // 1000):
        claimed += (await store.dequeue_many_rollouts(limit=500, worker_id="worker"))[::25]
    for rollout in claimed:
        await store.add_many_spans(belonging(side.spans(SPANS), rollout))
    for rollout in claimed[:20]:
        await store.update_attempt(rollout.rollout_id, "latest", status="succeeded")
    return store, claimed[len(claimed) // 2]


async def calls(side: Side, size: int, count: int) -> dict[str, float]:
    """Microseconds of single calls in a store of so many rollouts, medians of `count`."""
    store, one = await filled(side, size)
    await side.swept()
    gc.collect()
    gc.freeze()  # what is there stays there, and is no part of a call
    asked: dict[str, Callable[[], Awaitable[Any]]] = {
        "dequeue_rollout": lambda: store.dequeue_rollout("worker"),
        "query_rollouts(status)": lambda: store.query_rollouts(status_in=["succeeded"]),
        "query_rollouts(status, limit)": lambda: store.query_rollouts(
            status_in=["queuing", "requeuing"], limit=20
        ),
        "query_spans": lambda: store.query_spans(one.rollout_id),
        "get_latest_attempt": lambda: store.get_latest_attempt(one.rollout_id),
    }
    found = {name: await median(call, count) for name, call in asked.items()}
    await closed(store)
    gc.unfreeze()
    return found


async def median(call: Callable[[], Awaitable[Any]], count: int) -> float:
    """Microseconds that a call takes."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        await call()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


async def wake(side: Side, count: int) -> float:
    """Milliseconds from the call of enqueue until a claimant that was waiting has the rollout."""
    store = side.store()
    times = []
    for _ in range(count):
        waiting = asyncio.ensure_future(store.dequeue_rollout("worker", wait=30))
        await asyncio.sleep(0.005)
        start = time.perf_counter()
        await store.enqueue_rollout({})
        await waiting
        times.append(time.perf_counter() - start)
    await closed(store)
    return statistics.median(times) * 1e3


async def memory(side: Side, count: int) -> float:
    """Megabytes that a process grows by for 100,000 spans, 50 a rollout; for a fresh process."""
    store = side.store()
    await _fifty(side, store)
    gc.collect()
    before = _resident()
    for _ in range(count // 50):
        await _fifty(side, store)
    gc.collect()
    grown = _resident() - before
    await closed(store)
    return grown / count * 100_000 / 1e6


async def _fifty(side: Side, store: Any) -> None:
    rollout = await store.start_rollout({"question": 1})
    await store.add_many_spans(belonging(side.spans(50), rollout))


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


MEASURES: dict[str, Callable[..., Coroutine[Any, Any, Any]]] = {
    "lifecycle": lifecycle,
    "calls": calls,
    "wake": wake,
    "memory": memory,
}


def main() -> None:
    """Answer requests until there are no more."""
    logging.disable(logging.CRITICAL)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    side = Side(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
    for line in sys.stdin:
        request = json.loads(line)
        answer: Any = asyncio.run(MEASURES[request.pop("measure")](side, **request))
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
