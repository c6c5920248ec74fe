"""Old clients that misbehave, and a bridge that is killed: nothing is half done, nothing is lost."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from contextlib import closing, contextmanager

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentlightning_compat as agl
from agentlightning_compat.clock import ManualClock
from agentlightning_compat.errors import StoreBusyError
from agentlightning_compat.legacy.routes import LegacyRoutes
from agentlightning_compat.legacy.server import AgentLightningServer
from agentlightning_compat.store import commands as c
from tests.http.test_serving import serving
from tests.legacy.adapter.server import quiet_port
from tests.legacy.faults.stack import HTML, Doubling

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
IDS = st.sampled_from(["0x" + "a" * 16, "b" * 16, "-5", "f" * 40, "0"]) | JSON
TIMES = st.sampled_from(["2025-01-01T00:00:00Z", 1.5, 1e18, 10**40, -1e300, "soon"]) | JSON


def fields(**optional):
    return st.fixed_dictionaries({}, optional=optional)


SPAN = fields(
    name=st.sampled_from(["agentlightning.reward", "openai.chat.completion"]) | JSON,
    attributes=fields(reward=JSON, k=JSON) | JSON,
    start_time=TIMES,
    end_time=TIMES,
    span_id=IDS,
    trace_id=IDS,
    parent_id=IDS,
    context=fields(span_id=IDS, trace_id=IDS) | JSON,
    parent=JSON,
    status=fields(status_code=st.sampled_from(["OK", "StatusCode.ERROR"]), description=JSON) | JSON,
    events=st.lists(fields(name=JSON, timestamp=TIMES, attributes=JSON) | JSON, max_size=2) | JSON,
)
TOKENS = fields(token_ids=st.lists(st.integers(), max_size=3)) | JSON
TRIPLET = st.fixed_dictionaries(
    {"prompt": TOKENS, "response": TOKENS},
    optional={"reward": st.none() | st.floats(), "metadata": fields(k=JSON, agent_name=JSON)},
)
REPORT = fields(
    final_reward=st.none() | st.floats() | JSON,
    trace=st.none() | st.lists(SPAN, max_size=2),
    triplets=st.none() | st.lists(TRIPLET, max_size=2),
    logs=st.none() | st.lists(st.text(), max_size=2),
    metadata=fields(k=JSON),
)


async def posted(store, report):
    """Post a report for a task; what the client is told, and what became of the task."""
    routes = LegacyRoutes(store)
    made = await store.enqueue_rollout("task")
    await routes.answer("GET", "/task", b"")
    body = json.dumps({**report, "rollout_id": made.rollout_id}).encode()
    answer = await routes.answer("POST", "/rollout", body)
    json.dumps(answer.body)
    rollout = await store.get_rollout_by_id(made.rollout_id)
    return answer, rollout.status, await store.query_spans(made.rollout_id)


def check(answer, status, spans):
    if answer.status == 200:
        assert status in ("succeeded", "failed")
    else:
        assert answer.status in (400, 422), answer
        assert (status, list(spans)) == ("preparing", [])


@settings(max_examples=250, deadline=None, database=None)
@given(REPORT)
def test_any_report_is_stored_or_refused(report):
    async def go():
        check(*await posted(agl.InMemoryLightningStore(clock=ManualClock()), report))

    asyncio.run(go())


def test_any_report_is_stored_or_refused_by_a_database(tmp_path):
    async def go(store, report):
        check(*await posted(store, report))

    with closing(asyncio.new_event_loop()) as loop:
        store = agl.SqliteLightningStore(tmp_path / "store.db")

        @settings(max_examples=60, deadline=None, database=None)
        @given(REPORT)
        def stored(report):
            loop.run_until_complete(go(store, report))

        stored()
        loop.run_until_complete(store.close())


@contextmanager
def bridge(kind, tmp_path):
    """A bridge with one task in its queue: its URL, its store, and the task's id."""
    if kind == "serve":
        with serving("--store", f"sqlite:///{tmp_path}/store.db", "--port", "0") as (_, url):
            store = agl.open_store(url)
            yield url, store, asyncio.run(store.enqueue_rollout({"number": 1})).rollout_id
        return
    store = agl.InMemoryLightningStore(thread_safe=True)
    server = AgentLightningServer(port=0, store=store)
    asyncio.run(server.start())
    yield server.endpoint, store, asyncio.run(server.queue_task({"number": 1}))
    asyncio.run(server.stop())


@pytest.mark.parametrize("kind", ["serve", "AgentLightningServer"])
def test_broken_requests_change_nothing(kind, tmp_path):
    with bridge(kind, tmp_path) as (url, store, key):
        asyncio.run(_broken(url, store, key))


