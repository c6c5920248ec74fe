"""The store server: what it answers to whom."""

from __future__ import annotations

import asyncio
import json
import pickle
import socket
import threading
import urllib.error
import urllib.request

import pytest

from agentlightning_compat.errors import (
    InvalidRequestError,
    RolloutNotFoundError,
    StoreUnavailableError,
    UnauthorizedError,
    UnstorableValueError,
    UnsupportedError,
)
from agentlightning_compat.http.app import StoreApp
from agentlightning_compat.http.client import LightningStoreClient
from agentlightning_compat.http.launching import bound
from agentlightning_compat.http.limits import Limits
from agentlightning_compat.http.server import LightningStoreServer
from agentlightning_compat.store.base import LightningStore
from agentlightning_compat.store.memory import InMemoryLightningStore


def call(server, verb, path, body=None, **headers):
    """What a plain HTTP client is told: status and JSON."""
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        server.endpoint + path, data=data, method=verb, headers={**headers}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


@pytest.fixture
def store():
    return InMemoryLightningStore()


@pytest.fixture
def server(store):
    made = LightningStoreServer(store, port=0)
    asyncio.run(made.start())
    yield made
    asyncio.run(made.stop())


def test_health_says_what_it_can(server):
    status, body = call(server, "GET", "/v1/agl/health")
    assert (status, body["status"]) == (200, "ok")
    assert "spans" in body["features"]


def test_a_rollout_from_the_queue_to_its_end(server):
    status, made = call(
        server, "POST", "/v1/agl/queues/rollouts/enqueue", {"rollouts": [{"input": 1}]}
    )
    assert (status, made[0]["status"]) == (201, "queuing")
    status, claimed = call(server, "POST", "/v1/agl/queues/rollouts/dequeue")
    assert (status, len(claimed)) == (200, 1)
    path = f"/v1/agl/rollouts/{made[0]['rollout_id']}"
    status, attempt = call(server, "POST", f"{path}/attempts/latest", {"status": "succeeded"})
    assert (status, attempt["status"]) == (200, "succeeded")
    assert call(server, "GET", path)[1]["status"] == "succeeded"
    assert call(server, "GET", f"{path}/attempts/latest")[1]["attempt_id"] == attempt["attempt_id"]


def test_queries_by_address_and_by_body(server, store):
    for number in range(5):
        asyncio.run(store.enqueue_rollout(number))
    query = "?status_in=queuing&status_in=running&limit=2&offset=1&sort_by=start_time"
    status, page = call(server, "GET", f"/v1/agl/rollouts{query}")
    assert (status, page["total"], page["limit"], page["offset"]) == (200, 5, 2, 1)
    assert [item["input"] for item in page["items"]] == [1, 2]
    status, page = call(server, "POST", "/v1/agl/rollouts/search", {"status_in": []})
    assert (status, page["total"]) == (200, 0)


@pytest.mark.parametrize(
    ("verb", "path", "body", "status"),
    [
        ("GET", "/v1/agl/nothing", None, 404),
        ("GET", "/nothing", None, 404),
        ("GET", "/v1/agl/queues/rollouts/enqueue", None, 405),
        ("DELETE", "/v1/agl/rollouts/x", None, 405),
        ("POST", "/v1/agl/rollouts", b"{", 400),
        ("POST", "/v1/agl/rollouts", b"[]", 400),
        ("POST", "/v1/agl/rollouts", b"[" * 100_000, 400),
        ("POST", "/v1/agl/rollouts", {}, 400),
        ("POST", "/v1/agl/queues/rollouts/enqueue", {"rollouts": 5}, 400),
        ("POST", "/v1/agl/queues/rollouts/enqueue", {"rollouts": [{}]}, 422),
        ("POST", "/v1/agl/rollouts/x", {"status": None}, 400),
        ("POST", "/v1/agl/rollouts/x", {"status": "running"}, 404),
        ("POST", "/v1/agl/spans", {"name": "x"}, 422),
        ("GET", "/v1/agl/spans", None, 400),
        ("GET", "/v1/agl/rollouts?sort_by=nonsense", None, 400),
        ("GET", "/v1/agl/rollouts?limit=many", None, 400),
        ("GET", "/v1/agl/rollouts?offset=-1", None, 400),
        ("POST", "/v1/agl/spans/next", {"keys": [1]}, 400),
        ("POST", "/v1/agl/waits/rollouts", {"rollout_ids": "x", "timeout": 0}, 400),
        ("POST", "/v1/agl/workers/w", {"heartbeat_stats": None}, 400),
    ],
)
def test_what_makes_no_sense_is_refused(server, verb, path, body, status):
    found, said = call(server, verb, path, body)
    assert (found, bool(said["detail"])) == (status, True)
    assert "Traceback" not in json.dumps(said)


