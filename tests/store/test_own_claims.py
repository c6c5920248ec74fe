"""Waiting claims, claims by many at once, and claims that are given up."""

from __future__ import annotations

import asyncio
import threading
from itertools import chain

from tests.store.stage import ids


async def claimant(stage, wait=120.0, worker_id=None):
    """A claim that waits already."""
    task = asyncio.create_task(stage.store.dequeue_rollout(worker_id, wait=wait))
    done, _ = await asyncio.wait([task], timeout=0.05)
    assert not done
    return task


async def test_a_wait_ends_with_nothing(stage):
    assert await stage.store.dequeue_rollout(wait=0.02) is None
    assert list(await stage.store.dequeue_many_rollouts(limit=2, wait=0.02)) == []


async def test_what_is_there_is_not_waited_for(stage):
    queued = await stage.store.enqueue_rollout(1)
    claimed = await asyncio.wait_for(stage.store.dequeue_rollout(wait=120), 60)
    assert claimed.rollout_id == queued.rollout_id


async def test_a_claimant_is_woken_by_a_new_rollout(stage):
    task = await claimant(stage, worker_id="w")
    queued = await stage.store.enqueue_rollout(1)
    claimed = await asyncio.wait_for(task, 60)
    assert claimed.rollout_id == queued.rollout_id
    assert (await stage.store.get_worker_by_id("w")).status == "busy"


async def test_a_claimant_is_woken_by_a_retry(stage):
    first = await stage.claimed(max_attempts=2, retry_condition=["failed"])
    task = await claimant(stage)
    await stage.report(first, "failed")
    assert (await asyncio.wait_for(task, 60)).attempt.sequence_id == 2


async def test_a_claimant_is_woken_by_a_rollout_that_is_queued_again(stage):
    first = await stage.claimed()
    task = await claimant(stage)
    await stage.store.update_rollout(first.rollout_id, status="queuing")
    assert (await asyncio.wait_for(task, 60)).rollout_id == first.rollout_id


async def test_as_many_are_woken_as_there_is_work_for(stage):
    tasks = [await claimant(stage) for _ in range(5)]
    request = stage.names.EnqueueRolloutRequest
    queued = await stage.store.enqueue_many_rollouts([request(input=n) for n in range(3)])
    done: set[asyncio.Task] = set()
    while len(done) < 3:
        finished, _ = await asyncio.wait(
            set(tasks) - done, timeout=60, return_when=asyncio.FIRST_COMPLETED
        )
        assert finished
        done |= finished
    assert sorted(ids(task.result() for task in done)) == sorted(ids(queued))
    rest = [task for task in tasks if task not in done]
    assert not any(task.done() for task in rest)
    await stage.store.enqueue_many_rollouts([request(input=n) for n in range(2)])
    assert all(await asyncio.wait_for(asyncio.gather(*rest), 60))


async def test_a_claimant_that_gives_up_passes_the_word_on(stage):
    first, second = await claimant(stage), await claimant(stage)
    await stage.store.enqueue_rollout(1)
    first.cancel()
    claimed = await asyncio.wait_for(second, 60) if not second.done() else second.result()
    assert claimed is not None


async def test_giving_up_loses_nothing(stage):
    request = stage.names.EnqueueRolloutRequest
    queued = await stage.store.enqueue_many_rollouts([request(input=n) for n in range(40)])
    tasks = [asyncio.create_task(stage.store.dequeue_rollout(wait=120)) for _ in range(40)]
    for turn in range(4):
        await asyncio.wait(tasks, timeout=0)
        for task in tasks[turn::8]:
            task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    claimed = ids(item for item in results if not isinstance(item, BaseException))
    # A claim that nobody heard of goes back by itself, soon after it was given up.
    while len(claimed) < len(queued):
        item = await stage.store.dequeue_rollout(wait=60)
        assert item is not None, "a rollout was lost"
        claimed.append(item.rollout_id)
    assert sorted(claimed) == sorted(ids(queued))
    assert await stage.store.dequeue_rollout() is None


async def claim_all(store) -> list[str]:
    taken = []
    while (item := await store.dequeue_rollout()) is not None:
        taken.append(item.rollout_id)
    return taken


async def test_64_tasks_claim_each_rollout_once(stage):
    request = stage.names.EnqueueRolloutRequest
    queued = await stage.store.enqueue_many_rollouts([request(input=n) for n in range(2000)])
    taken = await asyncio.gather(*(claim_all(stage.store) for _ in range(64)))
    assert sorted(chain.from_iterable(taken)) == sorted(ids(queued))
    place = {key: number for number, key in enumerate(ids(queued))}
    for one in taken:
        assert one == sorted(one, key=place.__getitem__)


async def test_threads_with_loops_of_their_own_claim_each_rollout_once(stage):
    request = stage.names.EnqueueRolloutRequest
    queued = await stage.store.enqueue_many_rollouts([request(input=n) for n in range(1000)])
    taken: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: taken.append(asyncio.run(claim_all(stage.store))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    await asyncio.to_thread(lambda: [thread.join() for thread in threads])
    assert sorted(chain.from_iterable(taken)) == sorted(ids(queued))


async def test_a_claimant_is_woken_from_another_thread(stage):
    task = await claimant(stage)
    await asyncio.to_thread(lambda: asyncio.run(stage.store.enqueue_rollout(1)))
    assert (await asyncio.wait_for(task, 60)).input == 1


async def test_a_waiter_is_woken_from_another_thread(stage):
    claimed = await stage.claimed()
    wait = asyncio.create_task(
        stage.store.wait_for_rollouts(rollout_ids=[claimed.rollout_id], timeout=120)
    )
    await asyncio.wait([wait], timeout=0.05)
    await asyncio.to_thread(lambda: asyncio.run(stage.report(claimed, "succeeded")))
    assert ids(await asyncio.wait_for(wait, 60)) == [claimed.rollout_id]
