"""Runners on a legacy server that misbehaves: each task is reported, and once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import deque
from pathlib import Path

import pytest

from agentlightning_compat.legacy.client_store import LegacyClientStore, UpstreamStore
from agentlightning_compat.legacy.spool import Spool, default_folder
from agentlightning_compat.model import RolloutLegacy
from tests.legacy.adapter.server import task
from tests.legacy.faults.stack import (
    ANSWERS,
    HTML,
    STACKS,
    Doubling,
    client_of,
    hasty,
    rewards,
    work,
)

ROOT = Path(__file__).parents[3]
both = pytest.mark.parametrize("stack", STACKS)


@pytest.mark.parametrize("answer", ANSWERS, ids=repr)
async def test_polls_that_fail(server, answer):
    server.resources["res"] = {}
    server.tasks += [task(1), task(2)]
    server.troubles["task"] = deque([answer, answer])
    await work("legacy runner", server, Doubling(), 2)
    assert rewards(server) == {"rollout-1": 2.0, "rollout-2": 4.0}


@both
@pytest.mark.parametrize(
    "body",
    [
        '{"is_available": true, "task": null}',
        '{"is_available": true, "task": {"rollout_id": "x"}}',
        '{"is_available": true, "task": {"rollout_id": 5, "input": 1}}',
        '{"is_available": true, "task": {"rollout_id": "x", "input": 1, "mode": "odd"}}',
        '{"is_available": "perhaps"}',
    ],
)
async def test_bad_tasks_stop_nobody(server, stack, body):
    server.resources["res"] = {}
    server.troubles["task"] = deque([body])
    server.tasks.append(task(1))
    await work(stack, server, Doubling(), 1)
    assert rewards(server) == {"rollout-1": 2.0}


@both
@pytest.mark.parametrize("answer", [500, 503, 429, "cut"], ids=repr)
async def test_resources_that_come_later(server, stack, answer):
    server.resources["res"] = {}
    server.tasks += [task(1, resources_id="res"), task(2)]
    server.troubles["resources"] = deque([answer] * 3)
    await work(stack, server, Doubling(), 2)
    assert rewards(server) == {"rollout-1": 2.0, "rollout-2": 4.0}


@both
@pytest.mark.parametrize("answer", [404, "no json", "[]", '{"resources": 5}', HTML, ""], ids=repr)
async def test_resources_that_never_come_fail_the_task_aloud(server, stack, answer):
    server.resources["res"] = {}
    server.tasks += [task(1, resources_id="gone"), task(2)]
    server.troubles["resources"] = deque([answer])
    agent = Doubling()
    await work(stack, server, agent, 2)
    assert rewards(server) == {"rollout-1": None, "rollout-2": 4.0}
    assert server.results["rollout-1"]["task"]["input"] == {"number": 1}
    assert agent.runs == [2]


@both
@pytest.mark.parametrize("answer", ANSWERS, ids=repr)
async def test_posts_that_fail(server, stack, answer):
    server.resources["res"] = {}
    server.tasks += [task(1), task(2)]
    server.troubles["rollout"] = deque([answer])
    await work(stack, server, Doubling(), 2)
    assert rewards(server) == {"rollout-1": 2.0, "rollout-2": 4.0}


@both
async def test_a_receipt_that_is_lost(server, stack):
    """The result is posted again: a legacy server cannot be asked, and keeps one for each task."""
    server.resources["res"] = {}
    server.tasks.append(task(1))
    server.troubles["rollout"] = deque(["cut after"])
    await work(stack, server, Doubling(), 1)
    assert {key: r["final_reward"] for key, r in server.results.items()} == {"rollout-1": 2.0}
    assert server.reports[0] == server.reports[1]
    assert len(server.reports) == 2


@both
async def test_a_server_that_is_away_at_each_step(server, stack):
    server.resources["res"] = {}
    server.tasks += [task(1), task(2)]
    agent = Doubling()
    agent.free.clear()
    server.down()
    working = asyncio.create_task(work(stack, server, agent, 2))
    server.up()
    await asyncio.to_thread(server.until, "resources", 1)
    await until(lambda: agent.runs == [1])
    server.down()
    agent.free.set()
    server.up()
    await working
    assert rewards(server) == {"rollout-1": 2.0, "rollout-2": 4.0}
    assert agent.runs == [1, 2]


@both
async def test_a_task_that_takes_longer_than_the_server_waits(server, stack):
    """It hands out a copy, as a real one does: to a worker that is busy with this very task, and
    again when the result is there, because the copy was in its queue."""
    server.resources["res"] = {}
    server.tasks.append(task(1))
    agent = Doubling()
    agent.free.clear()
    working = asyncio.create_task(work(stack, server, agent, 2))
    await until(lambda: agent.runs == [1])
    server.requeue()
    agent.free.set()
    await asyncio.to_thread(server.until, "rollout", 1)
    server.tasks.append(task(2))
    await working
    assert rewards(server) == {"rollout-1": 2.0, "rollout-2": 4.0}
    assert agent.runs == [1, 2]


async def test_a_copy_of_a_task_whose_result_waits_in_the_spool(server):
    """Another worker does not do it again."""
    server.tasks.append(task(1))
    async with hasty(LegacyClientStore(client_of(server), patience=0.01)) as first:
        claimed = await first.dequeue_rollout()
        # Known to be written before anything is posted.
        server.troubles["rollout"] = deque([503] * 1_000_000)
        await report(first, claimed, 1.0)
        server.requeue()
        async with LegacyClientStore(client_of(server)) as second:
            assert await second.dequeue_rollout() is None
        server.troubles.clear()
        await asyncio.to_thread(server.until_reported, 1)
    assert rewards(server) == {"rollout-1": 1.0}


async def test_a_server_that_answers_500_for_a_minute(server):
    """The clock is that of the pauses between two deliveries."""
    passed = 0.0
    pauses = []

    async def sleep(seconds):
        nonlocal passed
        passed += seconds
        pauses.append(seconds)
        if passed < 60:
            server.troubles["rollout"].append(500)

    server.tasks.append(task(1))
    server.troubles["rollout"] = deque([500])
    async with hasty(LegacyClientStore(client_of(server), patience=60), sleep) as store:
        await report(store, await store.dequeue_rollout(), 1.0)
    assert rewards(server) == {"rollout-1": 1.0}
    assert passed >= 60
    assert max(pauses) <= 10
    assert server.seen["rollout"] == len(pauses) + 1 <= 30


WORKER = """
import sys
import agentlightning_compat as agl

