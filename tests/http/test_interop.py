"""Our runner on the server of the real 0.3.0: many rollouts at once."""

from __future__ import annotations

import asyncio
import threading

import pytest

import agentlightning_compat as agl
from agentlightning_compat.errors import NotFoundError

pytestmark = pytest.mark.oracle

SAFETY = 60.0
AT_ONCE = 8
ROUNDS = 3


@pytest.fixture
def url(real_peer):
    real_peer.wheel.reset()
    return real_peer.url


class Sync(agl.LitAgent):
    """Its rollouts go on when there are eight of them."""

    def __init__(self) -> None:
        super().__init__()
        self.together = threading.Barrier(AT_ONCE, timeout=SAFETY)

    def rollout(self, task, resources, rollout):
        agl.emit_message(f"before {task}")
        self.together.wait()
        agl.emit_message(f"after {task}")
        if task == 0:
            raise LookupError("not this one")
        return float(task)


class Async(agl.LitAgent):
    def __init__(self) -> None:
        super().__init__()
        self.here = 0
        self.opened = asyncio.Event()

    async def rollout_async(self, task, resources, rollout):
        agl.emit_message(f"before {task}")
        opened = self.opened
        self.here += 1
        if self.here % AT_ONCE == 0:
            self.opened.set()
            self.opened = asyncio.Event()
        await asyncio.wait_for(opened.wait(), SAFETY)
        agl.emit_message(f"after {task}")
        if task == 0:
            raise LookupError("not this one")
        return float(task)


class Counting(agl.Hook):
    def __init__(self) -> None:
        self.spans = {}

    async def on_rollout_end(self, *, agent, runner, rollout, spans):
        self.spans[rollout.input] = len(spans)


async def run(url, agent, tracer):
    """All tasks, done by one runner: the store, and how many spans the hook saw."""
    store = agl.LightningStoreClient(url)
    await store.add_resources({})
    tasks = range(AT_ONCE * ROUNDS)
    await store.enqueue_many_rollouts([agl.EnqueueRolloutRequest(input=task) for task in tasks])
    runner = agl.LitAgentRunner(
        tracer, max_rollouts=len(tasks), concurrency=AT_ONCE, heartbeat_interval=0.2
    )
    hook = Counting()
    with runner.run_context(agent=agent, store=store, hooks=[hook], worker_id=5):
        await asyncio.wait_for(runner.iter(), 2 * SAFETY)
        worker = await store.get_worker_by_id("Worker-5")
        while not worker.heartbeat_stats:
            await asyncio.sleep(0.02)
            worker = await store.get_worker_by_id("Worker-5")
    assert worker.heartbeat_stats["host"]
    return store, hook.spans


@pytest.mark.parametrize("tracer", ["DummyTracer", "OtelTracer"])
@pytest.mark.parametrize("agent", [Sync, Async])
async def test_eight_rollouts_at_once_on_the_real_server(url, agent, tracer):
    store, counted = await run(url, agent(), getattr(agl, tracer)())
    rollouts = (await store.query_rollouts(sort_by="start_time")).items
    assert sorted(rollout.input for rollout in rollouts) == list(range(AT_ONCE * ROUNDS))
    assert {rollout.input for rollout in rollouts if rollout.status != "succeeded"} == {0}
    assert next(one for one in rollouts if one.input == 0).attempt.metadata["failure"]
    for rollout in rollouts:
        spans = await store.query_spans(rollout.rollout_id, "latest")
        said = [agl.get_message_value(span) for span in spans]
        assert [text for text in said if text] == [
            f"before {rollout.input}",
            f"after {rollout.input}",
        ]
        expected = None if rollout.input == 0 else float(rollout.input)
        assert agl.find_final_reward(spans.items) == expected
        assert counted[rollout.input] == len(spans)


async def test_our_client_waits_on_a_server_that_holds_no_requests(url):
    client = agl.LightningStoreClient(url)
    claiming = asyncio.create_task(client.dequeue_rollout("w", wait=SAFETY))
    await asyncio.sleep(0)
    made = await client.enqueue_rollout("task")
    claimed = await claiming
    assert claimed.rollout_id == made.rollout_id
    waiting = asyncio.create_task(
        client.wait_for_rollouts(rollout_ids=[made.rollout_id], timeout=SAFETY)
    )
    await client.update_attempt(made.rollout_id, claimed.attempt.attempt_id, status="succeeded")
    (done,) = await waiting
    assert done.status == "succeeded"


async def test_our_client_tells_absent_from_failed_on_the_real_server(url):
    client = agl.LightningStoreClient(url, retry_delays=())
    assert await client.get_rollout_by_id("ro-nobody") is None
    assert await client.dequeue_rollout() is None
    with pytest.raises(NotFoundError):
        await client.update_rollout("ro-nobody", status="running")