async def _broken(url, store, key):
    bodies = [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        HTML.encode(),
        b"\xff\xfe",
        b'{"final_reward": 1}',
        b'{"rollout_id": 5}',
        b'{"rollout_id": null}',
        f'{{"rollout_id": "{key}", "final_reward": "much"}}'.encode(),
        f'{{"rollout_id": "{key}", "final_reward": Infinity}}'.encode(),
        f'{{"rollout_id": "{key}", "triplets": [1]}}'.encode(),
        f'{{"rollout_id": "{key}", "trace": 5}}'.encode(),
        f'{{"rollout_id": "{key}", "trace": [{"[" * 100_000}'.encode(),
    ]
    async with aiohttp.ClientSession(url) as session:
        async with session.get("/task") as answer:
            assert (await answer.json())["task"]["rollout_id"] == key
        for body in bodies:
            async with session.post("/rollout", data=body) as answer:
                assert answer.status in (400, 422), body[:80]
                assert (await answer.json())["detail"]
        for verb, path, status in (
            ("POST", "/task", 405),
            ("GET", "/rollout", 405),
            ("GET", "/resources/latest", 404),
            ("GET", "/resources/..%2F..%2Fetc", 404),
            ("GET", "/nothing", 404),
        ):
            async with session.request(verb, path) as answer:
                assert answer.status == status, path
        _half_a_report(url, key)
        assert (await store.get_rollout_by_id(key)).status == "preparing"
        assert list(await store.query_spans(key)) == []
        report = {"rollout_id": key, "final_reward": 0.5}
        for _ in range(2):  # again, because the receipt was lost
            async with session.post("/rollout", json=report) as answer:
                assert (await answer.json())["status"] == "ok"
    assert (await store.get_rollout_by_id(key)).status == "succeeded"
    assert agl.find_final_reward(await store.query_spans(key)) == 0.5
    assert len(await store.query_spans(key)) == 1


def _half_a_report(url, key):
    """A connection that is cut in the middle of a report that is right so far."""
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    body = f'{{"rollout_id": "{key}", "final_reward": 9}}'
    with socket.create_connection((host, int(port))) as half:
        head = f"POST /rollout HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) + 1}\r\n\r\n"
        half.sendall(f"{head}{body}".encode())


class Forgetful(agl.InMemoryLightningStore):
    """Is away when attempts are to be finished, and limits to be set, as often as it is told."""

    away = 0

    async def _perform(self, command):
        if isinstance(command, (c.UpdateAttempt, c.UpdateRollout)) and self.away:
            self.away -= 1
            raise StoreBusyError("not now")
        return await super()._perform(command)


async def test_a_report_that_was_half_stored_is_completed():
    store = Forgetful()
    made = await store.enqueue_rollout(1)
    routes = LegacyRoutes(store)
    await routes.answer("GET", "/task", b"")
    triplet = {"prompt": "p", "response": "r", "reward": 1.0, "metadata": {"agent_name": "a"}}
    trace = [{"name": "mine", "span_id": "0x" + "a" * 16}, {"name": "no id", "attributes": {}}]
    report = {"rollout_id": made.rollout_id, "triplets": [triplet], "trace": trace, "logs": ["l"]}
    body = json.dumps({**report, "final_reward": 2.0}).encode()
    store.away = 1
    assert (await routes.answer("POST", "/rollout", body)).status == 503
    first = list(await store.query_spans(made.rollout_id))
    # Another process answers the second time.
    assert (await LegacyRoutes(store).answer("POST", "/rollout", body)).status == 200
    spans = list(await store.query_spans(made.rollout_id))
    assert [span.span_id for span in spans] == [span.span_id for span in first]
    assert len({span.span_id for span in spans}) == len(spans) == 7
    ids = {span.span_id for span in spans}
    assert [span.name for span in spans if span.parent_id in ids] == ["openai.chat.completion"]
    assert (await store.get_rollout_by_id(made.rollout_id)).status == "succeeded"


@pytest.mark.parametrize("restarted", [True, False])
async def test_a_task_that_was_claimed_without_its_limit_is_handed_out_again(restarted):
    """The bridge went away between the claim and the limit, or the store did."""
    clock = ManualClock()
    store = Forgetful(clock=clock)
    made = await store.enqueue_rollout(1)
    by_name = await store.enqueue_rollout(2)
    routes = LegacyRoutes(store, 300.0)
    store.away = 1
    assert (await routes.answer("GET", "/task", b"")).status == 503
    assert (await store.dequeue_rollout("a runner")).rollout_id == by_name.rollout_id
    if restarted:
        routes = LegacyRoutes(store, 300.0)
    assert (await routes.answer("GET", "/task", b"")).body["task"] is None
    clock.advance(301)
    task = (await routes.answer("GET", "/task", b"")).body["task"]
    assert (task["rollout_id"], task["num_claims"]) == (made.rollout_id, 2)
    assert (await routes.answer("GET", "/task", b"")).body["task"] is None


