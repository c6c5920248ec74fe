"""What the stores in databases share beyond statements."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from agentlightning_compat.clock import Clock
from agentlightning_compat.lifecycle.records import Pair, RolloutRecord
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.base import LightningStoreCapabilities
from agentlightning_compat.store.local import LocalStore
from agentlightning_compat.store.signals import Signals, Waiter
from agentlightning_compat.store.sql.transaction import SqlTransaction
from agentlightning_compat.store.transaction import Transaction

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
        ]
    )


class SharedSignals(Signals):
    """Signals of a store that other processes write to as well: who waits is asked for."""

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

    def waiting(self, waiter: Waiter) -> None:
        """For a backend that has to know when somebody begins to wait."""

    def add(self, waiter: Waiter) -> None:
        """Register."""
        super().add(waiter)
        self.waiting(waiter)


class SqlStore(LocalStore):
    """A store that other processes may have open as well."""

    def __init__(self, *, scan_debounce_seconds: float, clock: Clock | None) -> None:
        super().__init__(clock=clock)
        self._scan_debounce_seconds = scan_debounce_seconds
        # For each sweep under way, the deadlines that came up since it began.
        self._noted: list[list[float]] = []

    @property
    def capabilities(self) -> LightningStoreCapabilities:
        """What may be done with this store: a pickled one opens the same data again."""
        return {"thread_safe": True, "async_safe": True, "zero_copy": True, "otlp_traces": False}

    def sweep_now(self) -> float | None:
        """Deal with what is overdue; seconds until the next look, for deadlines of others too."""
        pause = asyncio.run(self._sweep(self._clock.now()))
        longest = self._scan_debounce_seconds
        return longest if pause is None else min(pause, longest)

    def _expect(self, check_at: float) -> bool:
        with self._check_lock:
            for noted in self._noted:
                noted.append(check_at)
        return super()._expect(check_at)

    async def _sweep(self, now: float) -> float | None:
        # A sweep takes a while here. Until it is over, callers still see that it is due, and
        # sweep themselves instead of reading what is out of date.
        noted: list[float] = []
        with self._check_lock:
            self._noted.append(noted)
        try:
            check_at = await self._perform(c.Sweep())
            while check_at is not None and check_at < now:
                check_at = await self._perform(c.Sweep())
        finally:
            with self._check_lock:
                self._noted.remove(noted)
        with self._check_lock:
            known = [at for at in (check_at, *noted) if at is not None]
            self._check_at = min(known) if known else None
        return None if check_at is None else max(check_at - now, 0.0) + 0.001
