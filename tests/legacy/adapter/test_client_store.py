"""`LegacyClientStore`: a legacy server as a store."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path

import pytest

from agentlightning_compat.errors import StoreUnavailableError, UnsupportedError
from agentlightning_compat.legacy.client import AgentLightningClient
from agentlightning_compat.legacy.client_store import LegacyClientStore
from agentlightning_compat.legacy.dev_loader import DevTaskLoader
from agentlightning_compat.legacy.held_tasks import HeldTasks
from agentlightning_compat.model import LLM, RolloutLegacy
from tests.legacy.adapter.server import task

ROOT = Path(__file__).parents[3]
MODEL = {"main": {"resource_type": "llm", "endpoint": "http://x/v1", "model": "m"}}


def store_of(server, **options) -> LegacyClientStore:
    client = AgentLightningClient(server.url, poll_interval=0.01, timeout=20)
    return LegacyClientStore(client, **{"patience": 20, **options})


async def ended(store, claimed, reward=None, status="succeeded"):
    """Finish an attempt as the legacy runner does: with the report itself."""
    attempt = claimed.attempt
    if reward is not None:
        report = RolloutLegacy(rollout_id=claimed.rollout_id, final_reward=reward)
        store.set_report(attempt.attempt_id, report)
    return await store.update_attempt(claimed.rollout_id, attempt.attempt_id, status=status)


async def test_a_task_becomes_a_rollout_and_its_result_a_report(server):
    server.tasks.append(task(1, mode="val", resources_id="res-1", metadata={"k": 1}))
    server.resources["res-1"] = MODEL
    async with store_of(server) as store:
        claimed = await store.dequeue_rollout(worker_id="w")
        assert (claimed.rollout_id, claimed.input, claimed.mode) == (
            "rollout-1",
            {"number": 1},
            "val",
        )
        assert (claimed.metadata, claimed.start_time) == ({"k": 1}, 1.0)
        assert (claimed.status, claimed.attempt.sequence_id) == ("preparing", 1)
        found = await store.get_resources_by_id(claimed.resources_id)
        assert found.resources == {"main": LLM(endpoint="http://x/v1", model="m")}
        assert (await store.get_worker_by_id("w")).current_rollout_id == "rollout-1"
        await ended(store, claimed, 0.5)
        assert [r["final_reward"] for r in server.reports] == [0.5]
        assert (await store.get_rollout_by_id("rollout-1")).status == "succeeded"
        assert (await store.get_worker_by_id("w")).status == "idle"
        assert await store.dequeue_rollout() is None


async def test_a_failed_attempt_is_reported_with_its_task(server):
    server.tasks.append(task(1))
    async with store_of(server) as store:
        await ended(store, await store.dequeue_rollout(), status="failed")
    (report,) = server.reports
    assert report["final_reward"] is None
    assert report["task"]["input"] == {"number": 1}


async def test_a_result_is_posted_once(server):
    server.tasks.append(task(1))
    async with store_of(server) as store:
        claimed = await store.dequeue_rollout()
        await ended(store, claimed, 1.0)
        await ended(store, claimed, 2.0)
    assert [r["final_reward"] for r in server.reports] == [1.0]


async def test_a_task_that_comes_again_is_done_once(server):
    server.tasks += [task(1), task(1), task(2)]
    async with store_of(server) as store:
        first, second = await store.dequeue_many_rollouts(limit=3, wait=20)
        assert (first.rollout_id, second.rollout_id) == ("rollout-1", "rollout-2")
        await ended(store, first, 1.0)
        server.tasks += [task(1), task(3), task(2)]
        third = await store.dequeue_rollout(wait=20)
        assert third.rollout_id == "rollout-3"
        await ended(store, second, 2.0)
        await ended(store, third, 3.0)
        assert await store.dequeue_rollout() is None
    assert [r["final_reward"] for r in server.reports] == [1.0, 2.0, 3.0]


async def test_a_task_that_failed_and_comes_again_is_done_again(server):
    server.tasks.append(task(1))
    async with store_of(server) as store:
        await ended(store, await store.dequeue_rollout(), status="failed")
        server.tasks.append(task(1, num_claims=2))
        again = await store.dequeue_rollout()
        assert (again.rollout_id, again.attempt.sequence_id) == ("rollout-1", 2)
        await ended(store, again, 3.0)
    assert [r["final_reward"] for r in server.reports] == [None, 3.0]


async def test_those_who_wait_are_given_tasks_as_they_come(server):
    async with store_of(server) as store:
        waiting = [asyncio.ensure_future(store.dequeue_rollout(f"w{n}", wait=60)) for n in range(8)]
        await asyncio.to_thread(server.until, "task", 3)
        server.tasks += [task(n) for n in range(8)]
        claimed = await asyncio.gather(*waiting)
        assert sorted(item.rollout_id for item in claimed) == [f"rollout-{n}" for n in range(8)]
        for item in claimed:
            await ended(store, item, 1.0)
    assert len(server.reports) == 8


async def test_many_who_wait_poll_like_one(server):
    async with store_of(server, poll_interval=1000) as store:
        waiting = [store.dequeue_rollout(wait=0.2) for _ in range(50)]
        assert await asyncio.gather(*waiting) == [None] * 50
    assert server.seen["task"] == 1


async def test_a_claimant_that_goes_leaves_its_task_to_the_next(server):
    async with store_of(server) as store:
        gone = asyncio.ensure_future(store.dequeue_rollout(wait=60))
        await asyncio.to_thread(server.until, "task", 2)
        server.tasks.append(task(1))
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert (await store.dequeue_rollout(wait=20)).rollout_id == "rollout-1"


async def test_a_server_that_is_away_is_no_empty_queue(server):
    server.down()
    async with store_of(server) as store:
        with pytest.raises(StoreUnavailableError):
            await store.dequeue_rollout()
        with pytest.raises(StoreUnavailableError):
            await store.dequeue_rollout(wait=0.05)
        with pytest.raises(StoreUnavailableError):
            await store.get_latest_resources()
        waiting = asyncio.ensure_future(store.dequeue_rollout(wait=60))
        server.tasks.append(task(1))
        server.up()
        assert (await waiting).rollout_id == "rollout-1"


async def test_answers_that_make_no_sense_are_no_task(server, caplog):
    server.troubles["task"] = deque(["no json", "[]"])
    server.tasks.append(task(1))
    async with store_of(server) as store:
        assert (await store.dequeue_rollout(wait=60)).rollout_id == "rollout-1"
    assert "polling for a task" in caplog.text


async def test_resources_that_are_gone_are_none(server):
    async with store_of(server) as store:
        assert await store.get_resources_by_id("gone") is None
        assert await store.get_latest_resources() is None


@pytest.mark.parametrize("trouble", [500, 503, 429, "cut"])
async def test_a_result_waits_for_the_server(server, trouble):
    server.tasks.append(task(1))
    server.troubles["rollout"] = deque([trouble] * 3)
    async with store_of(server) as store:
        await ended(store, await store.dequeue_rollout(), 1.0)
    assert [r["final_reward"] for r in server.reports] == [1.0]


async def test_a_result_that_is_refused_is_put_aside(server, tmp_path, caplog):
    server.tasks.append(task(1))
    server.troubles["rollout"] = deque([422])
    async with store_of(server, spool=tmp_path / "s") as store:
        await ended(store, await store.dequeue_rollout(), 1.0)
    (kept,) = (tmp_path / "s" / "refused").iterdir()
    assert json.loads(kept.read_text())["final_reward"] == 1.0
    assert str(kept) in caplog.text
    assert server.reports == []


async def test_results_outlive_a_store_that_never_reached_the_server(server, caplog):
    server.tasks += [task(1), task(2)]
    first = store_of(server, patience=0.01)
    claims = await first.dequeue_many_rollouts(limit=2)
    server.down()
    for claimed in claims:
        await ended(first, claimed, 0.25)
    await first.close()
    assert "2 results are not delivered yet" in caplog.text
    server.up()
    async with store_of(server) as second:
        assert await second.dequeue_rollout() is None
    assert sorted(r["rollout_id"] for r in server.reports) == ["rollout-1", "rollout-2"]
    async with store_of(server) as third:
        assert await third.dequeue_rollout() is None
    assert len(server.reports) == 2


WORKER = """
import asyncio, sys
from agentlightning_compat.legacy.client import AgentLightningClient
from agentlightning_compat.legacy.client_store import LegacyClientStore
from agentlightning_compat.model import RolloutLegacy

