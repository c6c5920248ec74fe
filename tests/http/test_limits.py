"""What is more than a server takes is refused, and nothing of it is done."""

from __future__ import annotations

import asyncio
import gzip
import json
import random

import pytest

from agentlightning_compat.errors import InvalidRequestError
from agentlightning_compat.http.app import StoreApp
from agentlightning_compat.http.client import LightningStoreClient
from agentlightning_compat.http.limits import DEFAULT, Limits
from agentlightning_compat.http.server import LightningStoreServer
from agentlightning_compat.http.values import DEEPEST, decoded
from agentlightning_compat.http.wire import PREFIX
from agentlightning_compat.model import EnqueueRolloutRequest, Span
from agentlightning_compat.store.memory import InMemoryLightningStore
from tests.http.asked import ask
from tests.http.raw import said, statuses
from tests.http.serving import serving

ENQUEUE = f"{PREFIX}/queues/rollouts/enqueue"
DEQUEUE = f"{PREFIX}/queues/rollouts/dequeue"


@pytest.fixture
def store():
    return InMemoryLightningStore()


def nested(levels):
    return b"[" * levels + b"]" * levels


async def nothing_was_done(store):
    counts = await store.statistics()
    return not any(value for name, value in counts.items() if name.startswith("total_"))


# Bodies


async def test_a_body_of_the_largest_size_is_taken_and_no_larger(store):
    body = json.dumps({"rollouts": [{"input": "x" * 100}]}).encode()
    refused = await ask(StoreApp(store, limits=Limits(body=len(body) - 1)), "POST", ENQUEUE, body)
    assert (refused.status, refused.json["code"]) == (413, "invalid_request")
    assert await nothing_was_done(store)
    assert (
        await ask(StoreApp(store, limits=Limits(body=len(body))), "POST", ENQUEUE, body)
    ).status == 201


@pytest.mark.parametrize("told", [True, False])
def test_a_large_body_is_refused_before_all_of_it_came(store, told):
    """The rest is never sent: an answer can only come early."""
    length = b"content-length: 100000000" if told else b"transfer-encoding: chunked"
    head = b"POST " + ENQUEUE.encode() + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    start = b"" if told else b"2000\r\n" + b"x" * 0x2000
    with serving(store, max_body=1000) as server:
        answer = said(server.endpoint, head + length + b"\r\n\r\n" + start)
    assert statuses(answer) == [413]


async def test_our_client_is_told_of_a_body_that_is_too_large(store):
    server = LightningStoreServer(store, port=0, max_body=1 << 16)
    async with server:
        client = LightningStoreClient(server.endpoint, retry_delays=())
        with pytest.raises(InvalidRequestError, match="at most 65536 bytes"):
            await client.enqueue_rollout("x" * (1 << 17))
        assert await nothing_was_done(store)
        assert (await client.enqueue_rollout("x")).input == "x"


@pytest.mark.parametrize("size", [1001, 50_000_000])
async def test_what_is_packed_is_measured_unpacked(store, size):
    headers = [("content-type", b"application/x-protobuf"), ("content-encoding", b"gzip")]
    app = StoreApp(store, limits=Limits(body=1000 if size < 2000 else 100_000))
    answer = await ask(app, "POST", "/v1/traces", gzip.compress(b"\0" * size), headers=headers)
    assert answer.status == 413
    assert await nothing_was_done(store)


# Heads


