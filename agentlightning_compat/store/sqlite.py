"""A store in a SQLite file."""

from __future__ import annotations

import asyncio
import os
import weakref
from functools import partial
from typing import Any

from agentlightning_compat.clock import Clock
from agentlightning_compat.errors import StorageCorruptError
from agentlightning_compat.store.commands import Command
from agentlightning_compat.store.operations.operation import Run
from agentlightning_compat.store.sql.backend import READING, SharedSignals, SqlStore
from agentlightning_compat.store.sqlite_engine import Engine
from agentlightning_compat.store.sqlite_file import (
    checked_path,
    integrity,
    open_reader,
    open_writer,
)
from agentlightning_compat.store.sqlite_lanes import Job
from agentlightning_compat.store.transaction import Effects


class SqliteLightningStore(SqlStore):
    """Durable, in one file, for one machine: several processes may have it open.

    What a call acknowledges has been synced to the disk (WAL, synchronous=FULL); calls that are
    under way at the same time share that. Values are kept as JSON: tuples come back as lists,
    what JSON does not know is refused with `UnstorableValueError`.

    `busy_timeout`: how long other processes may keep the file locked, in seconds. `max_bytes`:
    how large the file may become; a call that needs more fails with `StorageFullError`.
    `scan_debounce_seconds`: how often deadlines are looked for that other processes set.

    A store that is pickled opens the same file again; do not use one across a fork.

    Raises:
        StorageError: the file cannot be used; see `agentlightning_compat.errors`.
        StoreBusyError: it stayed locked.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        busy_timeout: float = 30.0,
        max_bytes: int | None = None,
        scan_debounce_seconds: float = 10.0,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(scan_debounce_seconds=scan_debounce_seconds, clock=clock)
        self.path = checked_path(path)
        self._options: dict[str, Any] = {
            "busy_timeout": busy_timeout,
            "max_bytes": max_bytes,
            "scan_debounce_seconds": scan_debounce_seconds,
            "clock": clock,
        }
        writer = open_writer(self.path, busy_timeout, max_bytes)
        signals = SharedSignals()
        self._signals = signals
        self._engine = Engine(writer, partial(open_reader, self.path, busy_timeout), signals)
        self._end = weakref.finalize(self, self._engine.close)
        self._watchdog.look_again()

    def __reduce__(self) -> Any:
        return partial(type(self), self.path, **self._options), ()

    async def close(self) -> None:
        """Finish what is under way and close the file. Whoever waits is told."""
        await asyncio.to_thread(self._watchdog.close)
        await asyncio.to_thread(self._end)
        self._signals.everybody()

    def check_integrity(self) -> None:
        """Look through the whole file; takes long for a large one.

        Raises:
            StorageCorruptError: something is wrong in it.
        """
        found = integrity(self.path, self._options["busy_timeout"])
        if found != ["ok"]:
            raise StorageCorruptError(f"{self.path}: {'; '.join(found[:5])}")

    async def _transact(self, run: Run, command: Command[Any], now: float) -> tuple[Any, Effects]:
        job = Job(run, command, now, asyncio.get_running_loop())
        assert job.future is not None
        self._engine.submit(job, reads=type(command) in READING)
        try:
            await job.future
        except asyncio.CancelledError:
            if not job.future.cancelled():  # it was answered already
                self._engine.orphaned(job)
            raise
        return job.result, job.effects or Effects()
