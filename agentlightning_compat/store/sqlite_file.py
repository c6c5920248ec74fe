"""A SQLite file: opened, brought to the schema, and what its errors mean."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentlightning_compat.errors import (
    CompatError,
    InternalError,
    InvalidRequestError,
    StorageCorruptError,
    StorageError,
    StorageFullError,
    StorageReadOnlyError,
    StoreBusyError,
    UnstorableValueError,
    UnsupportedError,
)
from agentlightning_compat.store.sql.dialect import Dialect, Row
from agentlightning_compat.store.sql.migrations import Migration, migrations, missing
from agentlightning_compat.store.sqlite_forks import opening

SQLITE = Dialect(
    name="sqlite",
    row_locks=False,
    infinity="9e999",
    no_limit=-1,
    contains="instr(column, ?) > 0",
    within="IN (SELECT value FROM json_each(?))",
    within_value=json.dumps,
    series="UPDATE series SET last = last + ? WHERE name = ? RETURNING last",
    series_values=lambda name, count: (count, name),
)
# "AGLC": other programs' databases have another mark, or none and tables already.
APPLICATION_ID = 0x41474C43
_OLDEST = (3, 35, 0)

# Parts of SQLite's messages; Python 3.10 tells no error codes.
_MEANINGS: tuple[tuple[str, type[CompatError]], ...] = (
    ("disk is full", StorageFullError),
    ("locked", StoreBusyError),
    ("busy", StoreBusyError),
    ("readonly", StorageReadOnlyError),
    ("malformed", StorageCorruptError),
    ("not a database", StorageCorruptError),
    ("not decode to UTF-8", StorageCorruptError),
    ("too big", UnstorableValueError),
    ("binding", UnstorableValueError),
)


def meaning(error: BaseException) -> BaseException:
    """The error to raise for one of SQLite's; others as they are."""
    if isinstance(error, (OverflowError, UnicodeEncodeError)):
        return UnstorableValueError(f"SQLite cannot keep the value: {error}")
    if not isinstance(error, sqlite3.Error):
        return error
    text = f"{error!s:.300}"  # some have a whole value in them
    for part, kind in _MEANINGS:
        if part in text:
            return kind(f"SQLite: {text}")
    if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError)):
        return InternalError(f"SQLite: {text}")
    return StorageError(f"SQLite: {text}")


class SqliteConnection:
    """A connection whose calls never wait for anything but the disk."""

    dialect = SQLITE

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self.raw = sqlite3.connect(
            path,
            timeout=busy_timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )

    async def rows(self, statement: str, values: Sequence[Any] = ()) -> Sequence[Row]:
        """The rows that a statement gives."""
        return self.raw.execute(statement, values).fetchall()

    async def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """How many rows a statement wrote."""
        return self.raw.execute(statement, values).rowcount

    async def run_many(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        """The same statement for each of these values."""
        self.raw.executemany(statement, values)

    def number(self, pragma: str) -> int:
        """What a pragma says."""
        value: int = self.raw.execute(f"PRAGMA {pragma}").fetchone()[0]
        return value

    def rollback(self) -> None:
        """End the transaction, if SQLite has not ended it already."""
        if self.raw.in_transaction:
            self.raw.execute("ROLLBACK")

    def close(self) -> None:
        """Close it."""
        self.raw.close()


def checked_path(path: str | os.PathLike[str]) -> Path:
    """The path of a file.

    Raises:
        InvalidRequestError: it names none, or is no path.
        UnsupportedError: SQLite is too old.
    """
    if sqlite3.sqlite_version_info < _OLDEST:
        raise UnsupportedError(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 is needed")
    try:
        text = os.fspath(path)
    except TypeError as error:
        raise InvalidRequestError(f"{path!r} is no path") from error
    if not text or text.startswith((":memory:", "file:")) or "\0" in text:
        raise InvalidRequestError(f"{text!r} names no file; for memory use InMemoryLightningStore")
    return Path(text).absolute()


def open_writer(path: Path, busy_timeout: float, max_bytes: int | None) -> SqliteConnection:
    """A connection to write with, to a file that has the newest schema afterwards.

    Raises:
        StorageError: what is there cannot be used as a store.
        StoreBusyError: somebody else has locked it for too long.
    """
    with opening:
        return _open_writer(path, busy_timeout, max_bytes)


def _open_writer(path: Path, busy_timeout: float, max_bytes: int | None) -> SqliteConnection:
    connection = None
    try:
        if path.exists() and not os.access(path, os.W_OK):
            # SQLite would open it, and fail at the first write.
            raise StorageReadOnlyError("the file must not be written")
        connection = SqliteConnection(path, busy_timeout)
        _prepare(connection, busy_timeout)
        migrate(connection, migrations("sqlite"))
        if max_bytes is not None:
            pages = max(max_bytes // connection.number("page_size"), 1)
            connection.raw.execute(f"PRAGMA max_page_count = {pages}")
        return connection
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.Error) and not os.access(path.parent, os.W_OK | os.X_OK):
            raise StorageReadOnlyError(f"{path.parent} cannot be written: {error}") from error
        found = meaning(error)
        if not isinstance(found, CompatError):
            raise
        raise type(found)(f"{path}: {found}") from error


def open_reader(path: Path, busy_timeout: float) -> SqliteConnection:
    """A connection that only reads."""
    connection = SqliteConnection(path, busy_timeout)
    connection.raw.execute("PRAGMA query_only = ON")
    return connection


def integrity(path: Path, busy_timeout: float) -> list[str]:
    """What SQLite's own check finds: `["ok"]`, or what is wrong."""
    with opening:
        return _integrity(path, busy_timeout)


def _integrity(path: Path, busy_timeout: float) -> list[str]:
    connection = SqliteConnection(path, busy_timeout)
    try:
        return [row[0] for row in connection.raw.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    finally:
        connection.close()


def _prepare(connection: SqliteConnection, busy_timeout: float) -> None:
    # Two who turn a new file to WAL at once: one is told "locked" without having waited.
    end = time.monotonic() + busy_timeout
    while True:
        try:
            connection.raw.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)
    for pragma in ("synchronous = FULL", "cache_size = -32768", "temp_store = MEMORY"):
        connection.raw.execute(f"PRAGMA {pragma}")


def migrate(connection: SqliteConnection, steps: tuple[Migration, ...]) -> None:
    """Take the steps that are missing, all or none; whoever comes second finds them taken.

    Raises:
        SchemaVersionError: the file has a newer schema.
        StorageCorruptError: it is some other program's.
    """
    raw = connection.raw
    raw.execute("BEGIN IMMEDIATE")
    try:
        version = connection.number("user_version")
        mark = connection.number("application_id")
        foreign = raw.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if mark != APPLICATION_ID and (mark or version or foreign):
            raise StorageCorruptError("this is a database, but of another program")
        for step in missing(steps, version):
            for statement in step.statements:
                raw.execute(statement)
            raw.execute(f"PRAGMA user_version = {step.version}")
        if mark != APPLICATION_ID:
            raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        raw.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