def test_ids_with_anything_in_them(server, store):
    odd = "a/b c?d#e%f\u00e9"
    asyncio.run(store.update_resources(odd, {}))
    client = LightningStoreClient(server.endpoint)
    assert asyncio.run(client.get_resources_by_id(odd)).resources_id == odd
    asyncio.run(client.update_worker(odd))
    assert asyncio.run(store.get_worker_by_id(odd)).worker_id == odd


def test_a_request_that_is_sent_again_acts_once(server, store):
    key = {"Idempotency-Key": "one"}
    body = {"rollouts": [{"input": 1}]}
    path = "/v1/agl/queues/rollouts/enqueue"
    first = call(server, "POST", path, body, **key)
    assert call(server, "POST", path, body, **key) == first
    assert call(server, "POST", path, body)[1] != first[1]
    assert asyncio.run(store.statistics())["total_rollouts"] == 2


def test_a_key_stands_for_one_request(server, store):
    path = "/v1/agl/queues/rollouts/enqueue"
    body = {"rollouts": [{"input": 1}]}
    assert call(server, "POST", path, body, **{"Idempotency-Key": "k"})[0] == 201
    for other, sent in ((path, {"rollouts": [{"input": 2}]}), ("/v1/agl/rollouts", {"input": 1})):
        status, said = call(server, "POST", other, sent, **{"Idempotency-Key": "k"})
        assert (status, said["code"]) == (400, "invalid_request")
    assert asyncio.run(store.statistics())["total_rollouts"] == 1


def test_a_claim_that_was_given_up_gives_its_key_to_nothing_else(server, store):
    asyncio.run(store.enqueue_rollout(1))
    given_up = "/v1/agl/queues/rollouts/dequeue/give-up"
    assert call(server, "POST", given_up, {"key": "k"}) == (200, [])
    key = {"Idempotency-Key": "k"}
    assert call(server, "POST", "/v1/agl/queues/rollouts/dequeue", {}, **key) == (200, [])
    assert call(server, "POST", "/v1/agl/rollouts", {"input": 1}, **key)[0] == 400
    assert asyncio.run(store.query_rollouts(status_in=["queuing"])).total == 1


def test_keys_are_not_remembered_whatever_their_length(server, store):
    path = "/v1/agl/queues/rollouts/enqueue"
    body = {"rollouts": [{"input": 1}]}
    assert call(server, "POST", path, body, **{"Idempotency-Key": "k" * 201})[0] == 400
    assert asyncio.run(store.statistics())["total_rollouts"] == 0
    assert call(server, "POST", path, body, **{"Idempotency-Key": "k" * 200})[0] == 201


@pytest.mark.parametrize("empty", ["/workers/", "/resources/", "/rollouts/"])
def test_nothing_has_no_name(server, store, empty):
    assert call(server, "POST", f"/v1/agl{empty}", {})[0] == 404
    assert asyncio.run(store.statistics())["total_workers"] == 0


@pytest.mark.parametrize("quoted", ["%ff", "%ed%a0", "a%c3"])
def test_names_are_utf_8(server, quoted):
    status, said = call(server, "GET", f"/v1/agl/workers/{quoted}")
    assert (status, said["code"]) == (400, "invalid_request")
    assert call(server, "GET", f"/v1/agl/rollouts?rollout_id_contains={quoted}")[0] == 400