async def main():
    store = LegacyClientStore(AgentLightningClient(sys.argv[1]), patience=0.01)
    claimed = await store.dequeue_rollout()
    print("claimed", flush=True)
    sys.stdin.readline()
    report = RolloutLegacy(rollout_id=claimed.rollout_id, final_reward=0.75)
    store.set_report(claimed.attempt.attempt_id, report)
    await store.update_attempt(claimed.rollout_id, "latest", status="succeeded")
    print("spooled", flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""


async def test_results_outlive_a_worker_that_is_killed(server, caplog):
    caplog.set_level("INFO")
    server.tasks.append(task(1))
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, server.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )
    with worker:
        assert worker.stdout.readline() == "claimed\n"
        server.down()
        worker.stdin.write("on\n")
        worker.stdin.flush()
        assert worker.stdout.readline() == "spooled\n"
        # What a living process has in its spool is its own business.
        async with store_of(server, patience=0.01) as other:
            with pytest.raises(StoreUnavailableError):
                await other.dequeue_rollout()
        assert "left behind" not in caplog.text
        worker.send_signal(signal.SIGKILL)
        worker.wait(30)
    server.up()
    async with store_of(server) as next_one:
        assert await next_one.dequeue_rollout() is None
    assert "left behind" in caplog.text
    assert [r["final_reward"] for r in server.reports] == [0.75]


