"""Operations that a store's own threads do, and how whoever asked for them is answered.

Nobody is lost when somebody stops waiting: others still hear of what was done, and a claim that
its claimant never saw goes back to its place.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, NamedTuple

from agentlightning_compat.errors import StoreClosedError
from agentlightning_compat.lifecycle.records import Pair, RolloutRecord
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.operations import OPERATIONS
from agentlightning_compat.store.operations.operation import Run
from agentlightning_compat.store.signals import Signals, Waiter
from agentlightning_compat.store.sql.transaction import SqlTransaction
from agentlightning_compat.store.transaction import Effects, Transaction

# These only look; they get connections of their own.
READING = frozenset(
    {
        c.GetRollout,
        c.QueryRollouts,
        c.QueryAttempts,
        c.GetLatestAttempt,
        c.QuerySpans,
        c.GetResources,
        c.QueryResources,
        c.GetWorker,
        c.QueryWorkers,
        c.GetFinished,
        c.GetCounts,
    }
)
# One statement that is a snapshot by itself.
SINGLE = frozenset({c.GetRollout, c.GetLatestAttempt, c.GetWorker, c.GetFinished, c.GetResources})
# These hand out no input or metadata of a rollout.
SLIM = frozenset(
    {c.AddSpans, c.UpdateAttempt, c.NextSpanIds, c.Sweep, c.QuerySpans, c.GetLatestAttempt}
)


class TakeBack(NamedTuple):
    """Claims that were committed although the claimant had gone: (claimed, before, place)."""

    claims: Sequence[tuple[Pair, RolloutRecord, int]]

    @staticmethod
    async def run(tx: Transaction, command: Any, now: float) -> None:
        """Undo them."""
        assert isinstance(tx, SqlTransaction)
        await tx.take_back(command.claims, now)


def undone(command: Any, result: Any, tx: SqlTransaction) -> TakeBack | None:
    """What undoes a claim; None when nothing was claimed."""
    if not isinstance(command, c.Dequeue) or not result:
        return None
    return TakeBack(
        [
            (pair, tx.heads[pair.rollout.rollout_id], tx.places[pair.rollout.rollout_id])
            for pair in result
            if pair.rollout.rollout_id in tx.heads  # else it was claimed before
        ]
    )


class Job:
    """One operation, and whoever waits for it; nobody does when there is no future."""

    __slots__ = ("command", "effects", "error", "future", "now", "result", "run", "undo")

    def __init__(
        self, run: Run, command: Any, now: float, future: asyncio.Future[Job] | None
    ) -> None:
        self.run = run
        self.command = command
        self.now = now
        self.future = future
        self.reset()

    def reset(self) -> None:
        """As before it was done."""
        self.result: Any = None
        self.effects: Effects | None = None
        self.error: BaseException | None = None
        self.undo: TakeBack | None = None

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return type(self.command) in READING

    @property
    def scans(self) -> bool:
        """Whether overdue attempts have to be dealt with before it."""
        operation = OPERATIONS.get(type(self.command))
        return operation is not None and operation.scans

    @property
    def slim(self) -> bool:
        """Whether it has no use for inputs and metadata."""
        return type(self.command) in SLIM

    @property
    def given_up(self) -> bool:
        """Whether nobody wants it any more."""
        return self.future is not None and self.future.cancelled()

    def do(self, tx: SqlTransaction) -> Coroutine[Any, Any, Any]:
        """Run the operation; its result is for `done`."""
        return self.run(tx, self.command, self.now)

    def done(self, result: Any, tx: SqlTransaction) -> None:
        """It has this result."""
        self.result = result
        self.effects = tx.effects or None
        self.error = None
        self.undo = undone(self.command, result, tx)

    def fail(self, error: BaseException) -> None:
        """Nothing of it happened."""
        self.reset()
        self.error = error


class SharedSignals(Signals):
    """Signals of a store that other processes write to as well: who waits is asked for.

    `due` is called when another process has set a deadline, or None: may have set one unheard.
    """

    def __init__(self, due: Callable[[float | None], None]) -> None:
        super().__init__()
        self.due = due
        # For a backend that has to know when somebody begins to wait.
        self.when_waiting: Callable[[], None] | None = None

    @property
    def anybody(self) -> bool:
        """Whether somebody waits."""
        return bool(self._claimants or self._by_rollout)

    @property
    def claimants(self) -> int:
        """How many wait for the queue."""
        return len(self._claimants)

    def look(self) -> None:
        """Have all who wait for the end of rollouts look again."""
        with self._lock:
            topics = list(self._by_rollout)
        self.finished(topics)

    def add(self, waiter: Waiter) -> None:
        """Register."""
        super().add(waiter)
        if self.when_waiting is not None:
            self.when_waiting()


class Engine(ABC):
    """What does jobs. It knows nothing of the store, which can be forgotten."""

    def __init__(self, signals: SharedSignals) -> None:
        self._signals = signals

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Have a job done.

        Raises:
            StoreClosedError: the store was closed.
        """

    @abstractmethod
    def close(self) -> None:
        """Do what was submitted, and end."""

    def orphaned(self, job: Job) -> None:
        """A job was done, but whoever wanted it has gone: others are told, claims go back."""
        if job.effects:
            self._signals.publish(job.effects)
        if job.undo is not None:
            try:
                self.submit(Job(TakeBack.run, job.undo, job.now, None))
            except StoreClosedError:
                return  # as when the process had ended: the attempt's limits will tell

    def answer(self, jobs: Iterable[Job]) -> None:
        """Tell those who wait; from any thread, once for each of their loops."""
        by_loop: defaultdict[asyncio.AbstractEventLoop, list[Job]] = defaultdict(list)
        for job in jobs:
            future = job.future
            if future is None or future.cancelled():
                self.orphaned(job)
            else:
                by_loop[future.get_loop()].append(job)
        for loop, answered in by_loop.items():
            self._tell(loop, answered)

    def _tell(self, loop: asyncio.AbstractEventLoop, jobs: list[Job]) -> None:
        try:
            loop.call_soon_threadsafe(self._settle, jobs)
        except RuntimeError:  # the loop was closed
            for job in jobs:
                self.orphaned(job)

    def _settle(self, jobs: list[Job]) -> None:
        for job in jobs:
            future = job.future
            if future is None or future.done():
                self.orphaned(job)
            elif job.error is not None:
                future.set_exception(job.error)
            else:
                future.set_result(job)