class Doubling(agl.LitAgent):
    def training_rollout(self, task, resources, rollout):
        return task["number"] * 2.0

client = agl.AgentLightningClient(sys.argv[1], poll_interval=0.01, timeout=20)
exporter = agl.TracerTraceToTriplet()
agl.LegacyAgentRunner(Doubling(), client, agl.DummyTracer(), exporter).iter()
"""


async def test_results_of_a_worker_that_is_killed_are_delivered_by_one_that_lives(server):
    """The other one has been there all the time."""
    server.resources["res"] = {}
    async with hasty(LegacyClientStore(client_of(server)), look_again=0) as living:
        assert await living.dequeue_rollout() is None
        server.tasks.append(task(1))
        server.troubles["rollout"] = deque([503] * 1_000_000)
        worker = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", WORKER, server.url],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.DEVNULL,
        )
        try:
            # It is in the spool before it is posted.
            await asyncio.to_thread(server.until, "rollout", 1)
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait(60)
        assert server.reports == []
        server.troubles.clear()
        server.requeue()
        assert await living.dequeue_rollout() is None
        await asyncio.to_thread(server.until_reported, 1)
    assert rewards(server) == {"rollout-1": 2.0}
    async with LegacyClientStore(client_of(server)) as later:
        assert await later.dequeue_rollout() is None
    assert rewards(server) == {"rollout-1": 2.0}


async def test_answers_that_stay_senseless_put_a_result_aside(server, caplog):
    server.tasks.append(task(1))
    server.troubles["rollout"] = deque([HTML] * 100)
    async with hasty(LegacyClientStore(client_of(server), patience=60)) as store:
        await report(store, await store.dequeue_rollout(), 1.0)
    assert server.seen["rollout"] == 5
    assert "was refused, kept as" in caplog.text


async def test_a_worker_behind_the_bridge_that_is_gone(server):
    """Its task comes again from the server, and is given to another one."""
    server.tasks += [task(1), task(2)]
    async with UpstreamStore(client_of(server)) as store:
        gone = await store.dequeue_rollout("a")
        waiting = await store.dequeue_rollout("b")
        server.requeue()
        again = await store.dequeue_rollout("c")
        assert (again.rollout_id, again.attempt.sequence_id) == ("rollout-1", 2)
        await report(store, again, 1.0)
        await report(store, waiting, 2.0)
        await report(store, gone, 9.0)
        assert await store.dequeue_rollout("d") is None
    assert rewards(server) == {"rollout-1": 1.0, "rollout-2": 2.0}


def test_a_folder_that_goes_away_meanwhile_is_nobodys(tmp_path):
    """The owner tidied up between the look into the spool and the look at the lock."""
    first = Spool(tmp_path)
    second = Spool(tmp_path)
    path = first.add({"rollout_id": "r"})
    assert second.holds("r")
    found = second.leftovers()
    first.close()
    assert [item[0] for item in found] == [path]
    second.done(path)
    second.close()
    assert list(tmp_path.iterdir()) == []


def test_each_server_has_a_spool(tmp_path, monkeypatch):
    monkeypatch.setenv("AGL_SPOOL", str(tmp_path))
    assert default_folder("http://a").parent == tmp_path
    assert default_folder("http://a") != default_folder("http://b")


async def report(store, claimed, reward):
    """End an attempt with a result."""
    made = RolloutLegacy(rollout_id=claimed.rollout_id, final_reward=reward)
    store.set_report(claimed.attempt.attempt_id, made)
    await store.update_attempt(claimed.rollout_id, claimed.attempt.attempt_id, status="succeeded")


async def until(true):
    """Wait until something is true."""
    for _ in range(60_000):
        if true():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never was")