@pytest.mark.parametrize(
    "pieces",
    [
        [b"GET /v1/agl/health HTTP/1.1\r\nx: " + b"a" * 5000 + b"\r\n\r\n"],
        [b"GET /v1/agl/" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n"],
        [b"GET / HTTP/1.1\r\n" + b"".join(b"x-%d: a\r\n" % n for n in range(1000)) + b"\r\n"],
    ],
)
def test_a_head_that_is_too_large_is_refused(store, pieces):
    with serving(store, max_head=4000) as server:
        answer = said(server.endpoint, *pieces)
        assert statuses(answer) == [431]
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "invalid_request"
        fine = (
            b"GET /v1/agl/health HTTP/1.1\r\nx: " + b"a" * 3000 + b"\r\nconnection: close\r\n\r\n"
        )
        assert statuses(said(server.endpoint, fine)) == [200]


@pytest.mark.parametrize("piece", [b"a" * 10_000, b"\r\nx-y: " + b"a" * 10_000])
def test_a_head_that_never_ends_ends_the_connection(store, piece):
    with serving(store, max_head=4000) as server:
        answer = said(server.endpoint, b"GET / HTTP/1.1\r\nx: ", *([piece] * 1000))
        # Still sending, the client may be told by the closed connection alone.
        assert statuses(answer) in ([431], [])
        assert statuses(said(server.endpoint, b"GET / HTTP/1.0\r\n\r\n")) == [200]


# Depth


def depth_of(value):
    if isinstance(value, (dict, list)):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(map(depth_of, inner), default=0)
    return 0


def some_value(chance, levels):
    kind = chance.random()
    if levels == 0 or kind < 0.3:
        return chance.choice([1, None, 'x"]}[{', "\\", "[" * 40, ""])
    inner = [some_value(chance, levels - 1) for _ in range(chance.randint(0, 4))]
    return inner if kind < 0.65 else {f'["{n}': item for n, item in enumerate(inner)}


def test_depth_is_counted_as_recursion_counts_it():
    chance = random.Random(5)
    for _ in range(500):
        value = some_value(chance, chance.randint(1, 8))
        # Behind as many brackets in texts as it takes to be looked at.
        value = ["[" * 40, value]
        data, deep = json.dumps(value).encode(), depth_of(value)
        for most in range(1, 11):
            try:
                Limits(depth=most).check_depth(data, value)
                refused = False
            except InvalidRequestError:
                refused = True
            assert refused is (deep > most), (most, value)


def test_what_only_pythons_own_module_reads_is_refused_by_its_levels():
    chance = random.Random(6)
    for _ in range(500):
        value = ["\ud800", some_value(chance, chance.randint(1, 8))]
        room = DEEPEST - depth_of(value)
        for more in (0, room):
            body = b"[" * more + json.dumps(value).encode() + b"]" * more
            found = decoded(body)
            for _ in range(more):
                (found,) = found
            assert found == value
        with pytest.raises(InvalidRequestError, match=str(DEEPEST)):
            decoded(b"[" + body + b"]")


@pytest.mark.parametrize("end", [b'"', b'"\\', b'"[{', b"]"])
def test_what_ends_too_early_is_no_json(end):
    with pytest.raises(InvalidRequestError, match="no JSON"):
        decoded(b'["\\ud800", ' + end)


@pytest.mark.parametrize("levels", [199, 5_000, 1_000_000])
async def test_what_is_too_deep_is_refused(store, levels):
    body = b'{"rollouts": [{"input": ' + nested(levels) + b"}]}"
    answer = await ask(StoreApp(store), "POST", ENQUEUE, body)
    assert (answer.status, answer.json["code"]) == (400, "invalid_request")
    assert await nothing_was_done(store)


@pytest.mark.parametrize("levels", [300, 900, 1_000_000])
async def test_spans_that_are_too_deep_are_refused_whole(store, levels):
    rollout = await store.start_rollout(1)
    span = Span.from_attributes(
        attributes={}, rollout_id=rollout.rollout_id, attempt_id=rollout.attempt.attempt_id
    )
    fine = json.dumps(span.model_dump()).encode()
    deep = fine[:-1] + b', "span_id": "x", "extra": ' + nested(levels) + b"}"
    body = b'{"spans": [' + fine + b", " + deep + b"]}"
    answer = await ask(StoreApp(store), "POST", f"{PREFIX}/spans/batch", body)
    assert answer.status in (400, 422)
    assert "code" in answer.json
    assert (await store.query_spans(rollout.rollout_id)).total == 0


async def test_what_is_just_deep_enough_is_kept_and_given_back(store):
    app = StoreApp(store)
    body = b'{"rollouts": [{"input": ' + nested(DEFAULT.depth - 3) + b"}]}"
    made = await ask(app, "POST", ENQUEUE, body)
    assert made.status == 201
    assert (
        depth_of((await ask(app, "GET", f"{PREFIX}/rollouts")).json["items"]) == DEFAULT.depth - 1
    )


# Batches


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/queues/rollouts/enqueue", {"rollouts": [{"input": n} for n in range(4)]}),
        ("/spans/batch", {"spans": [{}] * 4}),
        ("/spans/next", {"keys": [["a", "b"]] * 4}),
        ("/waits/rollouts", {"rollout_ids": ["a"] * 4, "timeout": 0}),
        ("/rollouts/search", {"rollout_id_in": ["a"] * 4}),
    ],
)
async def test_a_batch_that_is_too_large_is_refused_whole(store, path, body):
    answer = await ask(StoreApp(store, limits=Limits(batch=3)), "POST", PREFIX + path, body)
    assert (answer.status, answer.json["code"]) == (400, "invalid_request")
    assert "at most 3 items" in answer.json["detail"]
    assert await nothing_was_done(store)


