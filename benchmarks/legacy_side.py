"""A legacy server or a fleet's worker in a process of its own, of the peer or of this package.

python -m benchmarks.legacy_side agentlightning|agentlightning_compat

Also runs in the peers' environments, so that it imports nothing else. Reads one JSON request a
line, `{"do": ..., ...}`, and answers each with a line of JSON.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from contextlib import asynccontextmanager, contextmanager
from typing import Any

Api = Any


def model(api: Api) -> Any:
    """The resources of all tasks."""
    types = importlib.import_module(f"{api.__name__}.types") if not ours(api) else api
    return types.LLM(endpoint="http://127.0.0.1:9/v1", model="m")


def ours(api: Api) -> bool:
    """Whether this is our package."""
    return bool(api.__name__ == "agentlightning_compat")


class Server:
    """A legacy server, with tasks in its queue."""

    def __init__(self, api: Api, port: int) -> None:
        self._server = api.AgentLightningServer(host="127.0.0.1", port=port)
        self._resources = {"main": model(api)}

    async def start(self) -> str:
        """Listen; the id of the resources."""
        await self._server.start()
        return str(await self._server.update_resources(self._resources))

    async def queue(self, count: int, resources_id: str | None) -> int:
        """Queue so many tasks."""
        for number in range(count):
            await self._server.queue_task(
                {"number": number}, mode="train", resources_id=resources_id
            )
        return count

    async def taken(self) -> int:
        """Take the results that are there; how many."""
        return len(await self._server.retrieve_completed_rollouts())


def agent_of(api: Api, seconds: float, began: list[float]) -> Any:
    """An agent that notes when it begins, and waits if it is to wait."""
    base: Any = api.LitAgent

    class Sync(base):  # type: ignore[misc, unused-ignore]
        def training_rollout(self, task: Any, resources: Any, rollout: Any) -> float:
            began.append(time.perf_counter())
            return 1.0

    class Waiting(base):  # type: ignore[misc, unused-ignore]
        async def training_rollout_async(self, task: Any, resources: Any, rollout: Any) -> float:
            began.append(time.perf_counter())
            await asyncio.sleep(seconds)
            return 1.0

        async def rollout_async(self, task: Any, resources: Any, rollout: Any) -> float:
            return await self.training_rollout_async(task, resources, rollout)

    return Waiting() if seconds else Sync()


def no_tracer(api: Api) -> Any:
    """A tracer that does nothing."""
    if ours(api):
        return api.DummyTracer()
    base: Any = api.Tracer

    class NoTracer(base):  # type: ignore[misc, unused-ignore]
        @contextmanager
        def _trace_context_sync(self, *_: Any, **__: Any) -> Any:
            yield

        @asynccontextmanager
        async def trace_context(self, *_: Any, **__: Any) -> Any:
            yield

        def get_last_trace(self) -> list[Any]:
            return []

    return NoTracer()


async def work(api: Api, url: str, count: int, seconds: float, concurrency: int) -> dict[str, Any]:
    """Do so many tasks with a legacy runner; how long it took, and when the agent began each."""
    began: list[float] = []
    runner_class = (
        importlib.import_module(f"{api.__name__}.runner").LegacyAgentRunner
        if not ours(api)
        else api.LegacyAgentRunner
    )
    options = {"concurrency": concurrency} if ours(api) else {}
    runner = runner_class(
        agent_of(api, seconds, began),
        api.AgentLightningClient(url, poll_interval=0.05),
        no_tracer(api),
        api.TracerTraceToTriplet(),
        max_tasks=count,
        **options,
    )
    start = time.perf_counter()
    if seconds:
        done = await runner.iter_async()
    else:
        # In this thread, whose loop has nothing else to do.
        done = await asyncio.get_running_loop().run_in_executor(None, runner.iter)
    took = time.perf_counter() - start
    if done != count or len(began) != count:
        raise RuntimeError(f"{done} of {count} tasks were done, {len(began)} begun")
    return {"seconds": took, "gaps": [b - a for a, b in itertools.pairwise(began)]}


class Side:
    """What this process can be asked for."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._server: Server | None = None

    async def serve(self, port: int) -> str:
        """Become a server."""
        self._server = Server(self._api, port)
        return await self._server.start()

    async def queue(self, count: int, resources_id: str | None = None) -> int:
        """Queue tasks."""
        assert self._server is not None
        return await self._server.queue(count, resources_id)

    async def taken(self) -> int:
        """Take results."""
        assert self._server is not None
        return await self._server.taken()

    async def work(self, **parameters: Any) -> dict[str, Any]:
        """Be a worker."""
        return await work(self._api, **parameters)


async def answers(package: str) -> None:
    """Do what is asked for, until the input ends."""
    # What servers and clients print is not for whoever asks.
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    side = Side(importlib.import_module(package))
    logging.disable(logging.CRITICAL)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        request = json.loads(line)
        do: Callable[..., Coroutine[Any, Any, Any]] = getattr(side, request.pop("do"))
        print(json.dumps(await do(**request)), file=told, flush=True)
    os._exit(0)  # a server of the peer does not end by itself


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as spool:
        os.environ["AGL_SPOOL"] = spool
        asyncio.run(answers(sys.argv[1]))
