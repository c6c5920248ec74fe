"""Deadlines are seen to before a call is answered, also while somebody else is busy with them."""

from __future__ import annotations

import asyncio
import sqlite3
import threading

import asyncpg
import pytest

import agentlightning_compat.model as names
from agentlightning_compat.clock import ManualClock
from agentlightning_compat.store.commands import Sweep
from agentlightning_compat.store.postgres import PostgresLightningStore
from agentlightning_compat.store.sql.transaction import SqlTransaction
from agentlightning_compat.store.sqlite import SqliteLightningStore
from tests.store import database
from tests.store.conftest import BACKENDS
from tests.store.processes import until
from tests.store.stage import Stage, ids

RETRY = {"timeout_seconds": 5, "max_attempts": 2, "retry_condition": ["timeout"]}


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def make_store(request, tmp_path):
    """A maker of stores that answer in this process: those have a watchdog."""
    if request.param == "postgres":
        database.empty(database.shared())
    return lambda clock: BACKENDS[request.param](tmp_path, clock)


@pytest.fixture
def unwatched(monkeypatch):
    """Nobody sweeps but whoever is told to."""
    monkeypatch.setattr("agentlightning_compat.store.watchdog.Watchdog.look_again", lambda _: None)


async def test_a_deadline_that_comes_up_during_a_sweep_is_kept(unwatched, stage, monkeypatch):
    """Also when two sweeps are under way: both have looked before, and end after."""
    transact = stage.store._transact
    sweeps = []
    claimed = []

    async def held(run, command, now):
        result = await transact(run, command, now)
        if isinstance(command, Sweep):
            sweeps.append(result)
            if len(sweeps) == 1:
                await stage.store._sweep()
            elif len(sweeps) == 2:
                claimed.append(await stage.claimed(**RETRY))
        return result

    monkeypatch.setattr(stage.store, "_transact", held)
    pause = await asyncio.to_thread(stage.store.sweep_now)
    assert [found for found, _ in sweeps] == [None, None]
    assert pause <= 5.001
    stage.clock.advance(6)
    again = await stage.store.dequeue_rollout()
    assert ids([again]) == ids(claimed)
    assert again.attempt.sequence_id == 2


async def test_a_clock_that_goes_back_during_a_sweep_does_not_hold_it_up(stage, monkeypatch):
    claimed = await stage.claimed(**RETRY)
    stage.clock.advance(6)
    transact = stage.store._transact

    async def back(run, command, now):
        if isinstance(command, Sweep):
            stage.clock.advance(-4)
        return await transact(run, command, stage.clock.now())

    monkeypatch.setattr(stage.store, "_transact", back)
    assert await asyncio.wait_for(stage.status(claimed), 20) == "preparing"


@pytest.fixture
def postgres(unwatched):
    """A maker of stores over the same database."""
    url = database.shared()
    database.empty(url)
    clock = ManualClock()
    stores = []

    def make() -> Stage:
        stores.append(PostgresLightningStore(url, clock=clock))
        return Stage(stores[-1], names, clock)

    yield make
    for store in stores:
        asyncio.run(store.close())


async def blocked(count: int) -> None:
    """Return once so many connections wait for a lock."""
    raw = await asyncpg.connect(database.shared())

    async def waiting() -> bool:
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND application_name = 'agentlightning-compat'"
        )
        return await raw.fetchval(query) == count

    await until(waiting)
    await raw.close()


class Gates:
    """Holds sweeps open before their end, the first ones that come."""

    def __init__(self, count: int) -> None:
        self.reached = [threading.Event() for _ in range(count)]
        self.open = [threading.Event() for _ in range(count)]
        self._look = SqlTransaction.next_check
        self._arrived = 0

    def method(self):
        async def next_check(tx):
            number = self._arrived
            self._arrived += 1
            if number < len(self.open):
                self.reached[number].set()
                await asyncio.to_thread(self.open[number].wait, 60)
            return await self._look(tx)

        return next_check

    async def arrival(self, number: int) -> None:
        assert await asyncio.to_thread(self.reached[number].wait, 60)


async def test_a_claim_sees_the_deadline_that_two_sweeps_are_busy_with(postgres, monkeypatch):
    one, two, three = postgres(), postgres(), postgres()
    claimed = await one.claimed(**RETRY)
    one.clock.advance(6)
    gates = Gates(2)
    monkeypatch.setattr(SqlTransaction, "next_check", gates.method())
    first = asyncio.create_task(one.store._sweep())
    await gates.arrival(0)
    second = asyncio.create_task(two.store._sweep())
    await blocked(1)
    # The first has put the rollout into the queue. The second waited for it, finds that there is
    # nothing left to do, and has the row locked all the same until it ends.
    gates.open[0].set()
    await first
    await gates.arrival(1)
    claim = asyncio.create_task(three.store.dequeue_rollout())
    await blocked(1)
    assert not claim.done()
    gates.open[1].set()
    again = await asyncio.wait_for(claim, 60)
    assert (again.rollout_id, again.attempt.sequence_id) == (claimed.rollout_id, 2)
    await second


