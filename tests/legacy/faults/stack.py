"""The whole stack on a legacy server, for tests that disturb it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import agentlightning_compat as agl
from agentlightning_compat.legacy.client_store import LegacyClientStore
from agentlightning_compat.legacy.delivery import Delivery
from tests.legacy.adapter.server import LegacyServer

STACKS = ("legacy runner", "new runner")
HTML = "<html><body>Bad gateway</body></html>"
# What may be wrong with an answer, whatever was asked.
ANSWERS = [500, 503, 429, "cut", "no json", "", "[]", "null", "7", '"text"', HTML]


class Doubling(agl.LitAgent):
    """Returns twice the task's number; `runs` holds the numbers it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[int] = []
        self.free = threading.Event()
        self.free.set()

    def training_rollout(self, task: Any, resources: Any, rollout: Any) -> float:
        self.runs.append(task["number"])
        assert self.free.wait(60)
        return task["number"] * 2.0


def client_of(server: LegacyServer) -> agl.AgentLightningClient:
    return agl.AgentLightningClient(server.url, poll_interval=0.01, timeout=20)


async def briefly(_: float) -> None:
    """Stands for a pause."""
    await asyncio.sleep(0.005)


def hasty(store: LegacyClientStore, sleep: Any = briefly, **options: Any) -> LegacyClientStore:
    """The store, with short pauses between two deliveries."""
    source, folder = store._delivery._source, store._delivery._folder
    store._delivery = Delivery(source, folder, sleep=sleep, **options)
    return store


async def work(kind: str, server: LegacyServer, agent: Any, tasks: int) -> None:
    """Have a stack do so many tasks."""
    client, tracer = client_of(server), agl.DummyTracer()
    if kind == "legacy runner":
        exporter = agl.TracerTraceToTriplet()
        runner = agl.LegacyAgentRunner(agent, client, tracer, exporter, max_tasks=tasks)
        await asyncio.to_thread(runner.iter)
        return
    new = agl.LitAgentRunner(tracer, max_rollouts=tasks, heartbeat_interval=0)
    async with LegacyClientStore(client, patience=20) as store:
        with new.run_context(agent=agent, store=store):
            await new.iter()


def rewards(server: LegacyServer) -> dict[str, float | None]:
    """What the server has, once it is certain that each task was posted once."""
    posted = [report["rollout_id"] for report in server.reports]
    assert sorted(posted) == sorted(set(posted)), "a result was posted twice"
    return {key: report["final_reward"] for key, report in server.results.items()}
