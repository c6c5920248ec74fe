"""Attempts: what their reports do to them and to their rollouts."""

from __future__ import annotations

from tests.store.stage import refused


async def test_a_report_moves_attempt_and_rollout(stage):
    claimed = await stage.claimed()
    running = await stage.report(claimed, "running")
    assert (running.status, running.end_time) == ("running", None)
    assert await stage.status(claimed) == "running"
    stage.clock.advance(2)
    done = await stage.report(claimed, "succeeded")
    assert (done.status, done.end_time) == ("succeeded", stage.clock.now())
    found = await stage.store.get_rollout_by_id(claimed.rollout_id)
    assert (found.status, found.end_time) == ("succeeded", stage.clock.now())


async def test_latest_stands_for_the_latest(stage):
    claimed = await stage.claimed()
    second = await stage.store.start_attempt(claimed.rollout_id)
    done = await stage.store.update_attempt(claimed.rollout_id, "latest", status="succeeded")
    assert done.attempt_id == second.attempt.attempt_id


async def test_what_does_not_exist_cannot_report(stage):
    queued = await stage.store.enqueue_rollout(1)
    await refused(stage.store.update_attempt("nobody", "latest", status="failed"))
    await refused(stage.store.update_attempt(queued.rollout_id, "latest", status="failed"))
    await stage.store.dequeue_rollout()
    await refused(stage.store.update_attempt(queued.rollout_id, "at-none", status="failed"))


async def test_a_status_without_meaning_is_not_written(stage):
    claimed = await stage.claimed()
    await refused(stage.report(claimed, "lost"))
    assert await stage.attempt_status(claimed) == "preparing"


async def test_a_failure_is_final_without_a_condition(stage):
    claimed = await stage.claimed(max_attempts=5)
    await stage.report(claimed, "failed")
    assert await stage.status(claimed) == "failed"


async def test_failures_are_tried_again_up_to_the_limit(stage):
    claimed = await stage.claimed(max_attempts=3, retry_condition=["failed"])
    for number in (1, 2):
        await stage.report(claimed, "failed")
        found = await stage.store.get_rollout_by_id(claimed.rollout_id)
        assert (found.status, found.end_time) == ("requeuing", None)
        claimed = await stage.store.dequeue_rollout()
        assert claimed.attempt.sequence_id == number + 1
    await stage.report(claimed, "failed")
    assert await stage.status(claimed) == "failed"
    assert await stage.store.dequeue_rollout() is None


async def test_only_the_named_conditions_are_tried_again(stage):
    for status, expected in [
        ("failed", "failed"),
        ("timeout", "requeuing"),
        ("unresponsive", "failed"),
    ]:
        claimed = await stage.claimed(max_attempts=2, retry_condition=["timeout"])
        await stage.report(claimed, status)
        assert await stage.status(claimed) == expected
        await stage.store.dequeue_rollout()


async def test_older_attempts_do_not_speak_for_the_rollout(stage):
    first = await stage.claimed()
    second = await stage.store.start_attempt(first.rollout_id)
    late = await stage.report(first, "succeeded")
    assert late.status == "succeeded"
    assert await stage.status(first) == "preparing"
    await stage.report(second, "failed")
    assert await stage.status(first) == "failed"


async def test_a_late_success_of_a_queued_attempt_counts(stage):
    claimed = await stage.claimed(max_attempts=2, retry_condition=["timeout"])
    await stage.report(claimed, "timeout")
    assert await stage.status(claimed) == "requeuing"
    await stage.report(claimed, "succeeded")
    assert await stage.status(claimed) == "succeeded"
    assert await stage.store.dequeue_rollout() is None


async def test_a_late_success_after_a_failure_counts(stage):
    claimed = await stage.claimed()
    await stage.report(claimed, "unresponsive")
    assert await stage.status(claimed) == "failed"
    await stage.report(claimed, "succeeded")
    assert await stage.status(claimed) == "succeeded"


async def test_other_fields_change_too(stage):
    claimed = await stage.claimed()
    changed = await stage.store.update_attempt(
        claimed.rollout_id,
        "latest",
        worker_id="w9",
        last_heartbeat_time=12.5,
        metadata={"note": [1]},
    )
    assert (changed.worker_id, changed.last_heartbeat_time) == ("w9", 12.5)
    assert (changed.metadata, changed.status) == ({"note": [1]}, "preparing")
    changed = await stage.store.update_attempt(claimed.rollout_id, "latest", metadata=None)
    assert changed.metadata is None
    assert await stage.store.get_latest_attempt(claimed.rollout_id) == changed


async def test_a_note_does_not_bring_back_a_cancelled_rollout(stage):
    claimed = await stage.claimed()
    await stage.store.update_rollout(claimed.rollout_id, status="cancelled")
    await stage.store.update_attempt(claimed.rollout_id, "latest", metadata={"a": 1})
    assert await stage.status(claimed) == "cancelled"


async def test_a_cancelled_rollout_stays_cancelled_whatever_is_reported(stage):
    for status in ("running", "succeeded", "failed"):
        claimed = await stage.claimed(max_attempts=3, retry_condition=["failed"])
        await stage.store.update_rollout(claimed.rollout_id, status="cancelled")
        await stage.report(claimed, status)
        assert await stage.status(claimed) == "cancelled"
        assert await stage.attempt_status(claimed) == status


async def test_attempts_are_listed_in_their_order(stage):
    claimed = await stage.claimed()
    for _ in range(3):
        await stage.store.start_attempt(claimed.rollout_id)
    listed = await stage.store.query_attempts(claimed.rollout_id)
    assert [item.sequence_id for item in listed] == [1, 2, 3, 4]
    page = await stage.store.query_attempts(
        claimed.rollout_id, sort_order="desc", limit=2, offset=1
    )
    assert [item.sequence_id for item in page] == [3, 2]
    assert (page.total, page.limit, page.offset) == (4, 2, 1)
    assert list(await stage.store.query_attempts("nobody")) == []
    assert await stage.store.get_latest_attempt("nobody") is None
    latest = await stage.store.get_latest_attempt(claimed.rollout_id)
    assert latest.sequence_id == 4
