"""Workers: what the store knows of them."""

from __future__ import annotations

from tests.store.stage import refused


async def worker(stage, worker_id="w"):
    return await stage.store.get_worker_by_id(worker_id)


async def test_a_heartbeat_makes_a_worker_known(stage):
    assert await worker(stage) is None
    made = await stage.store.update_worker("w", {"cpu": 0.5})
    assert made.model_dump() == {
        "worker_id": "w",
        "status": "unknown",
        "heartbeat_stats": {"cpu": 0.5},
        "last_heartbeat_time": stage.clock.now(),
        "last_dequeue_time": None,
        "last_busy_time": None,
        "last_idle_time": None,
        "current_rollout_id": None,
        "current_attempt_id": None,
    }
    stage.clock.advance(1)
    again = await stage.store.update_worker("w")
    assert again.heartbeat_stats == {"cpu": 0.5}
    assert again.last_heartbeat_time == stage.clock.now()
    assert await worker(stage) == again


async def test_stats_cannot_be_none(stage):
    await refused(stage.store.update_worker("w", None), (ValueError, TypeError))


async def test_a_claim_makes_it_busy(stage):
    claimed = await stage.claimed("w")
    found = await worker(stage)
    now = stage.clock.now()
    assert (found.status, found.last_busy_time, found.last_dequeue_time) == ("busy", now, now)
    assert found.current_rollout_id == claimed.rollout_id
    assert found.current_attempt_id == claimed.attempt.attempt_id
    await stage.store.update_worker("w", {})
    assert (await worker(stage)).status == "busy"


async def test_starting_makes_it_busy(stage):
    started = await stage.store.start_rollout(1, worker_id="a")
    again = await stage.store.start_attempt(started.rollout_id, "b")
    for name, attempt in (("a", started.attempt), ("b", again.attempt)):
        found = await worker(stage, name)
        assert (found.status, found.current_attempt_id) == ("busy", attempt.attempt_id)
        assert found.last_dequeue_time is None


async def test_an_empty_queue_makes_it_idle(stage):
    await stage.store.dequeue_rollout("w")
    first = stage.clock.now()
    found = await worker(stage)
    assert (found.status, found.last_idle_time, found.last_dequeue_time) == ("idle", first, first)
    stage.clock.advance(2)
    await stage.store.dequeue_rollout("w")
    found = await worker(stage)
    assert (found.last_idle_time, found.last_dequeue_time) == (first, stage.clock.now())


async def test_nobody_is_made_known_by_an_anonymous_question(stage):
    await stage.store.dequeue_rollout()
    assert list(await stage.store.query_workers()) == []


async def test_many_claims_bind_it_to_the_last(stage):
    for number in range(3):
        await stage.store.enqueue_rollout(number)
    claimed = await stage.store.dequeue_many_rollouts(limit=3, worker_id="w")
    assert (await worker(stage)).current_attempt_id == claimed[-1].attempt.attempt_id
    assert {item.attempt.worker_id for item in claimed} == {"w"}


async def test_the_end_of_its_attempt_makes_it_idle_or_unknown(stage):
    for status, expected in [
        ("succeeded", "idle"),
        ("failed", "idle"),
        ("timeout", "unknown"),
        ("unresponsive", "unknown"),
    ]:
        claimed = await stage.claimed("w")
        stage.clock.advance(1)
        await stage.report(claimed, status)
        found = await worker(stage)
        assert (found.status, found.last_idle_time) == (expected, stage.clock.now())
        assert (found.current_rollout_id, found.current_attempt_id) == (None, None)


async def test_a_running_attempt_keeps_it_busy(stage):
    claimed = await stage.claimed("w")
    stage.clock.advance(1)
    await stage.report(claimed, "running")
    found = await worker(stage)
    assert (found.status, found.last_busy_time) == ("busy", stage.clock.now())


async def test_a_report_can_name_the_worker(stage):
    claimed = await stage.claimed()
    await stage.report(claimed, "running", worker_id="w7")
    assert (await worker(stage, "w7")).current_attempt_id == claimed.attempt.attempt_id


async def test_a_lost_attempt_leaves_it_unknown(stage):
    await stage.claimed("w", timeout_seconds=5)
    stage.clock.advance(6)
    await stage.store.query_workers()
    found = await worker(stage)
    assert (found.status, found.current_attempt_id) == ("unknown", None)


async def test_a_late_report_does_not_touch_what_it_does_now(stage):
    first = await stage.claimed("w")
    second = await stage.claimed("w")
    await stage.report(first, "failed")
    found = await worker(stage)
    assert (found.status, found.current_attempt_id) == ("busy", second.attempt.attempt_id)


async def test_cancelling_a_rollout_leaves_its_worker(stage):
    claimed = await stage.claimed("w")
    await stage.store.update_rollout(claimed.rollout_id, status="cancelled")
    assert (await worker(stage)).status == "busy"


async def test_questions(stage):
    await stage.claimed("w-busy")
    await stage.store.dequeue_rollout("w-idle")
    await stage.store.update_worker("x")

    async def found(**filters):
        return [item.worker_id for item in await stage.store.query_workers(**filters)]

    assert await found() == ["w-busy", "w-idle", "x"]
    assert await found(status_in=["idle", "unknown"]) == ["w-idle", "x"]
    assert await found(status_in=[]) == []
    assert await found(worker_id_contains="w-") == ["w-busy", "w-idle"]
    assert await found(status_in=["idle"], worker_id_contains="x") == []
    assert await found(status_in=["idle"], worker_id_contains="x", filter_logic="or") == [
        "w-idle",
        "x",
    ]
    assert await found(sort_by="worker_id", sort_order="desc") == ["x", "w-idle", "w-busy"]
    assert await found(sort_by="last_busy_time") == ["w-busy", "w-idle", "x"]
    page = await stage.store.query_workers(limit=1, offset=1)
    assert ([item.worker_id for item in page], page.total) == (["w-idle"], 3)