async def test_those_who_ask_at_once_with_one_key_get_one_answer(server, store):
    key = {"Idempotency-Key": "two"}
    path = "/v1/agl/queues/rollouts/enqueue"
    asked = [
        asyncio.to_thread(call, server, "POST", path, {"rollouts": [{"input": 1}]}, **key)
        for _ in range(8)
    ]
    answers = await asyncio.gather(*asked)
    assert all(answer == answers[0] for answer in answers)
    assert (await store.statistics())["total_rollouts"] == 1


async def test_a_claim_is_held_until_there_is_something(server, store):
    client = LightningStoreClient(server.endpoint)
    waiting = asyncio.ensure_future(client.dequeue_rollout("w", wait=60))
    while not store._signals._claimants:
        await asyncio.sleep(0.005)
    await store.enqueue_rollout("work")
    assert (await waiting).input == "work"


async def test_a_claimant_that_goes_takes_nothing_along(server, store):
    client = LightningStoreClient(server.endpoint)
    waiting = asyncio.ensure_future(client.dequeue_rollout("w", wait=60))
    while not store._signals._claimants:
        await asyncio.sleep(0.005)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    while store._signals._claimants:
        await asyncio.sleep(0.005)
    await store.enqueue_rollout("work")
    assert (await store.dequeue_rollout()).attempt.sequence_id == 1


async def test_errors_are_those_of_the_store(server):
    client = LightningStoreClient(server.endpoint)
    with pytest.raises(RolloutNotFoundError):
        await client.update_rollout("nobody", status="running")
    with pytest.raises(InvalidRequestError):
        await client.query_rollouts(sort_by="nonsense")
    with pytest.raises(UnstorableValueError):
        await client.enqueue_rollout(object())


async def test_a_server_that_is_away_is_no_answer():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = LightningStoreClient(url, retry_delays=(0.01,))
        for asked in (
            client.dequeue_rollout(),
            client.get_rollout_by_id("x"),
            client.get_latest_resources(),
            client.enqueue_rollout(1),
        ):
            with pytest.raises(StoreUnavailableError):
                await asked


async def test_a_server_that_comes_back_is_found_again(store):
    server = LightningStoreServer(store, port=0)
    await server.start()
    client = LightningStoreClient(server.endpoint, retry_delays=(0.05,) * 400)
    await client.enqueue_rollout(1)
    await server.stop()
    asked = asyncio.ensure_future(client.enqueue_rollout(2))
    again = LightningStoreServer(store, port=int(server.endpoint.rpartition(":")[2]))
    await again.start()
    try:
        assert (await asked).input == 2
        assert (await client.statistics())["total_rollouts"] == 2
    finally:
        await again.stop()


def test_a_token_keeps_others_out(store):
    server = LightningStoreServer(store, port=0, token="secret")
    asyncio.run(server.start())
    try:
        assert call(server, "GET", "/v1/agl/health")[0] == 200
        assert call(server, "GET", "/v1/agl/statistics")[0] == 401
        wrong = {"Authorization": "Bearer secrets"}
        assert call(server, "GET", "/v1/agl/statistics", **wrong)[0] == 401
        right = {"Authorization": "Bearer secret"}
        assert call(server, "GET", "/v1/agl/statistics", **right)[0] == 200
        client = LightningStoreClient(server.endpoint, token="secret")
        assert asyncio.run(client.query_rollouts()).total == 0
        stranger = LightningStoreClient(server.endpoint)
        with pytest.raises(UnauthorizedError, match="token"):
            asyncio.run(stranger.query_rollouts())
    finally:
        asyncio.run(server.stop())


def test_the_token_may_come_from_the_environment(store, monkeypatch):
    monkeypatch.setenv("AGL_SERVER_TOKEN", "secret")
    LightningStoreServer(store, host="0.0.0.0")


@pytest.mark.parametrize("token", ["a\r\nx: y", "two words", "gr\xfcn"])
def test_a_token_is_no_more_than_that(store, token):
    with pytest.raises(InvalidRequestError, match="ASCII"):
        LightningStoreServer(store, token=token)
    with pytest.raises(InvalidRequestError, match="ASCII"):
        LightningStoreClient("http://127.0.0.1:1", token=token)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:4747", "ftp://host", "http://", "http://host:99999", "http://host:x"]
)
def test_what_is_no_address_is_said_at_once(address):
    with pytest.raises(InvalidRequestError, match="is no URL"):
        LightningStoreClient(address)