async def test_an_input_is_one_thing_and_a_batch_may_be_full(store):
    app = StoreApp(store, limits=Limits(batch=3))
    made = await ask(app, "POST", f"{PREFIX}/rollouts", {"input": list(range(10))})
    assert made.json["input"] == list(range(10))
    assert (await ask(app, "POST", ENQUEUE, {"rollouts": [{"input": 1}] * 3})).status == 201


async def test_a_claim_gets_as_many_as_a_batch_holds(store):
    for number in range(5):
        await store.enqueue_rollout(number)
    answer = await ask(StoreApp(store, limits=Limits(batch=3)), "POST", DEQUEUE, {"limit": 10**9})
    assert [item["input"] for item in answer.json] == [0, 1, 2]
    assert (await store.query_rollouts(status_in=["queuing"])).total == 2


# Pages


async def filled(store, count):
    rollouts = await store.enqueue_many_rollouts(
        [EnqueueRolloutRequest(input=number) for number in range(count)]
    )
    first = await store.dequeue_rollout("worker")
    for number in range(count):
        await store.update_worker(f"w{number}")
        await store.update_resources(f"r{number}", {})
        await store.add_span(
            Span.from_attributes(
                attributes={"n": number},
                rollout_id=first.rollout_id,
                attempt_id=first.attempt.attempt_id,
                sequence_id=number,
            )
        )
    return rollouts


async def everything(client, rollouts):
    pages = [
        await client.query_rollouts(),
        await client.query_rollouts(sort_by="rollout_id", sort_order="desc"),
        await client.query_rollouts(offset=3),
        await client.query_rollouts(limit=11, offset=2),
        await client.query_rollouts(rollout_id_in=[r.rollout_id for r in rollouts[::2]]),
        await client.query_rollouts(offset=1000),
        await client.query_rollouts(limit=4),
        await client.query_workers(),
        await client.query_workers(worker_id_contains="w1"),
        await client.query_resources(),
        await client.query_attempts(rollouts[0].rollout_id),
        await client.query_spans(rollouts[0].rollout_id),
        await client.query_spans(rollouts[0].rollout_id, sort_by="span_id", limit=13),
    ]
    return [page.model_dump() for page in pages]


@pytest.mark.parametrize("page", [2, 3, 7, 1000])
async def test_our_client_gets_all_of_it_whatever_a_reply_holds(store, page):
    rollouts = await filled(store, 23)
    server = LightningStoreServer(store, port=0, max_page=page)
    async with server:
        found = await everything(LightningStoreClient(server.endpoint), rollouts)
    assert found == await everything(store, rollouts)


