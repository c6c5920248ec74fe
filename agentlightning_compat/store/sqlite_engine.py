"""Threads that work on a SQLite file: one that writes, and some that read.

Who submits a job awaits its future. The writer takes all jobs that have come in, does them in one
transaction and answers them together after its commit: one fsync for all.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable
from typing import Any

from agentlightning_compat.store import commands as c
from agentlightning_compat.store.memory import drive
from agentlightning_compat.store.operations import OPERATIONS
from agentlightning_compat.store.sql.jobs import Engine, Job, SharedSignals
from agentlightning_compat.store.sql.transaction import SqlTransaction
from agentlightning_compat.store.sqlite_file import SqliteConnection, meaning
from agentlightning_compat.store.sqlite_hot import Hot
from agentlightning_compat.store.sqlite_lanes import Lane, Line
from agentlightning_compat.store.sqlite_writing import FREQUENT, WriterTransaction
from agentlightning_compat.store.transaction import Transaction


def is_due(connection: SqliteConnection, now: float) -> bool:
    """Whether a deadline has passed, of whichever process."""
    late = "SELECT 1 FROM rollouts WHERE check_at < ? LIMIT 1"
    return connection.raw.execute(late, (now,)).fetchone() is not None


async def sweep_all(tx: Transaction, command: Any, now: float) -> None:
    """Deal with all that is overdue in one transaction."""
    check_at: float | None = await OPERATIONS[c.Sweep].run(tx, command, now)
    while check_at is not None and check_at < now:
        check_at = await OPERATIONS[c.Sweep].run(tx, command, now)


class Reader(Lane):
    """Does jobs that only read, on a snapshot. What has to wait for a sweep is handed on."""

    def __init__(
        self,
        line: Line,
        writing: Line,
        connect: Callable[[], SqliteConnection],
        answer: Callable[..., None],
    ) -> None:
        super().__init__("store-reader", line, most=8)
        self._writing = writing
        self._connect = connect
        self._answer = answer
        self._connection: SqliteConnection | None = None

    def work(self, jobs: list[Job]) -> None:
        """Each on the snapshot of its own turn."""
        self._answer([job for job in jobs if self._one(job)])

    def _one(self, job: Job) -> bool:
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._connection.raw.execute("BEGIN")
            try:
                if job.scans and is_due(self._connection, job.now):
                    self._writing.put(job)
                    return False
                tx = SqlTransaction(self._connection, slim=job.slim)
                job.done(drive(job.do(tx)), tx)
            finally:
                self._connection.rollback()
        except Exception as error:
            job.fail(meaning(error))
        return True

    def end(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()


class Writer(Lane):
    """Does jobs that write, and looks whether other processes wrote."""

    POLL = 0.005

    def __init__(
        self,
        line: Line,
        connection: SqliteConnection,
        signals: SharedSignals,
        answer: Callable[..., None],
    ) -> None:
        super().__init__("store-writer", line, most=512)
        self._connection = connection
        self._signals = signals
        self._answer = answer
        self._version = connection.number("data_version")
        self._hot = Hot(connection.raw)
        self._frequent = WriterTransaction(connection, self._hot)

    def pause(self) -> float | None:
        """Nothing tells of other processes' writes: as long as somebody waits, look."""
        return self.POLL if self._signals.anybody else None

    def idle(self) -> None:
        """Wake those who wait for what other processes did."""
        if not self._signals.anybody:
            return
        try:
            version = self._connection.number("data_version")
            if version == self._version:
                return
            heads = "SELECT 1 FROM rollouts WHERE queue_position IS NOT NULL LIMIT ?"
            found = self._connection.raw.execute(heads, (self._signals.claimants,)).fetchall()
            check = "SELECT check_at FROM rollouts WHERE check_at IS NOT NULL ORDER BY 1 LIMIT 1"
            check_at = self._connection.raw.execute(check).fetchone()
        except sqlite3.Error:
            return  # whoever waits finds out by a call of its own
        self._version = version
        if check_at is not None:
            self._signals.due(check_at[0])
        if found:
            self._signals.queued(len(found))
        self._signals.look()

    def work(self, jobs: list[Job]) -> None:
        """All in one transaction; where that fails, so that only the failing one fails."""
        todo = [job for job in jobs if not job.given_up]
        try:
            self._begin()
            todo = [*self._sweep_for(todo), *todo]
            if not self._together(todo, savepoints=False):
                self._again(todo)
        except Exception as error:  # even ending a transaction can fail on a bad disk
            _failed(todo, error)
        self._answer(todo)

    def _begin(self) -> None:
        if self._connection.raw.in_transaction:  # the last one could not be ended
            self._rollback()
        self._connection.raw.execute("BEGIN IMMEDIATE")
        self._hot.begun()

    def _rollback(self) -> None:
        self._hot.undone()
        self._connection.rollback()

    def _sweep_for(self, jobs: list[Job]) -> list[Job]:
        """What must be done before these, so that they see every deadline that has passed."""
        now = max((job.now for job in jobs if job.scans), default=None)
        if now is None or not is_due(self._connection, now):
            return []
        return [Job(sweep_all, c.Sweep(), now, None)]

    def _again(self, jobs: list[Job]) -> None:
        if len(jobs) > 1 and self._retried(jobs, savepoints=True):
            return
        for job in jobs:
            self._retried([job], savepoints=True)

    def _retried(self, jobs: list[Job], *, savepoints: bool) -> bool:
        try:
            self._begin()
        except sqlite3.Error as error:
            _failed(jobs, error)
            return True
        return self._together(jobs, savepoints=savepoints)

    def _together(self, jobs: list[Job], *, savepoints: bool) -> bool:
        """Do and commit; False when all of it was rolled back."""
        one = self._apart if savepoints else self._one
        try:
            for job in jobs:
                if not one(job):
                    self._rollback()
                    return False
            self._hot.flush()
            self._connection.raw.execute("COMMIT")
        except Exception as error:  # of SQLite, or a text that it cannot take
            self._rollback()
            _failed(jobs, error)
            return False
        return True

    def _one(self, job: Job) -> bool:
        """Do one; False when it failed in a way that others must not be committed with."""
        tx: SqlTransaction = self._frequent
        if type(job.command) in FREQUENT:
            self._frequent.begin(slim=job.slim)
        else:
            self._hot.flush()
            tx = SqlTransaction(self._connection, slim=job.slim)
        try:
            job.done(drive(job.do(tx)), tx)
        except Exception as error:
            job.fail(meaning(error))
            # Most fail before they write anything.
            return not tx.dirty and not isinstance(error, sqlite3.Error)
        if tx.dirty and tx is not self._frequent:
            self._hot.forget()
            self._hot.counted(tx.totals)
        return True

    def _apart(self, job: Job) -> bool:
        """Do one in such a way that only it is undone when it fails."""
        tx = SqlTransaction(self._connection, slim=job.slim)
        raw = self._connection.raw
        raw.execute("SAVEPOINT job")
        try:
            job.done(drive(job.do(tx)), tx)
        except Exception as error:
            job.fail(meaning(error))
            if not raw.in_transaction:
                return False
            raw.execute("ROLLBACK TO job")
        else:
            self._hot.counted(tx.totals)
        raw.execute("RELEASE job")
        return True

    def end(self) -> None:
        """Close the connection."""
        self._connection.close()


class SqliteEngine(Engine):
    """The threads of one store."""

    READERS = 2

    def __init__(
        self,
        writer: SqliteConnection,
        connect: Callable[[], SqliteConnection],
        signals: SharedSignals,
    ) -> None:
        super().__init__(signals)
        self._writing = Line()
        self._reading = Line()
        self._writer = Writer(self._writing, writer, signals, self.answer)
        self._readers = [
            Reader(self._reading, self._writing, connect, self.answer) for _ in range(self.READERS)
        ]
        signals.when_waiting = self._writing.nudge
        for thread in (self._writer, *self._readers):
            thread.start()

    def submit(self, job: Job) -> None:
        """Have a job done.

        Raises:
            StoreClosedError: the store was closed.
        """
        (self._reading if job.reads else self._writing).put(job)

    def close(self) -> None:
        """Do what was submitted, and end."""
        # Readers first: the writer's connection is the last, which tidies up the file.
        for line, threads in ((self._reading, self._readers), (self._writing, [self._writer])):
            line.close()
            for thread in threads:
                if thread is not threading.current_thread():
                    thread.join()


def _failed(jobs: Iterable[Job], error: BaseException) -> None:
    for job in jobs:
        job.fail(meaning(error))
