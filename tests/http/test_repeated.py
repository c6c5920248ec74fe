"""Requests that are sent again to a server that never heard of them: one that was restarted, or
another one over the same store."""

from __future__ import annotations

import asyncio
import json
import uuid

import pytest

from agentlightning_compat import InMemoryLightningStore, SqliteLightningStore, open_store
from agentlightning_compat.http.app import StoreApp
from tests.http.asked import ask
from tests.store import database

ENQUEUE = "/v1/agl/queues/rollouts/enqueue"
CLAIM = "/v1/agl/queues/rollouts/dequeue"
THREE = {"rollouts": [{"input": n} for n in range(3)]}


def postgres(_):
    url = database.shared()
    database.empty(url)
    return open_store(url)


STORES = {
    "memory": lambda _: InMemoryLightningStore(),
    "sqlite": lambda folder: SqliteLightningStore(folder / "store.db"),
    "postgres": postgres,
}


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    made = STORES[request.param](tmp_path)
    yield made
    asyncio.run(made.close())


async def told(store, path, body, key, *, again=True):
    """What a server answers that knows no keys yet."""
    headers = [("idempotency-key", key.encode())]
    if again:
        headers.append(("idempotency-again", b"1"))
    answer = await ask(StoreApp(store), "POST", path, body, headers)
    assert answer.status in (200, 201), answer
    return answer.json


def new_key():
    return uuid.uuid4().hex


def ids(answer):
    return [(item["rollout_id"], item.get("attempt", {}).get("attempt_id")) for item in answer]


@pytest.mark.parametrize("again", [True, False], ids=["said to be", "not said to be"])
async def test_rollouts_are_queued_and_started_once(store, again):
    for path, body in ((ENQUEUE, THREE), ("/v1/agl/rollouts", {"input": 1, "worker_id": "w"})):
        key = new_key()
        first = await told(store, path, body, key, again=False)
        second = await told(store, path, body, key, again=again)
        assert second == first
        assert await told(store, path, body, new_key()) != first
    assert (await store.statistics())["total_rollouts"] == 8
    assert (await store.statistics())["total_attempts"] == 2


async def test_others_in_the_same_moment_are_not_harmed(store):
    key = new_key()
    await told(store, ENQUEUE, THREE, key)
    await asyncio.gather(
        *(told(store, ENQUEUE, THREE, new_key(), again=False) for _ in range(8)),
        told(store, ENQUEUE, THREE, key, again=False),
    )
    assert (await store.statistics())["total_rollouts"] == 27
    assert (await store.query_rollouts(status_in=["queuing"], limit=0)).total == 27


async def test_a_request_that_never_arrived_is_done_when_it_is_sent_again(store):
    key = new_key()
    first = await told(store, ENQUEUE, THREE, key)
    assert await told(store, ENQUEUE, THREE, key) == first
    key = new_key()
    claimed = await told(store, CLAIM, {"limit": 2}, key)
    assert [item["input"] for item in claimed] == [0, 1]


async def test_a_claim_is_told_again(store):
    await store.enqueue_many_rollouts([{"input": n} for n in range(4)])
    for worker in ("w", None):
        key = new_key()
        body = {"limit": 2, "worker_id": worker}
        first = await told(store, CLAIM, body, key)
        assert len(first) == 2
        assert ids(await told(store, CLAIM, body, key)) == ids(first)
    assert (await store.statistics())["total_attempts"] == 4
    assert await told(store, CLAIM, {}, new_key()) == []


async def test_a_claim_that_was_taken_back_is_made_anew(store):
    await store.enqueue_rollout(1)
    key = new_key()
    (first,) = await told(store, CLAIM, {}, key)
    await store.update_attempt(first["rollout_id"], first["attempt"]["attempt_id"], status="failed")
    made = await store.enqueue_rollout(2)
    (second,) = await told(store, CLAIM, {}, key)
    assert second["rollout_id"] == made.rollout_id


async def test_one_more_attempt_is_one(store):
    started = await store.start_rollout(1)
    path = f"/v1/agl/rollouts/{started.rollout_id}/attempts"
    key = new_key()
    first = await told(store, path, {}, key)
    assert ids([await told(store, path, {}, key)]) == ids([first])
    assert [a.sequence_id for a in await store.query_attempts(started.rollout_id)] == [1, 2]


async def test_resources_are_added_once(store):
    key = new_key()
    first = await told(store, "/v1/agl/resources", {}, key)
    assert await told(store, "/v1/agl/resources", {}, key) == first
    assert (await store.query_resources()).total == 1


async def test_a_claim_of_a_server_that_is_gone_can_be_given_up(store):
    made = await store.enqueue_rollout(1)
    key = new_key()
    first = await told(store, CLAIM, {}, key)
    app = StoreApp(store)
    path = f"{CLAIM}/give-up"
    answer = await ask(app, "POST", path, {"key": key, "limit": 1})
    assert ids(answer.json) == ids(first)
    assert (await ask(app, "POST", path, {"key": new_key()})).json == []
    # Whoever comes with the key now gets what was given up, and nothing new.
    await store.enqueue_rollout(2)
    late = await ask(app, "POST", CLAIM, {}, [("idempotency-key", key.encode())])
    assert [item["rollout_id"] for item in json.loads(late.body)] == [made.rollout_id]


async def test_keys_that_others_make_up_are_remembered_only_by_the_server(store):
    first = await told(store, ENQUEUE, THREE, "today")
    assert ids(await told(store, ENQUEUE, THREE, "today")) != ids(first)