async def test_a_claim_waits_for_the_sweep_that_is_not_over(postgres, monkeypatch):
    one, two = postgres(), postgres()
    claimed = await one.claimed(**RETRY)
    await until(lambda: two.store._check_at is not None)  # it is told
    one.clock.advance(6)
    gates = Gates(1)
    monkeypatch.setattr(SqlTransaction, "next_check", gates.method())
    first = asyncio.create_task(one.store._sweep())
    await gates.arrival(0)
    claims = [asyncio.create_task(stage.store.dequeue_rollout()) for stage in (one, two)]
    await blocked(2)
    gates.open[0].set()
    results = await asyncio.wait_for(asyncio.gather(*claims), 60)
    assert ids(item for item in results if item) == ids([claimed])
    await first


async def test_whoever_stands_still_in_a_transaction_is_not_waited_for_long(postgres, monkeypatch):
    monkeypatch.setattr("agentlightning_compat.store.postgres_engine._LONGEST_PAUSE", 1000)
    one, two = postgres(), postgres()
    claimed = await one.claimed(**RETRY)
    one.clock.advance(6)
    gates = Gates(1)
    monkeypatch.setattr(SqlTransaction, "next_check", gates.method())
    stopped = asyncio.create_task(one.store._sweep())
    await gates.arrival(0)
    # Word of the claim's deadline may come while it sweeps; then there is one more look.
    while await asyncio.wait_for(two.store._sweep(), 60) is not None:
        pass
    assert ids([await two.store.dequeue_rollout()]) == ids([claimed])
    gates.open[0].set()
    assert await asyncio.wait_for(stopped, 60) == pytest.approx(5.001)


async def test_a_locked_rollout_is_passed_over_only_while_there_are_others(postgres):
    stage = postgres()
    first, second = [await stage.store.enqueue_rollout(n) for n in range(2)]
    raw = await asyncpg.connect(database.shared())
    lock = raw.transaction()
    await lock.start()
    await raw.execute(
        f"SELECT 1 FROM {database.SCHEMA}.rollouts WHERE rollout_id = $1 FOR UPDATE",
        first.rollout_id,
    )
    assert ids(await stage.store.dequeue_many_rollouts(limit=2)) == ids([second])
    claims = [asyncio.create_task(stage.store.dequeue_rollout()) for _ in range(3)]
    await blocked(3)
    await lock.rollback()
    results = await asyncio.wait_for(asyncio.gather(*claims), 60)
    assert ids(item for item in results if item) == ids([first])
    await raw.close()


async def test_a_sweep_of_another_process_is_waited_for_in_a_file(unwatched, tmp_path):
    path = tmp_path / "store.db"
    clock = ManualClock()
    async with SqliteLightningStore(path, clock=clock) as store:
        claimed = await Stage(store, names, clock).claimed(**RETRY)
        clock.advance(6)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        other.execute(
            "UPDATE rollouts SET status = 'requeuing', check_at = NULL, queue_position = 1000"
        )
        reads = [store.get_rollout_by_id(claimed.rollout_id), store.dequeue_rollout()]
        calls = asyncio.gather(*reads)
        await asyncio.wait([calls], timeout=0.1)
        assert not calls.done()
        other.execute("COMMIT")
        other.close()
        read, again = await asyncio.wait_for(calls, 60)
        assert read.status in ("requeuing", "preparing")
        assert again.attempt.sequence_id == 2


@pytest.fixture(params=["sqlite", "postgres"])
def two(request, tmp_path):
    """A maker of two stores over the same data: they stand for processes, and share nothing else."""
    if request.param == "postgres":
        database.empty(database.shared())

    def make(**options):
        if request.param == "postgres":
            return [PostgresLightningStore(database.shared(), **options) for _ in range(2)]
        return [SqliteLightningStore(tmp_path / "store.db", **options) for _ in range(2)]

    return make


async def test_the_deadlines_of_another_process_count_here_too(unwatched, two):
    clock = ManualClock()
    theirs, ours = two(clock=clock)
    retried = await Stage(theirs, names, clock).claimed("w", **RETRY)
    failed = await theirs.start_rollout(2, config={"timeout_seconds": 5}, worker_id="v")
    if isinstance(ours, PostgresLightningStore):
        await until(lambda: ours._check_at is not None)  # it is told
    clock.advance(6)
    assert (await ours.get_rollout_by_id(failed.rollout_id)).status == "failed"
    again = await ours.dequeue_rollout()
    assert (again.rollout_id, again.attempt.sequence_id) == (retried.rollout_id, 2)
    assert (await ours.get_worker_by_id("w")).status == "unknown"
    for store in (theirs, ours):
        await store.close()


async def test_a_waiter_hears_of_the_deadline_of_another_process_in_time(two):
    """Not by looking every `scan_debounce_seconds`, which is once an hour here."""
    theirs, ours = two(scan_debounce_seconds=3600)
    ours.fallback_poll = None
    queued = await theirs.enqueue_rollout(1, config={"timeout_seconds": 0.5})
    wait = ours.wait_for_rollouts(rollout_ids=[queued.rollout_id], timeout=120)
    ended = asyncio.create_task(wait)
    await until(lambda: ours._signals.anybody)
    await theirs.dequeue_rollout()
    await theirs.close()  # it dies and sees to nothing
    (found,) = await asyncio.wait_for(ended, 60)
    assert found.status == "failed"
    await ours.close()
