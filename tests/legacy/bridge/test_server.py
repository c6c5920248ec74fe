"""`AgentLightningServer`: legacy clients and new runners on one port."""

from __future__ import annotations

import asyncio

import pytest

import agentlightning_compat as agl
from agentlightning_compat.legacy.server import AgentLightningServer

MODEL = {"main": agl.LLM(endpoint="http://x/v1", model="m")}


class Doubling(agl.LitAgent):
    def training_rollout(self, task, resources, rollout):
        agl.emit_message("seen")
        return task["number"] * 2.0


class Failing(agl.LitAgent):
    def training_rollout(self, task, resources, rollout):
        raise ValueError("mine")


def client_of(server) -> agl.AgentLightningClient:
    return agl.AgentLightningClient(server.endpoint, poll_interval=0.01, timeout=20)


def legacy_runner(server, agent=None, **options) -> agl.LegacyAgentRunner:
    tracer = agl.DummyTracer()
    exporter = agl.TracerTraceToTriplet()
    return agl.LegacyAgentRunner(
        agent or Doubling(), client_of(server), tracer, exporter, **options
    )


@pytest.fixture
def server():
    return AgentLightningServer(port=0)


async def test_a_task_and_its_result(server):
    await server.start()
    resources_id = await server.update_resources(MODEL)
    key = await server.queue_task({"number": 4}, mode="train", metadata={"m": 1})
    assert await server.get_completed_rollout(key) is None
    client = client_of(server)
    task = await client.poll_next_task_async()
    assert (task.rollout_id, task.input, task.mode) == (key, {"number": 4}, "train")
    assert (task.metadata, task.resources_id) == ({"m": 1}, resources_id)
    assert (await client.get_latest_resources_async()).resources == MODEL
    waiting = asyncio.ensure_future(server.poll_completed_rollout(key, timeout=60))
    report = agl.RolloutLegacy(rollout_id=key, final_reward=0.5, logs=["l"], metadata={"k": [1]})
    await client.post_rollout_async(report)
    assert await waiting == report
    assert await server.get_completed_rollout(key) is None
    await server.stop()


async def test_results_of_a_fleet_are_drained_once(server):
    await server.start()
    await server.update_resources({})
    keys = [await server.queue_task({"number": n}, mode="train") for n in range(6)]
    runners = [legacy_runner(server, worker_id=n, max_tasks=3) for n in range(2)]
    await asyncio.gather(*(asyncio.to_thread(runner.iter) for runner in runners))
    taken = await server.retrieve_completed_rollouts()
    assert {r.rollout_id: r.final_reward for r in taken} == {
        key: number * 2.0 for number, key in enumerate(keys)
    }
    assert all([span["name"] for span in r.trace] == ["agentlightning.message"] for r in taken)
    assert await server.retrieve_completed_rollouts() == []
    await server.stop()


async def test_new_runners_share_the_port_and_the_queue(server):
    await server.start()
    await server.update_resources({})
    keys = [await server.queue_task({"number": n}, mode="train") for n in range(4)]
    await asyncio.to_thread(legacy_runner(server, max_tasks=2).iter)
    new = agl.LitAgentRunner(agl.DummyTracer(), max_rollouts=2, heartbeat_interval=0)
    with new.run_context(agent=Doubling(), store=agl.LightningStoreClient(server.endpoint)):
        await new.iter()
    taken = {r.rollout_id: r for r in await server.retrieve_completed_rollouts()}
    assert [taken[key].final_reward for key in keys] == [0.0, 2.0, 4.0, 6.0]
    assert taken[keys[3]].task.input == {"number": 3}
    assert taken[keys[3]].logs == ["seen"]
    await server.stop()


async def test_an_agent_that_fails_is_completed_without_a_reward(server):
    await server.start()
    await server.update_resources({})
    key = await server.queue_task({"number": 1}, mode="train")
    await asyncio.to_thread(legacy_runner(server, Failing(), max_tasks=1).iter)
    found = await server.poll_completed_rollout(key, timeout=60)
    assert (found.final_reward, found.triplets) == (None, None)
    await server.stop()


async def test_results_for_ids_that_nobody_queued_are_kept(server):
    await server.start()
    report = agl.RolloutLegacy(rollout_id="of an older server", final_reward=1.0)
    assert (await client_of(server).post_rollout_async(report))["status"] == "ok"
    assert await server.retrieve_completed_rollouts() == [report]
    await server.stop()


async def test_nothing_works_before_the_start_and_after_the_stop(server):
    calls = [
        lambda: server.queue_task(1),
        lambda: server.update_resources({}),
        lambda: server.get_completed_rollout("x"),
        lambda: server.poll_completed_rollout("x"),
        server.retrieve_completed_rollouts,
    ]
    for _ in range(2):
        for call in calls:
            with pytest.raises(RuntimeError, match="does not run"):
                await call()
        assert not server.startup_event.is_set()
        assert server.loop is None
        await server.start()
        assert server.startup_event.is_set()
        assert server.loop is asyncio.get_running_loop()
        with pytest.raises(RuntimeError, match="already"):
            await server.start()
        await server.stop()


async def test_waiting_ends_in_time(server):
    await server.start()
    key = await server.queue_task(1)
    assert await server.poll_completed_rollout(key, timeout=0.05) is None
    await server.stop()


async def test_a_store_that_is_given_outlives_it(tmp_path):
    async with agl.SqliteLightningStore(tmp_path / "store.db") as store:
        server = AgentLightningServer(port=0, store=store)
        await server.start()
        key = await server.queue_task({"number": 1})
        await server.stop()
        again = AgentLightningServer(port=0, store=store)
        await again.start()
        assert (await client_of(again).poll_next_task_async()).rollout_id == key
        await again.stop()