async def test_what_was_taken_is_forgotten():
    server = AgentLightningServer(port=0)
    await server.start()
    key = await server.queue_task({"number": 1})
    client = agl.AgentLightningClient(server.endpoint, timeout=20)
    await client.poll_next_task_async()
    for reward in (1.0, 2.0):  # the second report counts no more
        report = agl.RolloutLegacy(rollout_id=key, final_reward=reward)
        assert (await client.post_rollout_async(report))["status"] == "ok"
    assert (await server.get_completed_rollout(key)).final_reward == 1.0
    assert (await client.post_rollout_async(report))["status"] == "ok"
    assert server._posted == {}
    assert await server.retrieve_completed_rollouts() == []
    await server.stop()


async def test_reports_of_attempts_before_the_last_are_not_the_result():
    store = agl.InMemoryLightningStore(thread_safe=True)
    server = AgentLightningServer(port=0, store=store)
    await server.start()
    config = agl.RolloutConfig(max_attempts=3, retry_condition=["failed"])
    made = await store.enqueue_rollout({"number": 1}, mode="train", config=config)
    client = agl.AgentLightningClient(server.endpoint, timeout=20)
    failed = agl.RolloutLegacy(rollout_id=made.rollout_id)
    for reward in (None, 0.5):
        await client.poll_next_task_async()
        await client.post_rollout_async(failed.model_copy(update={"final_reward": reward}))
    assert (await server.get_completed_rollout(made.rollout_id)).final_reward == 0.5

    made = await store.enqueue_rollout({"number": 4}, mode="train", config=config)
    await client.poll_next_task_async()
    await client.post_rollout_async(failed.model_copy(update={"rollout_id": made.rollout_id}))
    await store.add_resources({})
    runner = agl.LitAgentRunner(agl.DummyTracer(), max_rollouts=1, heartbeat_interval=0)
    with runner.run_context(agent=Doubling(), store=store):
        await runner.iter()
    assert (await server.get_completed_rollout(made.rollout_id)).final_reward == 8.0
    assert server._posted == {}
    await server.stop()


class Steady(Doubling):
    """Tells when it has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Semaphore(0)

    def training_rollout(self, task, resources, rollout):
        self.begun.release()
        return super().training_rollout(task, resources, rollout)


def test_a_bridge_that_is_killed_while_old_clients_are_at_work(tmp_path):
    """Queued tasks, those in hand and acknowledged reports are there when it is back."""
    path = f"sqlite:///{tmp_path}/store.db"
    agent = Steady()
    agent.free.clear()
    port = str(quiet_port())
    with serving("--store", path, "--port", port) as (process, url):
        store = agl.open_store(url)
        asyncio.run(store.add_resources({}))
        keys = [
            asyncio.run(store.enqueue_rollout({"number": n}, mode="train")).rollout_id
            for n in range(6)
        ]
        client = agl.AgentLightningClient(url, poll_interval=0.01, timeout=20)
        acknowledged = client.poll_next_task()
        report = agl.RolloutLegacy(rollout_id=acknowledged.rollout_id, final_reward=0.0)
        assert client.post_rollout(report)["status"] == "ok"
        fleet = [
            threading.Thread(target=_legacy, args=(url, agent, n), daemon=True) for n in (2, 3)
        ]
        for worker in fleet:
            worker.start()
        for _ in fleet:
            assert agent.begun.acquire(timeout=60)
        process.kill()
        process.wait(60)
    agent.free.set()
    with serving("--store", path, "--port", port) as (_, url):
        for worker in fleet:
            worker.join(60)
            assert not worker.is_alive()
        store = agl.open_store(url)
        asyncio.run(_all_there(store, keys))


def _legacy(url, agent, tasks):
    client = agl.AgentLightningClient(url, poll_interval=0.01, timeout=20)
    exporter = agl.TracerTraceToTriplet()
    agl.LegacyAgentRunner(agent, client, agl.DummyTracer(), exporter, max_tasks=tasks).iter()


async def _all_there(store, keys):
    ended = await store.wait_for_rollouts(rollout_ids=keys, timeout=60)
    assert [rollout.status for rollout in ended] == ["succeeded"] * len(keys)
    for number, key in enumerate(keys):
        assert [attempt.sequence_id for attempt in await store.query_attempts(key)] == [1]
        spans = await store.query_spans(key)
        assert len(spans) == 1
        assert agl.find_final_reward(spans) == number * 2.0
