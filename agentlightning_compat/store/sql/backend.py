"""What the stores in databases share beyond statements."""

from __future__ import annotations

import asyncio
import weakref
from abc import abstractmethod
from functools import partial
from typing import Any

from agentlightning_compat.clock import Clock
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.base import LightningStoreCapabilities
from agentlightning_compat.store.local import LocalStore
from agentlightning_compat.store.operations.operation import Run
from agentlightning_compat.store.sql.jobs import Engine, Job, SharedSignals
from agentlightning_compat.store.transaction import Effects

_NOTHING = Effects()


class SqlStore(LocalStore):
    """A store that other processes may have open as well."""

    def __init__(self, *, scan_debounce_seconds: float, clock: Clock | None) -> None:
        super().__init__(clock=clock)
        self._scan_debounce_seconds = scan_debounce_seconds
        self._shared = SharedSignals(partial(_due, weakref.ref(self)))
        self._signals = self._shared

    @property
    @abstractmethod
    def _engine(self) -> Engine:
        """What does the jobs."""

    async def _transact(self, run: Run, command: c.Command[Any], now: float) -> tuple[Any, Effects]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Job] = loop.create_future()
        job = Job(run, command, now, future)
        self._engine.submit(job)
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():  # it was answered already
                self._engine.orphaned(job)
            raise
        return job.result, job.effects or _NOTHING

    async def close(self) -> None:
        """Finish what is under way. Whoever waits is told."""
        await asyncio.to_thread(self._watchdog.close)
        await asyncio.to_thread(self._engine.close)
        self._signals.everybody()

    @property
    def capabilities(self) -> LightningStoreCapabilities:
        """What may be done with this store: a pickled one opens the same data again."""
        return {"thread_safe": True, "async_safe": True, "zero_copy": True, "otlp_traces": False}

    def sweep_now(self) -> float | None:
        """Deal with what is overdue; seconds until the next look, for deadlines of others too."""
        pause = asyncio.run(self._sweep())
        longest = self._scan_debounce_seconds
        return longest if pause is None else min(pause, longest)

    def deadline_of_others(self, check_at: float | None) -> None:
        """Another process has set a deadline; None: it may have set some."""
        if check_at is None or self._expect(check_at):
            self._watchdog.look_again()


def _due(reference: weakref.ref[SqlStore], check_at: float | None) -> None:
    # What hears of it outlives a store that is forgotten, and must not keep it.
    store = reference()
    if store is not None:
        store.deadline_of_others(check_at)