async def test_what_a_legacy_server_cannot_do_is_said(server):
    async with store_of(server) as store:
        for call in (
            store.enqueue_rollout({}),
            store.start_rollout({}),
            store.add_resources({}),
            store.update_resources("x", {}),
            store.query_resources(),
        ):
            with pytest.raises(UnsupportedError, match="legacy server"):
                await call
        assert store.capabilities == {
            "thread_safe": True,
            "async_safe": True,
            "zero_copy": False,
            "otlp_traces": False,
        }


async def test_a_dev_loader_is_a_store_too():
    loader = DevTaskLoader(["a", "b"], {"main": LLM(endpoint="e", model="m")})
    store = LegacyClientStore(loader)
    inputs = []
    for _ in range(3):
        claimed = await store.dequeue_rollout()
        assert (await store.get_resources_by_id("local")).resources["main"].model == "m"
        await ended(store, claimed, 1.0)
        inputs.append(claimed.input)
    assert inputs == ["a", "b", "a"]
    assert [r.rollout_id for r in loader.rollouts] == [f"local_task_00{n}" for n in (1, 2, 1)]


class Duck:
    """A client that somebody wrote; it has only sync names."""

    def __init__(self):
        self.posted = []
        self.release = threading.Event()

    def poll_next_task(self):
        self.release.wait()
        self.release.clear()
        return {"rollout_id": "mine", "input": 1}

    def get_resources_by_id(self, resource_id):
        return None

    def get_latest_resources(self):
        return {"resources_id": "r", "resources": {}}

    def post_rollout(self, rollout):
        self.posted.append(rollout)


async def test_somebodys_client_is_called_as_it_is():
    duck = Duck()
    store = LegacyClientStore(duck, poll_interval=0.01)
    waiting = asyncio.ensure_future(store.dequeue_rollout(wait=60))
    duck.release.set()
    claimed = await waiting
    assert claimed.rollout_id == "mine"
    assert await store.get_resources_by_id("x") is None
    assert (await store.get_latest_resources()).resources == {}
    await ended(store, claimed, 2.0)
    assert [r.final_reward for r in duck.posted] == [2.0]


def test_what_is_no_client_is_refused():
    with pytest.raises(TypeError, match="poll_next_task"):
        LegacyClientStore(object())


async def test_old_rollouts_are_forgotten_but_none_that_is_in_hand(server):
    store = store_of(server)
    store._held = HeldTasks(rollouts=3)
    server.tasks += [task(n) for n in range(20)]
    first = await store.dequeue_rollout()
    for _ in range(15):
        await ended(store, await store.dequeue_rollout(), 1.0)
    assert (await store.get_rollout_by_id("rollout-0")).status == "preparing"
    await ended(store, first, 9.0)
    for _ in range(4):
        await ended(store, await store.dequeue_rollout(), 1.0)
    await store.close()
    assert {r["rollout_id"] for r in server.reports} == {f"rollout-{n}" for n in range(20)}
