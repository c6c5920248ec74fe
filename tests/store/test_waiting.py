"""Waiting for the end of rollouts."""

from __future__ import annotations

import asyncio

from tests.store.stage import ids


async def test_what_is_finished_is_there_at_once(stage):
    first, second = await stage.claimed(), await stage.claimed()
    await stage.report(second, "succeeded")
    await stage.report(first, "failed")
    found = await stage.store.wait_for_rollouts(rollout_ids=[second.rollout_id, first.rollout_id])
    assert ids(found) == [second.rollout_id, first.rollout_id]
    assert [item.status for item in found] == ["succeeded", "failed"]
    assert not hasattr(found[0], "attempt")


async def test_after_the_time_those_that_are_finished(stage):
    first, second = await stage.claimed(), await stage.claimed()
    await stage.report(second, "succeeded")
    for timeout in (0, 0.05):
        found = await stage.store.wait_for_rollouts(
            rollout_ids=[first.rollout_id, second.rollout_id], timeout=timeout
        )
        assert ids(found) == [second.rollout_id]


async def test_unknown_ids_are_not_waited_for(stage):
    claimed = await stage.claimed()
    await stage.report(claimed, "succeeded")
    wait = stage.store.wait_for_rollouts(rollout_ids=["nobody", claimed.rollout_id], timeout=120)
    assert ids(await asyncio.wait_for(wait, 60)) == [claimed.rollout_id]
    assert await stage.store.wait_for_rollouts(rollout_ids=[]) == []


async def test_an_id_given_twice_comes_twice(stage):
    claimed = await stage.claimed()
    await stage.report(claimed, "succeeded")
    key = claimed.rollout_id
    assert ids(await stage.store.wait_for_rollouts(rollout_ids=[key, key])) == [key, key]


async def waiting(stage, *rollouts):
    task = asyncio.create_task(
        stage.store.wait_for_rollouts(rollout_ids=ids(rollouts), timeout=120)
    )
    done, _ = await asyncio.wait([task], timeout=0.05)
    assert not done
    return task


async def test_a_waiter_is_woken_by_the_last_report(stage):
    first, second = await stage.claimed(), await stage.claimed()
    task = await waiting(stage, first, second)
    await stage.report(second, "succeeded")
    await asyncio.wait([task], timeout=0.05)
    assert not task.done()
    await stage.report(first, "failed")
    assert ids(await asyncio.wait_for(task, 60)) == ids([first, second])


async def test_a_waiter_is_woken_by_a_cancellation(stage):
    queued = await stage.store.enqueue_rollout(1)
    task = await waiting(stage, queued)
    await stage.store.update_rollout(queued.rollout_id, status="cancelled")
    assert ids(await asyncio.wait_for(task, 60)) == [queued.rollout_id]


async def test_many_wait_for_the_same(stage):
    claimed = await stage.claimed()
    tasks = [await waiting(stage, claimed) for _ in range(3)]
    await stage.report(claimed, "succeeded")
    for task in tasks:
        assert ids(await asyncio.wait_for(task, 60)) == [claimed.rollout_id]


async def test_a_rollout_that_started_again_is_waited_for_again(stage):
    claimed = await stage.claimed()
    await stage.report(claimed, "failed")
    again = await stage.store.start_attempt(claimed.rollout_id)
    task = await waiting(stage, claimed)
    await stage.report(again, "succeeded")
    (found,) = await asyncio.wait_for(task, 60)
    assert found.status == "succeeded"
