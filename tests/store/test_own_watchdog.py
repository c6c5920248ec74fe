"""Overdue attempts are found although nobody calls the store. These run on the real clock."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import pytest

from agentlightning_compat.clock import SystemClock
from tests.store import database
from tests.store.conftest import BACKENDS
from tests.store.stage import Stage, ids


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def make_store(request, tmp_path):
    """A maker of stores that answer in this process: those have a watchdog."""
    if request.param == "postgres":
        database.empty(database.shared())
    return lambda clock: BACKENDS[request.param](tmp_path, clock)


async def on_real_time(make_store):
    import agentlightning_compat.model as names

    return Stage(make_store(SystemClock()), names, SystemClock())


async def test_a_waiter_hears_of_a_timeout(make_store):
    stage = await on_real_time(make_store)
    claimed = await stage.claimed("w", timeout_seconds=0.05)
    wait = stage.store.wait_for_rollouts(rollout_ids=[claimed.rollout_id], timeout=120)
    (found,) = await asyncio.wait_for(wait, 60)
    assert found.status == "failed"
    assert await stage.attempt_status(claimed) == "timeout"
    assert (await stage.store.get_worker_by_id("w")).status == "unknown"
    await stage.store.close()


async def test_a_claimant_hears_of_a_retry(make_store):
    stage = await on_real_time(make_store)
    claimed = await stage.claimed(
        unresponsive_seconds=0.05, max_attempts=2, retry_condition=["unresponsive"]
    )
    again = await asyncio.wait_for(stage.store.dequeue_rollout(wait=120), 60)
    assert (again.rollout_id, again.attempt.sequence_id) == (claimed.rollout_id, 2)
    await stage.store.close()


async def test_an_earlier_deadline_is_seen_earlier(make_store):
    stage = await on_real_time(make_store)
    later = await stage.claimed(timeout_seconds=600)
    sooner = await stage.claimed(timeout_seconds=0.05)
    keys = ids([sooner])
    (found,) = await asyncio.wait_for(
        stage.store.wait_for_rollouts(rollout_ids=keys, timeout=120), 60
    )
    assert found.status == "failed"
    assert await stage.status(later) == "preparing"
    await stage.store.close()


def watchdogs() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "store-watchdog"}


async def test_a_closed_store_leaves_no_thread(make_store):
    before = watchdogs()  # those of stores that were forgotten just now may be ending
    stage = await on_real_time(make_store)
    async with stage.store:
        await stage.claimed(timeout_seconds=600)
        assert watchdogs() - before
    assert not watchdogs() - before


async def test_a_watched_store_can_be_forgotten(make_store):
    before = watchdogs()
    stage = await on_real_time(make_store)
    await stage.claimed(timeout_seconds=600)
    (thread,) = watchdogs() - before
    forgotten = weakref.ref(stage.store)
    del stage
    gc.collect()
    # The thread may be looking just now, which ends soon; then nothing holds the store.
    await asyncio.to_thread(thread.join, 60)
    assert not thread.is_alive()
    assert forgotten() is None
