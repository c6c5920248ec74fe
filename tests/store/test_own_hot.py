"""What a SQLite file's writer knows without reading stays what the file says."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from typing import Any

import pytest

from agentlightning_compat import errors
from agentlightning_compat import model as names
from agentlightning_compat.clock import ManualClock
from agentlightning_compat.model import RolloutConfig
from agentlightning_compat.store.memory import InMemoryLightningStore
from agentlightning_compat.store.sqlite import SqliteLightningStore
from agentlightning_compat.store.sqlite_queue import QueueFront
from tests.store.stage import Stage

make_span = Stage(None, names, ManualClock()).span
RETRY = RolloutConfig(max_attempts=3, retry_condition=["failed"])


class Play:
    """The same random calls on two files' openings in turns and on a store in memory.

    Ids differ between stores, so rollouts are known by their number.
    """

    def __init__(self, seed: int, clock: ManualClock, stores: list[Any], model: Any) -> None:
        self.random = random.Random(seed)
        self.clock = clock
        self.stores = stores
        self.model = model
        self.ids: list[tuple[str, str]] = []
        self.spans = 0

    async def both(
        self, method: str, *arguments: Any, number: int | None = None, **named: Any
    ) -> list[Any]:
        """The results of a call of one of the openings, and of the model."""
        store = self.random.choice(self.stores)
        found = []
        for side, target in enumerate((store, self.model)):
            key = () if number is None else (self.ids[number][side],)
            try:
                found.append(await getattr(target, method)(*key, *arguments, **named))
            except errors.CompatError as error:
                found.append(type(error))
        return found

    async def step(self) -> None:
        """One call."""
        self.clock.advance(1)
        kind = self.random.choice(("enqueue", "dequeue", "span", "span", "update", "other"))
        number = self.random.randrange(len(self.ids)) if self.ids else None
        if kind == "enqueue" or number is None:
            made = await self.both("enqueue_rollout", {"n": len(self.ids)}, config=RETRY)
            self.ids.append((made[0].rollout_id, made[1].rollout_id))
        elif kind == "dequeue":
            claimed = await self.both("dequeue_rollout", f"w{self.random.randrange(2)}")
            assert len({item and item.input["n"] for item in claimed}) == 1
        elif kind == "span":
            await self.span(number)
        elif kind == "update":
            status = self.random.choice(("succeeded", "failed", "running"))
            await self.both("update_attempt", "latest", number=number, status=status)
        else:
            await self.other(number)

    async def span(self, number: int) -> None:
        """A span, new or known, for a rollout's latest attempt."""
        self.spans += 1
        name = self.random.choice((f"{self.spans:016x}", f"{self.random.randrange(9):016x}"))
        store = self.random.choice(self.stores)
        stored = []
        for side, target in enumerate((store, self.model)):
            rollout_id = self.ids[number][side]
            latest = await target.get_latest_attempt(rollout_id)
            if latest is None:
                return
            span = make_span(rollout_id, latest.attempt_id, span_id=name, sequence_id=self.spans)
            stored.append(await target.add_span(span) is not None)
        assert stored[0] == stored[1]

    async def other(self, number: int) -> None:
        """What the writer does without what it knows, in between."""
        status = self.random.choice(("requeuing", "queuing", "cancelled"))
        await self.both("update_rollout", number=number, status=status)
        attempts = await self.both("start_attempt", number=number)
        assert attempts[0].attempt.sequence_id == attempts[1].attempt.sequence_id

    async def seen(self, store: Any, side: int) -> list[Any]:
        """All that a store has to say, without ids that differ."""
        said: list[Any] = []
        for ids in self.ids:
            rollout = await store.get_rollout_by_id(ids[side])
            kept = rollout.model_dump(exclude={"rollout_id", "attempt"})
            attempts = await store.query_attempts(ids[side])
            spans = await store.query_spans(ids[side])
            said.append(kept)
            said.append(
                [a.model_dump(exclude={"rollout_id", "attempt_id"}) for a in attempts.items]
            )
            said.append([(s.span_id, s.sequence_id) for s in spans.items])
        hidden = {"current_rollout_id", "current_attempt_id"}
        workers = (await store.query_workers()).items
        return said + [worker.model_dump(exclude=hidden) for worker in workers]


@pytest.mark.parametrize("seed", range(6))
async def test_two_openings_of_a_file_are_as_one_store(tmp_path, seed):
    clock = ManualClock(1000.0)
    path = tmp_path / "store.db"
    async with (
        SqliteLightningStore(path, clock=clock) as one,
        SqliteLightningStore(path, clock=clock) as two,
        InMemoryLightningStore(clock=clock) as model,
    ):
        play = Play(seed, clock, [one, one, two] if seed % 2 else [one], model)
        for _ in range(120):
            await play.step()
        expected = await play.seen(model, 1)
        assert await play.seen(one, 0) == expected
        assert await play.seen(two, 0) == expected
        counts, wanted = await two.statistics(), await model.statistics()
        for name in ("total_rollouts", "total_attempts", "total_spans", "total_workers"):
            assert counts[name] == wanted[name], name
        one.check_integrity()


async def test_a_span_that_is_stored_already_disturbs_nobody(tmp_path):
    path = tmp_path / "store.db"
    async with SqliteLightningStore(path) as store:
        started = await store.start_rollout(1)
        key = (started.rollout_id, started.attempt.attempt_id)
        await store.add_span(make_span(*key, span_id="known"))
    async with SqliteLightningStore(path) as store:  # it does not know that
        spans = [make_span(*key, span_id=name) for name in ("a", "known", "b")]
        stored = await asyncio.gather(*map(store.add_span, spans), store.enqueue_rollout(2))
        assert [item is not None for item in stored] == [True, False, True, True]
        assert (await store.query_spans(key[0])).total == 3
        assert (await store.statistics())["total_spans"] == 3


async def test_a_change_past_all_stores_is_seen(tmp_path):
    path = tmp_path / "store.db"
    async with SqliteLightningStore(path) as store:
        made = await store.enqueue_rollout(1)
        claimed = await store.dequeue_rollout("w")
        other = sqlite3.connect(path)
        other.execute("UPDATE rollouts SET status = 'cancelled'")
        other.commit()
        other.close()
        attempt = claimed.attempt.attempt_id
        await store.update_attempt(made.rollout_id, attempt, status="succeeded")
        assert (await store.get_rollout_by_id(made.rollout_id)).status == "cancelled"


def test_the_front_of_a_queue_is_in_order():
    queue = [(place, f"r{place}") for place in range(1, 3001)]
    front = QueueFront()

    def read(after: int, count: int) -> list[tuple[int, str]]:
        return [place for place in queue if place[0] > after][:count]

    taken = []
    while (head := front.pop(read)) is not None:
        taken.append(head)
        if len(taken) <= 2000 and len(taken) % 2:
            queue.append((queue[-1][0] + 1, f"r{queue[-1][0] + 1}"))
            front.append(*queue[-1])
    assert taken == queue
    assert len(taken) == 4000
