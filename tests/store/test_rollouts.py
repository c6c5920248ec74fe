"""Rollouts: changed, started again, read."""

from __future__ import annotations

from tests.store.stage import refused


async def test_only_what_is_given_changes(stage):
    made = await stage.store.enqueue_rollout({"q": 1}, mode="train", metadata={"a": 1})
    changed = await stage.store.update_rollout(made.rollout_id, metadata={"b": 2})
    assert changed.model_dump() == {**made.model_dump(), "metadata": {"b": 2}}
    changed = await stage.store.update_rollout(
        made.rollout_id, input=None, mode=None, resources_id="rs", metadata=None
    )
    assert (changed.input, changed.mode, changed.resources_id) == (None, None, "rs")
    assert changed.metadata is None
    config = stage.names.RolloutConfig(max_attempts=4)
    changed = await stage.store.update_rollout(made.rollout_id, config=config)
    assert changed.config.max_attempts == 4
    assert type(changed).__name__ == "Rollout"


async def test_finishing_stamps_the_end(stage):
    claimed = await stage.claimed()
    stage.clock.advance(5)
    done = await stage.store.update_rollout(claimed.rollout_id, status="cancelled")
    assert (done.status, done.end_time) == ("cancelled", stage.clock.now())
    assert await stage.attempt_status(claimed) == "preparing"


async def test_every_status_can_be_set_from_every_other(stage):
    statuses = "queuing preparing running failed succeeded cancelled requeuing".split()
    made = await stage.store.enqueue_rollout(1)
    for first in statuses:
        for second in statuses:
            await stage.store.update_rollout(made.rollout_id, status=first)
            changed = await stage.store.update_rollout(made.rollout_id, status=second)
            assert changed.status == second


async def test_unknown_rollouts_cannot_be_changed(stage):
    await refused(stage.store.update_rollout("nobody", status="failed"))
    await refused(stage.store.start_attempt("nobody"))
    assert await stage.store.get_rollout_by_id("nobody") is None


async def test_words_without_meaning_change_nothing(stage):
    made = await stage.store.enqueue_rollout(1)
    await refused(stage.store.update_rollout(made.rollout_id, status="lost"))
    await refused(stage.store.update_rollout(made.rollout_id, mode="play"))
    await refused(stage.store.enqueue_rollout(1, mode="play"))
    found = await stage.store.get_rollout_by_id(made.rollout_id)
    assert (found.status, found.mode) == ("queuing", None)


async def test_reading_attaches_the_latest_attempt(stage):
    made = await stage.store.enqueue_rollout(1)
    found = await stage.store.get_rollout_by_id(made.rollout_id)
    assert not hasattr(found, "attempt")
    await stage.store.dequeue_rollout()
    second = await stage.store.start_attempt(made.rollout_id)
    found = await stage.store.get_rollout_by_id(made.rollout_id)
    assert found.attempt == second.attempt
    assert found.attempt.sequence_id == 2


async def test_starting_again_does_not_ask_for_the_limit(stage):
    claimed = await stage.claimed(max_attempts=1)
    await stage.report(claimed, "failed")
    again = await stage.store.start_attempt(claimed.rollout_id, "w2")
    assert (again.status, again.attempt.sequence_id) == ("preparing", 2)
    assert again.attempt.worker_id == "w2"


async def test_a_rollout_that_starts_again_has_not_ended(stage):
    claimed = await stage.claimed()
    await stage.report(claimed, "succeeded")
    again = await stage.store.start_attempt(claimed.rollout_id)
    assert again.end_time is None
    stage.clock.advance(7)
    await stage.report(again, "succeeded")
    found = await stage.store.get_rollout_by_id(claimed.rollout_id)
    assert found.end_time == stage.clock.now()
