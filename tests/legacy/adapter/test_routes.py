"""The legacy routes over a store."""

from __future__ import annotations

import json

import pytest

from agentlightning_compat.clock import ManualClock
from agentlightning_compat.legacy.reporting import report_rollout_async
from agentlightning_compat.legacy.routes import LegacyRoutes
from agentlightning_compat.model import LLM, ProxyLLM, RolloutConfig, Task
from agentlightning_compat.store.memory import InMemoryLightningStore


class Bridge:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = InMemoryLightningStore(clock=self.clock)
        self.routes = LegacyRoutes(self.store, 300.0)

    async def get(self, path):
        status, body = await self.routes.answer("GET", path, b"")
        return status, json.loads(json.dumps(body))

    async def task(self):
        status, body = await self.get("/task")
        assert status == 200
        assert body["is_available"] == (body["task"] is not None)
        return body["task"]

    async def post(self, **report):
        return await self.routes.answer("POST", "/rollout", json.dumps(report).encode())

    async def status(self, rollout_id):
        return (await self.store.get_rollout_by_id(rollout_id)).status


@pytest.fixture
def bridge():
    return Bridge()


async def test_a_rollout_is_a_task(bridge):
    assert await bridge.task() is None
    made = await bridge.store.enqueue_rollout(
        {"q": 1}, mode="val", resources_id="r", metadata={"k": [1]}
    )
    got = await bridge.task()
    assert Task.model_validate(got) == Task(
        rollout_id=made.rollout_id,
        input={"q": 1},
        mode="val",
        resources_id="r",
        create_time=made.start_time,
        last_claim_time=bridge.clock.now(),
        num_claims=1,
        metadata={"k": [1]},
    )
    assert await bridge.task() is None


async def test_a_result_ends_the_attempt(bridge):
    made = await bridge.store.enqueue_rollout(1)
    await bridge.task()
    span = {
        "name": "openai.chat.completion",
        "context": {"trace_id": "0x" + "a" * 32, "span_id": "0x" + "b" * 16},
        "parent_id": "0x" + "c" * 16,
        "start_time": "2025-01-01T00:00:00.000000Z",
        "end_time": "2025-01-01T00:00:01.000000Z",
        "status": {"status_code": "OK"},
        "attributes": {"gen_ai.response.id": "x"},
        "events": [{"name": "e", "timestamp": "2025-01-01T00:00:00Z", "attributes": {"k": 1}}],
    }
    status, body = await bridge.post(
        rollout_id=made.rollout_id, final_reward=0.5, trace=[span], metadata={"m": 1}
    )
    assert (status, body["status"]) == (200, "ok")
    assert await bridge.status(made.rollout_id) == "succeeded"
    spans = list(await bridge.store.query_spans(made.rollout_id))
    call = next(s for s in spans if s.name == "openai.chat.completion")
    assert (call.trace_id, call.span_id, call.parent_id) == ("a" * 32, "b" * 16, "c" * 16)
    assert call.end_time - call.start_time == 1.0
    assert [event.name for event in call.events] == ["e"]
    assert [s.attributes.get("agentlightning.reward.0.value") for s in spans if s is not call][
        -1
    ] == 0.5
    assert (await bridge.store.get_latest_attempt(made.rollout_id)).metadata == {"m": 1}


async def test_a_result_that_comes_again_counts_once(bridge):
    made = await bridge.store.enqueue_rollout(1)
    await bridge.task()
    for reward in (1.0, 2.0):
        assert (await bridge.post(rollout_id=made.rollout_id, final_reward=reward)).status == 200
    spans = await bridge.store.query_spans(made.rollout_id)
    assert [s.attributes["agentlightning.reward.0.value"] for s in spans] == [1.0]


async def test_a_result_without_anything_is_a_failure(bridge):
    made = await bridge.store.enqueue_rollout(
        1, config=RolloutConfig(max_attempts=2, retry_condition=["failed"])
    )
    await bridge.task()
    await bridge.post(rollout_id=made.rollout_id)
    assert (await bridge.task())["num_claims"] == 2
    await bridge.post(rollout_id=made.rollout_id, triplets=[])
    assert await bridge.status(made.rollout_id) == "failed"


