"""What a real legacy server does with tasks that take too long, and what comes of it here."""

from __future__ import annotations

import json

import aiohttp
import pytest

from agentlightning_compat.legacy.client_store import LegacyClientStore
from agentlightning_compat.model import RolloutLegacy
from tests.legacy.bridge.test_matrix import free_port, real

pytestmark = pytest.mark.oracle

# After 0 seconds every claimed task is overdue, whenever anybody asks for one.
SERVER = """
import asyncio, json, sys
import agentlightning as agl

async def main():
    server = agl.AgentLightningServer("127.0.0.1", int(sys.argv[1]), task_timeout_seconds=0)
    await server.start()
    loop = asyncio.get_running_loop()
    for number in range(int(sys.argv[2])):
        await server.queue_task(number, mode="train")
    while True:
        found = await server.retrieve_completed_rollouts()
        print(json.dumps([[r.rollout_id, r.final_reward] for r in found]), flush=True)
        if not await loop.run_in_executor(None, sys.stdin.readline):
            return

asyncio.run(main())
"""


class Taken:
    """What the algorithm on the server takes."""

    def __init__(self, process) -> None:
        self._lines = (line for line in iter(process.stdout.readline, "") if line.startswith("["))
        self._process = process

    def results(self):
        return json.loads(next(self._lines))

    def again(self):
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self.results()


async def post(store, claimed, reward):
    report = RolloutLegacy(rollout_id=claimed.rollout_id, final_reward=reward)
    store.set_report(claimed.attempt.attempt_id, report)
    await store.update_attempt(claimed.rollout_id, "latest", status="succeeded")


async def test_copies_of_tasks_are_left_out():
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with real("0.1.2", SERVER, port, 2) as process:
        taken = Taken(process)
        assert taken.results() == []
        async with LegacyClientStore(url, patience=60) as store:
            # The second poll is told that the first task is overdue, and hands out the second;
            # the copy of the first waits in the queue.
            first, second = await store.dequeue_many_rollouts(limit=2)
            await post(store, first, 1.0)
            assert taken.again() == [[first.rollout_id, 1.0]]
            async with aiohttp.ClientSession(url) as other, other.get("/task") as answer:
                copy = (await answer.json())["task"]
            # So a real server is: it has the result, and has handed the task out again.
            assert (copy["rollout_id"], copy["num_claims"]) == (first.rollout_id, 2)
            # The copies go round: they are overdue each time that anybody asks.
            assert await store.dequeue_rollout() is None
            await post(store, second, 2.0)
            assert await store.dequeue_rollout() is None
        assert taken.again() == [[second.rollout_id, 2.0]]


async def test_a_result_that_is_posted_twice_replaces_the_first():
    """For as long as nobody took it: so a lost receipt does no harm."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with real("0.1.2", SERVER, port, 1) as process:
        taken = Taken(process)
        assert taken.results() == []
        async with aiohttp.ClientSession(url) as session:
            async with session.get("/task") as answer:
                key = (await answer.json())["task"]["rollout_id"]
            for reward in (1.0, 2.0):
                report = {"rollout_id": key, "final_reward": reward}
                async with session.post("/rollout", json=report) as answer:
                    assert answer.status == 200
        assert taken.again() == [[key, 2.0]]
