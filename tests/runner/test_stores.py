"""The runner over every store of this package: several at once, and beating from a thread."""

from __future__ import annotations

import asyncio

import pytest

from agentlightning_compat import (
    DummyTracer,
    InMemoryLightningStore,
    LitAgent,
    PostgresLightningStore,
    SqliteLightningStore,
    emit_annotation,
)
from tests.runner.worker import runner_for, statuses, stocked, within
from tests.store import database

COUNT = 40


class Notes(LitAgent[int]):
    async def rollout_async(self, task, resources, rollout):
        emit_annotation({"n": task})
        await asyncio.sleep(0.01)
        if task == 0:
            raise ValueError("oh")
        return float(task)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def make_store(request, tmp_path):
    """Makes a store in the loop of the test."""
    if request.param == "postgres":
        address = database.shared()
        database.empty(address)
        return lambda: PostgresLightningStore(address)
    return {
        "memory": InMemoryLightningStore,
        "sqlite": lambda: SqliteLightningStore(tmp_path / "store.db"),
    }[request.param]


async def heard(store) -> None:
    """Until there was a heartbeat with a snapshot."""
    while not (await store.get_worker_by_id("Worker-0")).heartbeat_stats:
        await asyncio.sleep(0.01)


async def test_all_is_in_the_store(make_store):
    async with make_store() as store:
        _, rollouts = await stocked(COUNT, store)
        runner = runner_for(
            Notes(),
            store,
            tracer=DummyTracer(),
            max_rollouts=COUNT,
            concurrency=16,
            heartbeat_interval=0.02,
            interval_jitter=0.0,
        )
        await within(runner.iter())
        await within(heard(store))
        runner.teardown_worker(0)
        assert await statuses(store) == ["failed"] + ["succeeded"] * (COUNT - 1)
        failed, *others = rollouts
        attempt = await store.get_latest_attempt(failed.rollout_id)
        assert attempt.metadata == {"failure": "ValueError: oh"}
        for rollout in others:
            note, reward = await store.query_spans(rollout.rollout_id)
            assert note.attributes == {"n": rollout.input}
            assert reward.attributes["agentlightning.reward.0.value"] == rollout.input
        assert (await store.get_worker_by_id("Worker-0")).status == "idle"
        runner.teardown()