async def test_a_task_that_is_not_reported_is_handed_out_again(bridge):
    made = await bridge.store.enqueue_rollout(1)
    await bridge.task()
    bridge.clock.advance(299)
    assert await bridge.task() is None
    bridge.clock.advance(2)
    assert (await bridge.task())["num_claims"] == 2
    bridge.clock.advance(301)
    assert (await bridge.task())["num_claims"] == 3
    await bridge.post(rollout_id=made.rollout_id, final_reward=1.0)
    assert await bridge.status(made.rollout_id) == "succeeded"
    bridge.clock.advance(301)
    assert await bridge.task() is None


async def test_a_late_result_of_a_task_that_waits_again_counts(bridge):
    made = await bridge.store.enqueue_rollout(1)
    await bridge.task()
    bridge.clock.advance(301)
    await bridge.store.statistics()
    await bridge.post(rollout_id=made.rollout_id, final_reward=1.0)
    assert await bridge.status(made.rollout_id) == "succeeded"
    assert await bridge.task() is None


async def test_limits_that_a_rollout_has_are_kept(bridge):
    config = RolloutConfig(timeout_seconds=10)
    made = await bridge.store.enqueue_rollout(1, config=config)
    await bridge.task()
    assert (await bridge.store.get_rollout_by_id(made.rollout_id)).config == config


async def test_resources(bridge):
    status, body = await bridge.get("/resources/latest")
    assert (status, "detail" in body) == (404, True)
    proxy = ProxyLLM(endpoint="http://x/v1", model="m", sampling_parameters={"t": 1})
    first = await bridge.store.add_resources({"main": proxy})
    second = await bridge.store.add_resources({})
    status, body = await bridge.get(f"/resources/{first.resources_id}")
    assert status == 200
    assert body["resources"]["main"]["resource_type"] == "llm"
    assert LLM.model_validate(body["resources"]["main"]).endpoint == "http://x/v1"
    assert (await bridge.get("/resources/latest"))[1]["resources_id"] == second.resources_id
    assert (await bridge.get("/resources/a%2Fb"))[0] == 404


@pytest.mark.parametrize(
    ("verb", "path", "body", "status"),
    [
        ("POST", "/task", b"", 405),
        ("GET", "/rollout", b"", 405),
        ("POST", "/rollout", b"{", 422),
        ("POST", "/rollout", b'{"final_reward": 1}', 422),
        ("POST", "/rollout", b'{"rollout_id": "x", "final_reward": "much"}', 422),
        ("POST", "/rollout", b'{"rollout_id": "nobody knows", "final_reward": 1}', 404),
    ],
)
async def test_what_makes_no_sense_is_refused(bridge, verb, path, body, status):
    answer = await bridge.routes.answer(verb, path, body)
    assert answer.status == status
    assert answer.body["detail"]


async def test_a_reward_that_is_no_number_is_refused_and_changes_nothing(bridge):
    made = await bridge.store.enqueue_rollout(1)
    await bridge.task()
    body = f'{{"rollout_id": "{made.rollout_id}", "final_reward": NaN}}'.encode()
    assert (await bridge.routes.answer("POST", "/rollout", body)).status in (400, 422)
    assert await bridge.status(made.rollout_id) == "preparing"
    assert (await bridge.post(rollout_id=made.rollout_id, final_reward=1.0)).status == 200


async def test_old_clients_and_new_runners_drain_one_queue(bridge):
    for number in range(4):
        await bridge.store.enqueue_rollout(number)
    for _ in range(2):
        got = await bridge.task()
        await bridge.post(rollout_id=got["rollout_id"], final_reward=float(got["input"]))
        claimed = await bridge.store.dequeue_rollout()
        await report_rollout_async(bridge.store, claimed, float(claimed.input))
    ended = await bridge.store.query_rollouts(status_in=["succeeded"])
    assert [rollout.input for rollout in ended] == [0, 1, 2, 3]
