"""Stores that several processes have open: claims, and waiting for what others do."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import ExitStack
from itertools import chain

import pytest

import agentlightning_compat as compat
from tests.store import database
from tests.store.processes import LONG, running, until
from tests.store.stage import ids


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path) -> str:
    """A store that has nothing in it yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    database.empty(database.shared())
    return database.shared()


CLAIMING = """
import asyncio, json, sys, threading
from agentlightning_compat import open_store

async def claim(store, number):
    if number % 2:
        return await store.dequeue_many_rollouts(limit=number % 5 + 2, worker_id=str(number))
    item = await store.dequeue_rollout()
    return [item] if item else []

async def claim_all(store, number, taken, once):
    while items := await claim(store, number):
        taken.append([item.rollout_id for item in items])
        if once:
            return

def claim_in_loop(store, results, once):
    async def run():
        await asyncio.gather(*(claim_all(store, n, taken, once) for n, taken in enumerate(results)))
    asyncio.run(run())

def claim_in_threads(store, results, once):
    halves = (results[:8], results[8:])
    threads = [threading.Thread(target=claim_in_loop, args=(store, h, once)) for h in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

def main():
    store = open_store(sys.argv[1])
    results = [[] for _ in range(16)]
    claim_in_threads(store, results, True)
    print("claimed")
    sys.stdin.readline()
    claim_in_threads(store, results, False)
    print(json.dumps(results))
    asyncio.run(store.close())

if __name__ == "__main__":
    main()
"""


async def test_64_claimants_in_4_processes_claim_each_rollout_once(url):
    async with compat.open_store(url) as store:
        request = compat.EnqueueRolloutRequest
        queued = await store.enqueue_many_rollouts([request(input=n) for n in range(5000)])
        with ExitStack() as stack:
            children = [stack.enter_context(running(CLAIMING, url)) for _ in range(3)]
            here: dict = {"__name__": "claiming"}
            exec(CLAIMING, here)
            mine: list = [[] for _ in range(16)]
            # Everybody has claimed before anybody goes on: no process can be too late.
            await asyncio.to_thread(here["claim_in_threads"], store, mine, True)
            assert [await asyncio.to_thread(child.hear) for child in children] == ["claimed"] * 3
            for child in children:
                child.tell("go")
            await asyncio.to_thread(here["claim_in_threads"], store, mine, False)
            others = [json.loads(await asyncio.to_thread(child.rest)) for child in children]
        claimants = list(chain(mine, *others))
        assert len(claimants) == 64
        order = {key: number for number, key in enumerate(ids(queued))}
        taken = [[order[key] for key in chain(*batches)] for batches in claimants]
        assert all(taken)
        assert sorted(chain(*taken)) == list(range(5000))
        assert all(numbers == sorted(numbers) for numbers in taken)
        page = await store.query_rollouts(status_in=["preparing"], limit=0)
        assert (page.total, (await store.statistics())["total_attempts"]) == (5000, 5000)


OTHER = """
import asyncio, sys
from agentlightning_compat import open_store

async def main():
    async with open_store(sys.argv[1]) as store:
        print("open")
        while line := sys.stdin.readline().split():
            if line[0] == "enqueue":
                await store.enqueue_rollout("from elsewhere")
            else:
                await store.update_attempt(line[1], "latest", status="succeeded")
asyncio.run(main())
"""


async def test_those_who_wait_hear_of_other_processes(url):
    async with compat.open_store(url) as store:
        store.fallback_poll = None  # or it would not be known who woke them
        with running(OTHER, url) as child:
            assert await asyncio.to_thread(child.hear) == "open"
            waiting = asyncio.create_task(store.dequeue_rollout("w", wait=LONG))
            await until(lambda: store._signals.claimants == 1)
            # It looks once more after it began to wait; only then does it depend on being told.
            await asyncio.wait([waiting], timeout=0.05)
            child.tell("enqueue")
            claimed = await asyncio.wait_for(waiting, LONG / 2)
            assert claimed.input == "from elsewhere"
            wait = store.wait_for_rollouts(rollout_ids=[claimed.rollout_id], timeout=LONG)
            ended = asyncio.create_task(wait)
            await until(lambda: store._signals.anybody)
            await asyncio.wait([ended], timeout=0.05)
            child.tell(f"finish {claimed.rollout_id}")
            assert ids(await asyncio.wait_for(ended, LONG / 2)) == [claimed.rollout_id]


async def test_deadlines_of_a_process_that_ended_are_seen_to(url):
    script = (
        "import asyncio, sys\n"
        "from agentlightning_compat import open_store\n"
        "async def main():\n"
        "    async with open_store(sys.argv[1]) as store:\n"
        "        made = await store.start_rollout(1, config={'timeout_seconds': 0.2})\n"
        "        print(made.rollout_id)\n"
        "asyncio.run(main())\n"
    )
    with running(script, url) as child:
        rollout_id = (await asyncio.to_thread(child.rest)).strip()
    async with compat.open_store(url) as store:
        (found,) = await store.wait_for_rollouts(rollout_ids=[rollout_id], timeout=LONG)
        assert found.status == "failed"


async def test_claims_given_up_at_any_moment_lose_nothing(url):
    async with compat.open_store(url) as store:
        request = compat.EnqueueRolloutRequest
        queued = ids(await store.enqueue_many_rollouts([request(input=n) for n in range(200)]))
        kept: list[str] = []
        for moment in range(60):
            claims = [asyncio.create_task(store.dequeue_rollout(f"w{n}")) for n in range(4)]
            # From before the claim begins until after it ended.
            await asyncio.wait(claims, timeout=moment * 0.0001)
            for claim in claims[:3]:
                claim.cancel()
            results = await asyncio.gather(*claims, return_exceptions=True)
            kept += ids(item for item in results if item and not isinstance(item, BaseException))
        while len(kept) < len(queued):
            item = await store.dequeue_rollout(wait=LONG)
            assert item is not None, "a claim was lost"
            kept.append(item.rollout_id)
        assert sorted(kept) == sorted(queued)
        assert (await store.statistics())["total_attempts"] == len(queued)


async def test_a_claim_that_comes_back_is_as_it_was(url):
    async with compat.open_store(url) as store, compat.open_store(url) as other:
        queued = [await store.enqueue_rollout(n) for n in range(2)]

        async def has_become(status: str) -> None:
            async def is_so() -> bool:
                return (await other.get_rollout_by_id(queued[0].rollout_id)).status == status

            await until(is_so)

        claim = asyncio.create_task(store.dequeue_rollout("w"))
        await asyncio.sleep(0)
        # The claim is committed while the claimant's loop stands still, and given up then.
        looking = threading.Thread(target=lambda: asyncio.run(has_become("preparing")))
        looking.start()
        looking.join()
        claim.cancel()
        await asyncio.wait([claim])
        assert claim.cancelled()
        await has_become("queuing")
        assert (await store.get_worker_by_id("w")).current_attempt_id is None
        claims = [await store.dequeue_rollout() for _ in queued]
        assert ids(claims) == ids(queued)
        assert [item.attempt.sequence_id for item in claims] == [1, 1]
