"""The queue: who gets what, and in which order."""

from __future__ import annotations

from tests.store.stage import ids


async def test_an_empty_queue_gives_nothing(stage):
    assert await stage.store.dequeue_rollout() is None
    assert list(await stage.store.dequeue_many_rollouts(limit=3)) == []


async def test_first_in_first_out(stage):
    queued = [await stage.store.enqueue_rollout(n) for n in range(5)]
    claimed = [await stage.store.dequeue_rollout() for _ in range(5)]
    assert ids(claimed) == ids(queued)
    assert [item.input for item in claimed] == [0, 1, 2, 3, 4]
    assert await stage.store.dequeue_rollout() is None


async def test_a_queued_rollout_is_as_it_was_asked_for(stage):
    config = stage.names.RolloutConfig(timeout_seconds=9, max_attempts=2)
    queued = await stage.store.enqueue_rollout(
        {"q": [1, 2]}, mode="train", resources_id="rs-x", config=config, metadata={"k": "v"}
    )
    assert queued.rollout_id.startswith("ro-")
    assert len(queued.rollout_id) == 15
    assert queued.model_dump() == {
        "rollout_id": queued.rollout_id,
        "input": {"q": [1, 2]},
        "start_time": stage.clock.now(),
        "end_time": None,
        "mode": "train",
        "resources_id": "rs-x",
        "status": "queuing",
        "config": {
            "timeout_seconds": 9,
            "unresponsive_seconds": None,
            "max_attempts": 2,
            "retry_condition": [],
        },
        "metadata": {"k": "v"},
    }


async def test_metadata_that_is_not_given_is_empty(stage):
    assert (await stage.store.enqueue_rollout(1)).metadata == {}
    assert (await stage.store.start_rollout(1)).metadata == {}


async def test_a_claim_makes_an_attempt(stage):
    queued = await stage.store.enqueue_rollout("task")
    stage.clock.advance(3)
    claimed = await stage.store.dequeue_rollout("w")
    assert (claimed.status, claimed.start_time) == ("preparing", queued.start_time)
    attempt = claimed.attempt
    assert attempt.attempt_id.startswith("at-")
    assert len(attempt.attempt_id) == 11
    assert attempt.model_dump() == {
        "rollout_id": queued.rollout_id,
        "attempt_id": attempt.attempt_id,
        "sequence_id": 1,
        "start_time": stage.clock.now(),
        "end_time": None,
        "status": "preparing",
        "worker_id": "w",
        "last_heartbeat_time": None,
        "metadata": None,
    }


async def test_many_are_queued_in_their_order(stage):
    request = stage.names.EnqueueRolloutRequest
    queued = await stage.store.enqueue_many_rollouts(
        [request(input=1), request(input=2, mode="val"), request(input=3)]
    )
    assert [item.input for item in queued] == [1, 2, 3]
    assert [item.mode for item in queued] == [None, "val", None]
    assert list(await stage.store.enqueue_many_rollouts([])) == []
    claimed = await stage.store.dequeue_many_rollouts(limit=2)
    assert ids(claimed) == ids(queued)[:2]
    assert ids(await stage.store.dequeue_many_rollouts(limit=9)) == ids(queued)[2:]


async def test_a_limit_of_nothing_claims_nothing(stage):
    await stage.store.enqueue_rollout(1)
    assert list(await stage.store.dequeue_many_rollouts(limit=0)) == []
    assert list(await stage.store.dequeue_many_rollouts(limit=-4)) == []
    assert len(await stage.store.dequeue_many_rollouts()) == 1


async def test_the_latest_resources_are_those_of_the_time_of_queuing(stage):
    llm = stage.names.LLM(endpoint="http://h", model="m")
    before = await stage.store.enqueue_rollout(1)
    first = await stage.store.add_resources({"main": llm})
    during = await stage.store.enqueue_rollout(2)
    second = await stage.store.add_resources({"main": llm})
    started = await stage.store.start_rollout(3)
    named = await stage.store.enqueue_rollout(4, resources_id="nobody-knows")
    assert [before.resources_id, during.resources_id] == [None, first.resources_id]
    assert started.resources_id == second.resources_id
    assert named.resources_id == "nobody-knows"


async def test_a_started_rollout_is_never_queued(stage):
    started = await stage.store.start_rollout("task", worker_id="w")
    assert (started.status, started.attempt.sequence_id) == ("preparing", 1)
    assert started.attempt.worker_id == "w"
    assert await stage.store.dequeue_rollout() is None


async def test_a_cancelled_rollout_is_passed_over(stage):
    first = await stage.store.enqueue_rollout(1)
    second = await stage.store.enqueue_rollout(2)
    await stage.store.update_rollout(first.rollout_id, status="cancelled")
    assert (await stage.store.dequeue_rollout()).rollout_id == second.rollout_id
    assert await stage.store.dequeue_rollout() is None


async def test_a_requeued_rollout_goes_to_the_tail(stage):
    config = stage.names.RolloutConfig(max_attempts=2, retry_condition=["failed"])
    first = await stage.store.enqueue_rollout(1, config=config)
    second = await stage.store.enqueue_rollout(2)
    claimed = await stage.store.dequeue_rollout()
    await stage.report(claimed, "failed")
    assert (await stage.store.dequeue_rollout()).rollout_id == second.rollout_id
    again = await stage.store.dequeue_rollout()
    assert (again.rollout_id, again.attempt.sequence_id) == (first.rollout_id, 2)


async def test_a_rollout_is_queued_once(stage):
    first = await stage.store.enqueue_rollout(1)
    second = await stage.store.enqueue_rollout(2)
    for status in ("requeuing", "queuing"):
        await stage.store.update_rollout(first.rollout_id, status=status)
    claimed = await stage.store.dequeue_many_rollouts(limit=9)
    assert ids(claimed) == [first.rollout_id, second.rollout_id]


async def test_a_finished_rollout_can_be_queued_again(stage):
    claimed = await stage.claimed()
    await stage.report(claimed, "succeeded")
    await stage.store.update_rollout(claimed.rollout_id, status="queuing")
    again = await stage.store.dequeue_rollout()
    assert (again.rollout_id, again.attempt.sequence_id) == (claimed.rollout_id, 2)


async def test_who_left_the_queue_and_comes_back_is_last(stage):
    first = await stage.store.enqueue_rollout(1)
    second = await stage.store.enqueue_rollout(2)
    await stage.store.update_rollout(first.rollout_id, status="cancelled")
    await stage.store.update_rollout(first.rollout_id, status="queuing")
    claimed = await stage.store.dequeue_many_rollouts(limit=9)
    assert ids(claimed) == [second.rollout_id, first.rollout_id]


async def test_a_rollout_that_is_started_by_hand_leaves_the_queue(stage):
    queued = await stage.store.enqueue_rollout(1)
    started = await stage.store.start_attempt(queued.rollout_id)
    assert started.status == "preparing"
    assert await stage.store.dequeue_rollout() is None
