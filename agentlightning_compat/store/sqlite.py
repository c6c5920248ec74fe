"""A store in a SQLite file."""

from __future__ import annotations

import os
import weakref
from functools import partial
from typing import Any

from agentlightning_compat.clock import Clock
from agentlightning_compat.errors import StorageCorruptError
from agentlightning_compat.store.sql.backend import SqlStore
from agentlightning_compat.store.sqlite_engine import SqliteEngine
from agentlightning_compat.store.sqlite_file import (
    checked_path,
    integrity,
    open_reader,
    open_writer,
)


class SqliteLightningStore(SqlStore):
    """Durable, in one file, for one machine: several processes may have it open.

    What a call acknowledges has been synced to the disk (WAL, synchronous=FULL); calls that are
    under way at the same time share that. Values are kept as JSON: tuples come back as lists,
    what JSON does not know is refused with `UnstorableValueError`.

    `busy_timeout`: how long other processes may keep the file locked, in seconds. `max_bytes`:
    how large the file may become; a call that needs more fails with `StorageFullError`.
    `scan_debounce_seconds`: how often this process looks by itself, without any call, for deadlines
    that others set; a call sees every deadline that has passed.

    A store that is pickled opens the same file again. In a process that was forked it is closed:
    open the file again there.

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
        connect = partial(open_reader, self.path, busy_timeout)
        self._threads = SqliteEngine(writer, connect, self._shared)
        weakref.finalize(self, self._threads.close)
        self._watchdog.look_again()

    @property
    def _engine(self) -> SqliteEngine:
        return self._threads

    def __reduce__(self) -> Any:
        return partial(type(self), self.path, **self._options), ()

    def check_integrity(self) -> None:
        """Look through the whole file; takes long for a large one.

        Raises:
            StorageCorruptError: something is wrong in it.
        """
        found = integrity(self.path, self._options["busy_timeout"])
        if found != ["ok"]:
            raise StorageCorruptError(f"{self.path}: {'; '.join(found[:5])}")
