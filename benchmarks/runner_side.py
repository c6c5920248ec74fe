"""One runner in a process of its own, measured on request; also runs in the peer's environment.

python -m benchmarks.runner_side peer|ours

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
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

PACKAGES = {"peer": "agentlightning", "ours": "agentlightning_compat"}


def trivial(api: Any) -> Any:
    """An agent that does nothing but return a reward."""

    class Trivial(api.LitAgent):  # type: ignore[misc, name-defined, unused-ignore]
        async def rollout_async(self, task: Any, resources: Any, rollout: Any) -> float:
            return 1.0

    return Trivial()


def waiting(api: Any, seconds: float) -> Any:
    """An agent that waits for something else, as for the answer of a model."""

    class Waiting(api.LitAgent):  # type: ignore[misc, name-defined, unused-ignore]
        async def rollout_async(self, task: Any, resources: Any, rollout: Any) -> float:
            await asyncio.sleep(seconds)
            return 1.0

    return Waiting()


def telling(api: Any, started: asyncio.Queue[float]) -> Any:
    """An agent that tells when it was started."""

    class Telling(api.LitAgent):  # type: ignore[misc, name-defined, unused-ignore]
        async def rollout_async(self, task: Any, resources: Any, rollout: Any) -> float:
            started.put_nowait(time.perf_counter())
            return 1.0

    return Telling()


def tracer(api: Any, kind: str) -> Any:
    """`otel`; or `none`, for which the peer needs a class: its DummyTracer fails every rollout."""
    if kind == "otel":
        return api.OtelTracer()
    if api.__name__ == PACKAGES["ours"]:
        return api.DummyTracer()

    class NoTracer(api.Tracer):  # type: ignore[misc, name-defined, unused-ignore]
        @asynccontextmanager
        async def trace_context(self, *_: Any, **__: Any) -> AsyncIterator[None]:
            yield

        def get_last_trace(self) -> list[Any]:
            return []

    return NoTracer()


async def filled(api: Any, count: int) -> Any:
    """A store with resources and so many rollouts."""
    store = api.InMemoryLightningStore()
    await store.add_resources({})
    for number in range(count):
        await store.enqueue_rollout({"question": number}, mode="train")
    return store


async def worked(api: Any, agent: Any, kind: str, count: int, **options: Any) -> float:
    """Seconds that a runner takes for so many rollouts."""
    store = await filled(api, count)
    runner = api.LitAgentRunner(
        tracer=tracer(api, kind), max_rollouts=count, heartbeat_interval=0, **options
    )
    with runner.run_context(agent=agent, store=store):
        gc.collect()
        start = time.perf_counter()
        await runner.iter()
        took = time.perf_counter() - start
    done = len(await store.query_rollouts(status_in=["succeeded"]))
    if done != count:
        raise RuntimeError(f"{done} of {count} rollouts succeeded")
    return took


async def overhead(api: Any, tracer: str, count: int) -> float:
    """Microseconds of a rollout whose agent does nothing."""
    await worked(api, trivial(api), tracer, 5)  # the first ones are another matter
    return await worked(api, trivial(api), tracer, count) / count * 1e6


async def many(api: Any, seconds: float, count: int, concurrency: int) -> float:
    """Seconds for so many rollouts of an agent that waits."""
    options = {"concurrency": concurrency} if api.__name__ == PACKAGES["ours"] else {}
    return await worked(api, waiting(api, seconds), "none", count, **options)


async def start(api: Any, count: int) -> float:
    """Milliseconds from the call of enqueue to the start of the agent, of an idle runner."""
    store = await filled(api, 0)
    started: asyncio.Queue[float] = asyncio.Queue()
    runner = api.LitAgentRunner(tracer=tracer(api, "none"), max_rollouts=count)
    times = []
    with runner.run_context(agent=telling(api, started), store=store):
        running = asyncio.ensure_future(runner.iter())
        for number in range(count):
            await asyncio.sleep(0.05)  # it is idle by then
            begin = time.perf_counter()
            await store.enqueue_rollout(number)
            times.append(await started.get() - begin)
        await running
    return statistics.median(times) * 1e3


MEASURES: dict[str, Callable[..., Coroutine[Any, Any, float]]] = {
    "overhead": overhead,
    "many": many,
    "start": start,
}


def main() -> None:
    """Answer requests until there are no more."""
    logging.disable(logging.CRITICAL)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    api = importlib.import_module(PACKAGES[sys.argv[1]])
    for line in sys.stdin:
        request = json.loads(line)
        answer = asyncio.run(MEASURES[request.pop("measure")](api, **request))
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