def test_others_are_not_let_in_by_accident(store, monkeypatch):
    monkeypatch.setenv("AGL_SERVER_TOKEN", "")
    for host in ("0.0.0.0", "192.0.2.1", "example.org"):
        with pytest.raises(InvalidRequestError, match="token"):
            LightningStoreServer(store, host=host)
    LightningStoreServer(store, host="0.0.0.0", insecure=True)
    LightningStoreServer(store, host="localhost")
    LightningStoreServer(store, host="::1")


def test_what_cannot_be_is_refused(store):
    with pytest.raises(UnsupportedError, match="PostgreSQL"):
        LightningStoreServer(store, launch_mode="mp")
    with pytest.raises(InvalidRequestError, match="origins"):
        LightningStoreServer(store, cors_allow_origins="example.org")
    with pytest.raises(InvalidRequestError, match="async safe"):
        LightningStoreServer(LightningStore())


async def test_a_port_that_is_taken_is_said(store, server):
    port = int(server.endpoint.rpartition(":")[2])
    with pytest.raises(OSError, match=rf"cannot listen on 127\.0\.0\.1:{port}"):
        await LightningStoreServer(store, port=port).start()
    with pytest.raises(RuntimeError, match="already"):
        await server.start()


def test_a_pickled_server_is_its_client(server, store):
    copy = pickle.loads(pickle.dumps(server))
    asyncio.run(copy.enqueue_rollout(1))
    assert asyncio.run(store.statistics())["total_rollouts"] == 1
    again = pickle.loads(pickle.dumps(copy))
    assert again.server_address == copy.server_address


async def test_the_server_is_the_store(server, store):
    made = await server.enqueue_rollout(1)
    assert (await store.get_rollout_by_id(made.rollout_id)).input == 1
    assert (await server.dequeue_rollout(wait=5)).rollout_id == made.rollout_id
    assert await server.wait_for_rollouts(rollout_ids=[made.rollout_id], timeout=0) == []


class Plain(LightningStore):
    """A store of a user's: public methods only, and for one thread only."""

    def __init__(self):
        self.inner = InMemoryLightningStore()
        self.threads = set()

    @property
    def capabilities(self):
        return {"async_safe": True, "thread_safe": False}

    def __getattribute__(self, name):
        if name in ("enqueue_many_rollouts", "dequeue_many_rollouts", "wait_for_rollouts"):
            self.threads.add(threading.current_thread().name)
            return getattr(self.inner, name)
        return super().__getattribute__(name)


async def test_a_store_with_public_methods_only_is_served_in_one_thread():
    plain = Plain()
    server = LightningStoreServer(plain, port=0)
    await server.start()
    try:
        client = LightningStoreClient(server.endpoint)
        made = await client.enqueue_rollout(1)
        assert (await server.dequeue_rollout()).rollout_id == made.rollout_id
        assert await server.wait_for_rollouts(rollout_ids=[made.rollout_id], timeout=0) == []
        assert plain.threads == {"store-server"}
    finally:
        await server.stop()


async def test_it_is_plain_asgi(store):
    sent = []
    app = StoreApp(store, limits=Limits(body=10))

    async def receive():
        return {"type": "http.request", "body": b"x" * 11}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/agl/rollouts", "headers": []}
    await app(scope, receive, send)
    assert sent[0]["status"] == 413


def test_answers_are_sent_at_once():
    with bound("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        listening.setblocking(True)
        accepted, _ = listening.accept()
        with accepted:
            # What asyncio looks at before it sets TCP_NODELAY.
            assert accepted.proto == socket.IPPROTO_TCP


async def test_a_request_that_is_cut_short_does_nothing(store):
    await store.enqueue_rollout(1)
    sent = []
    messages = iter(
        [{"type": "http.request", "body": b"", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive():
        return next(messages)

    async def send(message):
        sent.append(message)

    path = "/v1/agl/queues/rollouts/dequeue"
    scope = {"type": "http", "method": "POST", "path": path, "headers": []}
    await StoreApp(store)(scope, receive, send)
    assert sent == []
    assert (await store.query_rollouts(status_in=["queuing"])).total == 1