async def test_who_takes_a_part_for_the_whole_is_told(store):
    await filled(store, 10)
    app = StoreApp(store, limits=Limits(page=4))
    for verb, body, query in (
        ("GET", b"", b""),
        ("GET", b"", b"limit=5"),
        ("POST", {"limit": 9}, b""),
    ):
        path = f"{PREFIX}/rollouts" if verb == "GET" else f"{PREFIX}/rollouts/search"
        answer = await ask(app, verb, path, body, query=query)
        assert (answer.status, answer.json["code"]) == (400, "invalid_request")
        assert "limit and offset" in answer.json["detail"]
    fits = await ask(app, "GET", f"{PREFIX}/rollouts", query=b"offset=7")
    assert (fits.status, len(fits.json["items"]), fits.json["limit"]) == (200, 3, -1)
    asked = await ask(app, "GET", f"{PREFIX}/rollouts", query=b"limit=4")
    assert (asked.status, len(asked.json["items"]), asked.json["total"]) == (200, 4, 10)


async def test_a_reply_holds_all_unless_told_otherwise(store):
    await filled(store, 30)
    answer = await ask(StoreApp(store), "GET", f"{PREFIX}/rollouts")
    assert (len(answer.json["items"]), answer.json["limit"]) == (30, -1)


class Leaving(LightningStoreClient):
    """Between its pages, rollouts that it has seen leave the queue."""

    def __init__(self, url, store, rollouts, leave):
        super().__init__(url)
        self.store, self.rollouts, self.leave = store, rollouts, list(leave)

    async def _ask(self, row, parts, key=None):
        answer = await super()._ask(row, parts, key)
        if row.path == "/rollouts/search" and self.leave:
            for index in self.leave.pop(0):
                await self.store.update_rollout(self.rollouts[index].rollout_id, status="cancelled")
        return answer


@pytest.mark.parametrize(
    "leave", [[[0]], [[0, 1, 2, 3]], [[3], [0, 1]], [[0], [1], [2], [4, 5, 6]], [list(range(12))]]
)
async def test_none_is_left_out_because_others_leave_meanwhile(store, leave):
    rollouts = await store.enqueue_many_rollouts(
        [EnqueueRolloutRequest(input=number) for number in range(20)]
    )
    server = LightningStoreServer(store, port=0, max_page=4)
    async with server:
        client = Leaving(server.endpoint, store, rollouts, leave)
        found = await client.query_rollouts(status_in=["queuing"])
    gone = {index for step in leave for index in step}
    got = [rollout.input for rollout in found]
    assert set(range(20)) - gone <= set(got)
    assert len(got) == len(set(got))


# Held requests


async def test_beyond_so_many_nobody_is_held(store):
    app = StoreApp(store, limits=Limits(held=0))
    assert (await ask(app, "POST", DEQUEUE, {"wait": 3600})).json == []
    body = {"rollout_ids": ["a"], "timeout": 3600}
    assert (await ask(app, "POST", f"{PREFIX}/waits/rollouts", body)).json == []
    await store.enqueue_rollout(1)
    assert len((await ask(app, "POST", DEQUEUE, {"wait": 3600})).json) == 1


async def test_who_is_not_held_asks_again(store):
    server = LightningStoreServer(store, port=0, max_held=1)
    async with server:
        first = LightningStoreClient(server.endpoint)
        holding = asyncio.ensure_future(first.dequeue_rollout("a", wait=60))
        while not server.app.held:
            await asyncio.sleep(0.005)
        second = LightningStoreClient(server.endpoint)
        others = [asyncio.ensure_future(second.dequeue_rollout("b", wait=60)) for _ in range(5)]
        done, _ = await asyncio.wait(others, timeout=0.5)
        assert not done
        assert server.app.held == 1
        for number in range(6):
            await store.enqueue_rollout(number)
        found = await asyncio.gather(holding, *others)
        assert sorted(rollout.input for rollout in found) == list(range(6))


# Arguments


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_body": 0},
        {"max_head": -1},
        {"max_depth": None},
        {"max_depth": 501},
        {"max_batch": 1.5},
        {"max_page": 1},
        {"max_held": -1},
        {"max_held": True},
    ],
)
def test_limits_that_make_no_sense_are_refused(store, wrong):
    with pytest.raises(InvalidRequestError, match=next(iter(wrong))):
        LightningStoreServer(store, port=0, **wrong)
