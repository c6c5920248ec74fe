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
import shutil
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
        self._made: list[dict[str, Any]] = []

    def store(self) -> Any:
        """A fresh store."""
        arguments = self._arguments(self._where)
        self._made.append(arguments)
        return self._kind(**arguments)

    async def swept(self) -> None:
        """Do now what a server does by itself minutes after so much was written in one go."""
        await self._execute("VACUUM (ANALYZE)", "CHECKPOINT")

    async def removed(self) -> None:
        """Take away what the stores left: files, and schemas on a server."""
        schemas = [made["schema"] for made in self._made if "schema" in made]
        await self._execute(*(f"DROP SCHEMA IF EXISTS {name} CASCADE" for name in schemas))
        for made in self._made:
            if "path" in made:
                shutil.rmtree(Path(made["path"]).parent, ignore_errors=True)

    async def _execute(self, *statements: str) -> None:
        if any("dsn" in made for made in self._made):
            asyncpg: Any = importlib.import_module("asyncpg")
            connection = await asyncpg.connect(self._where)
            for statement in statements:
                await connection.execute(statement)
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


async def calls(side: Side, size: int, count: int) -> dict[str, list[float]]:
    """Microseconds of single calls in a store of 1,000 rollouts and in one of so many.

    Medians of `count`. The two take turns, call by call: what the machine does meanwhile meets
    both.
    """
    stores = [await filled(side, number) for number in (1_000, size)]
    await side.swept()
    gc.collect()
    gc.freeze()  # what is there stays there, and is no part of a call
    found = {}
    for name, call in CALLS.items():
        times: list[list[float]] = [[] for _ in stores]
        for _ in range(count):
            for (store, one), taken in zip(stores, times, strict=True):
                start = time.perf_counter()
                await call(store, one.rollout_id)
                taken.append(time.perf_counter() - start)
        found[name] = [statistics.median(taken) * 1e6 for taken in times]
    for store, _ in stores:
        await closed(store)
    gc.unfreeze()
    return found


CALLS: dict[str, Callable[[Any, str], Awaitable[Any]]] = {
    "dequeue_rollout": lambda store, one: store.dequeue_rollout("worker"),
    "query_rollouts(status)": lambda store, one: store.query_rollouts(status_in=["succeeded"]),
    "query_rollouts(status, limit)": lambda store, one: store.query_rollouts(
        status_in=["queuing", "requeuing"], limit=20
    ),
    "query_spans": lambda store, one: store.query_spans(one),
    "get_latest_attempt": lambda store, one: store.get_latest_attempt(one),
}


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
    asyncio.run(side.removed())


if __name__ == "__main__":
    main()
