"""What a server tells Prometheus."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agentlightning_compat.errors import StoreUnavailableError
from agentlightning_compat.http.app import StoreApp
from agentlightning_compat.http.metrics import PATHS, Metered
from agentlightning_compat.http.wire import OPERATIONS, PREFIX
from agentlightning_compat.store.memory import InMemoryLightningStore
from tests.http.asked import ask
from tests.http.serving import serving

PATH = "/v1/prometheus"
ENQUEUE = f"{PREFIX}/queues/rollouts/enqueue"


@pytest.fixture
def store():
    return InMemoryLightningStore()


@pytest.fixture
def metered(store):
    app = StoreApp(store)
    return Metered(app, app)


async def samples(app, headers=()):
    """The numbers by name and labels."""
    answer = await ask(app, "GET", PATH, headers=headers)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


async def test_requests_are_counted_by_operation_and_status(metered):
    for number in range(3):
        await ask(metered, "POST", ENQUEUE, {"rollouts": [{"input": number}]})
    await ask(metered, "POST", ENQUEUE, {"rollouts": 1})
    for name in ("ro-1", "ro-2"):
        await ask(metered, "GET", f"{PREFIX}/rollouts/{name}")
    found = await samples(metered)
    assert found["agl_http_total", "POST", ENQUEUE, "201"] == 3
    assert found["agl_http_total", "POST", ENQUEUE, "400"] == 1
    assert found["agl_http_total", "GET", f"{PREFIX}/rollouts/{{rollout_id}}", "200"] == 2
    assert found["agl_http_latency_count", "POST", ENQUEUE, "201"] == 3
    assert found["agl_http_latency_bucket", "+Inf", "POST", ENQUEUE, "201"] == 3
    assert found["agl_http_latency_sum", "POST", ENQUEUE, "201"] > 0


async def test_whatever_is_asked_for_there_are_only_so_many_numbers(metered):
    for number in range(50):
        await ask(metered, "GET", f"/nothing/{number}")
        await ask(metered, "GET", f"{PREFIX}/nothing/{number}")
        await ask(metered, f"VERB{number}", f"{PREFIX}/rollouts")
        await ask(metered, "GET", f"{PREFIX}/workers/{number}")
    found = await samples(metered)
    paths = {key[2] for key in found if key[0] == "agl_http_total"}
    assert paths == {"other", f"{PREFIX}/workers/{{worker_id}}"}
    assert {key[1] for key in found if key[0] == "agl_http_total"} == {"GET", "other"}


async def test_what_is_in_the_store(metered, store):
    for number in range(3):
        await store.enqueue_rollout(number)
    claimed = await store.dequeue_rollout("w")
    await store.update_attempt(claimed.rollout_id, "latest", status="succeeded")
    found = await samples(metered)
    assert (found["agl_rollouts", "queuing"], found["agl_rollouts", "succeeded"]) == (2, 1)
    assert found["agl_rollouts", "failed"] == 0
    assert (found["agl_attempts",], found["agl_workers",], found["agl_spans",]) == (1, 1, 0)
    assert found["agl_store_up",] == 1


async def test_a_store_that_fails_is_told_and_the_rest_still_is(metered, store, monkeypatch):
    assert ("agl_rollouts", "queuing") in await samples(metered)

    async def failing():
        raise StoreUnavailableError("away")

    monkeypatch.setattr(store, "statistics", failing)
    found = await samples(metered)
    assert found["agl_store_up",] == 0
    assert ("agl_rollouts", "queuing") not in found
    assert ("agl_http_held",) in found


async def test_those_who_wait_are_counted(store):
    app = StoreApp(store)
    metered = Metered(app, app)
    never = asyncio.Event()

    async def asked(body):
        sent = iter([{"type": "http.request", "body": json.dumps(body).encode()}])

        async def receive():
            message = next(sent, None)
            if message is None:
                await never.wait()
            return message

        async def send(message):
            pass

        path = f"{PREFIX}/queues/rollouts/dequeue"
        scope = {"type": "http", "method": "POST", "path": path, "headers": []}
        await metered(scope, receive, send)

    waiting = asyncio.ensure_future(asked({"wait": 60}))
    while not store._signals._claimants:
        await asyncio.sleep(0.005)
    assert (await samples(metered))["agl_http_held",] == 1
    app.drop_held()
    await waiting
    found = await samples(metered)
    assert found["agl_http_held",] == 0
    assert found["agl_http_total", "POST", f"{PREFIX}/queues/rollouts/dequeue", "503"] == 1


async def test_they_want_the_token(store):
    app = StoreApp(store, token="secret")
    metered = Metered(app, app)
    for path in PATHS:
        assert (await ask(metered, "GET", path)).status == 401
    assert await samples(metered, headers=[("authorization", b"Bearer secret")])


async def test_they_are_only_read(metered):
    refused = await ask(metered, "POST", PATH)
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")


def read(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.status, answer.read().decode()


def test_a_server_tells_them_when_asked_to(store):
    with serving(store, prometheus=True) as server:
        read(f"{server.endpoint}{PREFIX}/health")
        for path in PATHS:
            status, text = read(server.endpoint + path)
            assert status == 200
            assert f'agl_http_total{{method="GET",path="{PREFIX}/health",status="200"}} 1.0' in text


def test_a_server_keeps_them_to_itself_otherwise(store):
    with serving(store) as server, pytest.raises(urllib.error.HTTPError) as refused:
        read(server.endpoint + PATH)
    with refused.value as answer:
        assert answer.code == 404


def test_nothing_is_imported_for_them_otherwise():
    program = """
import asyncio, sys
from agentlightning_compat import InMemoryLightningStore, LightningStoreServer
async def main():
    async with LightningStoreServer(InMemoryLightningStore(), port=0):
        pass
asyncio.run(main())
assert "prometheus_client" not in sys.modules
assert "agentlightning_compat.http.metrics" not in sys.modules
assert "agentlightning_compat.http.openapi" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


async def test_every_operation_has_a_place_of_its_own(metered):
    for row in OPERATIONS:
        path = PREFIX + row.path.format(
            rollout_id="x", attempt_id="x", worker_id="x", resources_id="x"
        )
        await ask(metered, row.verb, path)
    found = await samples(metered)
    told = {(key[1], key[2]) for key in found if key[0] == "agl_http_total"}
    assert told == {(row.verb, PREFIX + row.path) for row in OPERATIONS}
