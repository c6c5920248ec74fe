"""The real 0.3.0 and ours on the two sides of the wire, each in a process of its own."""

from __future__ import annotations

import asyncio

import pytest

from agentlightning_compat import InMemoryLightningStore, LightningStoreClient, Span
from agentlightning_compat.errors import NotFoundError, RolloutNotFoundError
from agentlightning_compat.http.server import LightningStoreServer
from agentlightning_compat.model import OtelResource, RolloutConfig, TraceStatus
from tests.oracles import run_in_oracle

pytestmark = pytest.mark.oracle


def span_of(rollout, name):
    return Span(
        rollout_id=rollout.rollout_id,
        attempt_id=rollout.attempt.attempt_id,
        sequence_id=5,
        trace_id="1" * 32,
        span_id=name.rjust(16, "0"),
        parent_id=None,
        name=name,
        status=TraceStatus(status_code="OK"),
        attributes={"a": 1},
        events=[],
        links=[],
        start_time=1.0,
        end_time=2.0,
        context=None,
        parent=None,
        resource=OtelResource(attributes={}, schema_url=""),
    )


REAL_CLIENT = """
import asyncio, json, sys
from agentlightning import LightningStoreClient, Span
from agentlightning.types import EnqueueRolloutRequest, LLM, OtelResource, RolloutConfig, TraceStatus

async def main(url):
    client = LightningStoreClient(url)
    said = {}
    resources = await client.add_resources({"llm": LLM(endpoint="http://x", model="m")})
    said["latest"] = (await client.get_latest_resources()).resources_id == resources.resources_id
    await client.update_resources("mine", {"llm": LLM(endpoint="http://y", model="m")})
    said["mine"] = (await client.get_resources_by_id("mine")).resources["llm"].endpoint
    said["resource page"] = (await client.query_resources(sort_by="version")).total
    requests = [EnqueueRolloutRequest(input=n, config=RolloutConfig(max_attempts=2)) for n in (1, 2)]
    made = await client.enqueue_many_rollouts(requests)
    said["made"] = [item.input for item in made]
    claimed = await client.dequeue_rollout(worker_id="w")
    said["claimed"] = claimed.input
    said["numbers"] = [
        await client.get_next_span_sequence_id(claimed.rollout_id, claimed.attempt.attempt_id)
        for _ in range(2)
    ]
    span = Span.from_attributes(
        attributes={"a": 1}, name="s", rollout_id=claimed.rollout_id,
        attempt_id=claimed.attempt.attempt_id, sequence_id=3,
    )
    said["stored"] = (await client.add_span(span)).name
    said["again"] = await client.add_span(span)
    said["spans"] = [item.name for item in await client.query_spans(claimed.rollout_id, "latest")]
    said["running"] = (await client.get_rollout_by_id(claimed.rollout_id)).status
    said["unknown"] = await client.get_rollout_by_id("ro-nobody")
    await client.update_attempt(claimed.rollout_id, "latest", status="succeeded")
    done = await client.wait_for_rollouts(rollout_ids=[claimed.rollout_id], timeout=0.05)
    said["done"] = [item.status for item in done]
    said["attempts"] = (await client.query_attempts(claimed.rollout_id)).total
    await client.update_worker("w", {"cpu": 1})
    said["worker"] = (await client.get_worker_by_id("w")).heartbeat_stats
    said["queued"] = (await client.query_rollouts(status_in=["queuing"])).total
    said["totals"] = (await client.statistics())["total_rollouts"]
    await client.close()
    return said

answer(asyncio.run(main(json.load(sys.stdin))))
"""


def test_the_real_client_on_our_server():
    server = LightningStoreServer(InMemoryLightningStore(), port=0)
    asyncio.run(server.start())
    try:
        said = run_in_oracle("0.3.0", REAL_CLIENT, server.endpoint)
    finally:
        asyncio.run(server.stop())
    assert said == {
        "latest": True,
        "mine": "http://y",
        "resource page": 2,
        "made": [1, 2],
        "claimed": 1,
        "numbers": [1, 2],
        "stored": "s",
        "again": None,
        "spans": ["s"],
        "running": "running",
        "unknown": None,
        "done": ["succeeded"],
        "attempts": 1,
        "worker": {"cpu": 1},
        "queued": 1,
        "totals": 2,
    }


REAL_RUNNER = """
import asyncio, json, sys
import agentlightning as agl

class Agent(agl.LitAgent):
    def rollout(self, task, resources, rollout):
        agl.emit_message(f"did {task}")
        return float(task)

async def main(url):
    runner = agl.LitAgentRunner(agl.OtelTracer(), max_rollouts=3, poll_interval=0.1)
    store = agl.LightningStoreClient(url)
    with runner.run_context(agent=Agent(), store=store):
        await runner.iter()
    await store.close()
    return True

answer(asyncio.run(main(json.load(sys.stdin))))
"""


def test_the_real_runner_on_our_server():
    store = InMemoryLightningStore()
    server = LightningStoreServer(store, port=0)

    async def prepare():
        await store.add_resources({})
        for number in (1, 2, 3):
            await store.enqueue_rollout(number)
        await server.start()

    asyncio.run(prepare())
    try:
        run_in_oracle("0.3.0", REAL_RUNNER, server.endpoint)
    finally:
        asyncio.run(server.stop())

    async def found():
        rollouts = await store.query_rollouts()
        return [
            (item.input, item.status, [s.name for s in await store.query_spans(item.rollout_id)])
            for item in rollouts
        ]

    spans = ["agentlightning.message", "agentlightning.annotation"]
    assert asyncio.run(found()) == [(number, "succeeded", spans) for number in (1, 2, 3)]


@pytest.fixture
def real_server(real_peer):
    real_peer.wheel.reset()
    return real_peer.url


async def test_our_client_on_the_real_server(real_server):
    client = LightningStoreClient(real_server)
    made = await client.enqueue_rollout("task", config=RolloutConfig(max_attempts=2))
    assert (made.input, made.config.max_attempts) == ("task", 2)
    claimed = await client.dequeue_rollout("w", wait=5)
    assert claimed.rollout_id == made.rollout_id
    pair = (claimed.rollout_id, claimed.attempt.attempt_id)
    assert await client.get_many_span_sequence_ids([pair, pair]) == [1, 2]
    spans = [span_of(claimed, name) for name in ("a", "b")]
    assert [span.name for span in await client.add_many_spans(spans)] == ["a", "b"]
    assert await client.add_many_spans(spans) == []
    stored = await client.query_spans(claimed.rollout_id, name_contains="b")
    assert ([span.name for span in stored], stored.total) == (["b"], 1)
    assert (await client.get_rollout_by_id(claimed.rollout_id)).attempt.status == "running"
    await client.update_attempt(*pair, status="succeeded")
    (done,) = await client.wait_for_rollouts(rollout_ids=[claimed.rollout_id], timeout=30)
    assert done.status == "succeeded"


async def test_our_client_tells_absent_from_failed_on_the_real_server(real_server):
    client = LightningStoreClient(real_server, retry_delays=())
    assert await client.get_rollout_by_id("ro-nobody") is None
    assert await client.dequeue_rollout() is None
    with pytest.raises((NotFoundError, RolloutNotFoundError)):
        await client.update_rollout("ro-nobody", status="running")
