"""Attempts that take too long or fall silent."""

from __future__ import annotations


async def statuses(stage, rollout):
    return await stage.status(rollout), await stage.attempt_status(rollout)


async def test_too_long_is_longer_than_the_limit(stage):
    claimed = await stage.claimed(timeout_seconds=10)
    stage.clock.advance(10)
    assert await statuses(stage, claimed) == ("preparing", "preparing")
    stage.clock.advance(0.5)
    assert await statuses(stage, claimed) == ("failed", "timeout")
    attempt = await stage.store.get_latest_attempt(claimed.rollout_id)
    assert attempt.end_time is None


async def test_heartbeats_do_not_extend_the_time(stage):
    claimed = await stage.claimed(timeout_seconds=10)
    for number in range(1, 4):
        stage.clock.advance(3)
        await stage.add(claimed, number)
    assert await statuses(stage, claimed) == ("running", "running")
    stage.clock.advance(2)
    assert await statuses(stage, claimed) == ("failed", "timeout")


async def test_silence_counts_from_the_last_sign_of_life(stage):
    claimed = await stage.claimed(unresponsive_seconds=5)
    for number in range(1, 5):
        stage.clock.advance(4)
        await stage.add(claimed, number)
    assert await statuses(stage, claimed) == ("running", "running")
    stage.clock.advance(5.5)
    assert await statuses(stage, claimed) == ("failed", "unresponsive")


async def test_silence_from_the_beginning_counts_from_the_claim(stage):
    queued = await stage.store.enqueue_rollout(
        1, config=stage.names.RolloutConfig(unresponsive_seconds=5)
    )
    stage.clock.advance(100)
    await stage.store.dequeue_rollout()
    stage.clock.advance(4)
    assert await statuses(stage, queued) == ("preparing", "preparing")
    stage.clock.advance(1.5)
    assert await statuses(stage, queued) == ("failed", "unresponsive")


async def test_a_heartbeat_can_be_reported(stage):
    claimed = await stage.claimed(unresponsive_seconds=5)
    stage.clock.advance(4)
    await stage.store.update_attempt(
        claimed.rollout_id, "latest", last_heartbeat_time=stage.clock.now()
    )
    stage.clock.advance(4)
    assert await statuses(stage, claimed) == ("preparing", "preparing")
    await stage.store.update_attempt(
        claimed.rollout_id, "latest", last_heartbeat_time=stage.clock.now() - 6
    )
    stage.clock.advance(0.1)
    assert await statuses(stage, claimed) == ("failed", "unresponsive")


async def test_time_is_looked_at_before_silence(stage):
    claimed = await stage.claimed(timeout_seconds=5, unresponsive_seconds=5)
    stage.clock.advance(6)
    assert await statuses(stage, claimed) == ("failed", "timeout")


async def test_lost_attempts_are_tried_again(stage):
    claimed = await stage.claimed(timeout_seconds=5, max_attempts=2, retry_condition=["timeout"])
    stage.clock.advance(6)
    again = await stage.store.dequeue_rollout()
    assert (again.rollout_id, again.attempt.sequence_id) == (claimed.rollout_id, 2)
    stage.clock.advance(4)
    assert await statuses(stage, claimed) == ("preparing", "preparing")
    stage.clock.advance(2)
    assert await statuses(stage, claimed) == ("failed", "timeout")
    assert await stage.store.dequeue_rollout() is None


async def test_what_is_finished_is_not_lost(stage):
    claimed = await stage.claimed(timeout_seconds=5, unresponsive_seconds=5)
    await stage.report(claimed, "succeeded")
    stage.clock.advance(60)
    assert await statuses(stage, claimed) == ("succeeded", "succeeded")


async def test_queued_rollouts_are_not_lost(stage):
    queued = await stage.store.enqueue_rollout(
        1, config=stage.names.RolloutConfig(timeout_seconds=5, unresponsive_seconds=5)
    )
    stage.clock.advance(60)
    assert await stage.status(queued) == "queuing"


async def test_only_the_latest_attempt_is_watched(stage):
    first = await stage.claimed(timeout_seconds=10)
    stage.clock.advance(8)
    await stage.store.start_attempt(first.rollout_id)
    stage.clock.advance(8)
    listed = await stage.store.query_attempts(first.rollout_id)
    assert [item.status for item in listed] == ["preparing", "preparing"]
    stage.clock.advance(3)
    listed = await stage.store.query_attempts(first.rollout_id)
    assert [item.status for item in listed] == ["preparing", "timeout"]


async def test_a_limit_that_is_set_later_counts(stage):
    claimed = await stage.claimed()
    stage.clock.advance(60)
    await stage.store.update_rollout(
        claimed.rollout_id, config=stage.names.RolloutConfig(timeout_seconds=30)
    )
    stage.clock.advance(0.1)
    assert await statuses(stage, claimed) == ("failed", "timeout")


async def test_a_silent_attempt_comes_back_with_a_span(stage):
    claimed = await stage.claimed(
        unresponsive_seconds=5, max_attempts=2, retry_condition=["unresponsive"]
    )
    stage.clock.advance(6)
    assert await statuses(stage, claimed) == ("requeuing", "unresponsive")
    await stage.add(claimed)
    assert await statuses(stage, claimed) == ("running", "running")
    assert await stage.store.dequeue_rollout() is None
    stage.clock.advance(6)
    assert await statuses(stage, claimed) == ("requeuing", "unresponsive")


async def test_an_attempt_whose_time_is_over_does_not_come_back(stage):
    claimed = await stage.claimed(timeout_seconds=5, max_attempts=2, retry_condition=["timeout"])
    stage.clock.advance(6)
    assert await statuses(stage, claimed) == ("requeuing", "timeout")
    await stage.add(claimed)
    assert await statuses(stage, claimed) == ("requeuing", "timeout")
    assert (await stage.store.dequeue_rollout()).attempt.sequence_id == 2


async def test_a_failed_rollout_is_not_brought_back_by_a_span(stage):
    claimed = await stage.claimed(unresponsive_seconds=5)
    stage.clock.advance(6)
    assert await statuses(stage, claimed) == ("failed", "unresponsive")
    await stage.add(claimed)
    assert await statuses(stage, claimed) == ("failed", "running")
    await stage.report(claimed, "succeeded")
    assert await statuses(stage, claimed) == ("succeeded", "succeeded")


async def test_a_clock_that_goes_back_loses_nothing(stage):
    claimed = await stage.claimed(timeout_seconds=5, unresponsive_seconds=5)
    stage.clock.advance(-100)
    assert await statuses(stage, claimed) == ("preparing", "preparing")
    await stage.add(claimed)
    stage.clock.advance(4)
    assert await statuses(stage, claimed) == ("running", "running")
