"""A PostgreSQL database: how it speaks, brought to the schema, and what its errors mean."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import asyncpg

from agentlightning_compat.errors import (
    CompatError,
    InternalError,
    SchemaVersionError,
    StorageCorruptError,
    StorageError,
    StorageFullError,
    StorageReadOnlyError,
    StoreBusyError,
    StoreUnavailableError,
    UnstorableValueError,
)
from agentlightning_compat.store.sql.dialect import Dialect, Row, numbered
from agentlightning_compat.store.sql.migrations import Migration, missing

POSTGRES = Dialect(
    name="postgres",
    row_locks=True,
    infinity="'infinity'",
    no_limit=None,
    contains="strpos(column, ?) > 0",
    within="= ANY(?)",
    within_value=list,
    series="SELECT nextval(?::text::regclass) FROM generate_series(1, ?::int)",
    series_values=lambda name, count: (name, count),
)
# Whoever migrates holds this lock: "AGLC" as a number.
_MIGRATING = 0x41474C43

_lost: tuple[type[BaseException], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    ConnectionError,
    OSError,
    asyncio.TimeoutError,
)
# These undid the transaction, and the next time may go well.
AGAIN: tuple[type[BaseException], ...] = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
)

_statement = lru_cache(maxsize=1024)(numbered)

# By the beginning of SQLSTATE, the longer ones first.
_MEANINGS: tuple[tuple[str, type[CompatError]], ...] = (
    ("53100", StorageFullError),
    ("53", StorageError),
    ("25006", StorageReadOnlyError),
    ("XX001", StorageCorruptError),
    ("XX002", StorageCorruptError),
    ("55P03", StoreBusyError),
    ("57014", StoreBusyError),
    ("40", StoreBusyError),
    ("22", UnstorableValueError),
    ("54", UnstorableValueError),
    ("23", InternalError),
    ("42P", InternalError),
)


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, and with it the transaction unless it was committing."""
    if isinstance(error, (asyncpg.InterfaceError, asyncpg.InternalClientError)):
        # What the client says of a connection whose end it has read only half.
        return any(part in str(error) for part in ("clos", "another operation", "released"))
    return isinstance(error, _lost) and not isinstance(error, CompatError)


def meaning(error: BaseException) -> BaseException:
    """The error to raise for one of PostgreSQL's or of its client; others as they are."""
    if isinstance(error, CompatError):
        return error
    if isinstance(error, (asyncpg.DataError, UnicodeEncodeError, OverflowError)):
        return UnstorableValueError(f"PostgreSQL cannot keep the value: {error}")
    if is_lost(error):
        return StoreUnavailableError(f"PostgreSQL: {error or type(error).__name__}")
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        for beginning, kind in _MEANINGS:
            if state.startswith(beginning):
                return kind(f"PostgreSQL: {error}")
        return StorageError(f"PostgreSQL: {error}")
    if isinstance(error, (asyncpg.InterfaceError, asyncpg.InternalClientError)):
        return InternalError(f"asyncpg: {error}")
    return error


class PostgresConnection:
    """A connection with a transaction that was begun."""

    dialect = POSTGRES

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    async def rows(self, statement: str, values: Sequence[Any] = ()) -> Sequence[Row]:
        """The rows that a statement gives."""
        found: Sequence[Row] = await self.raw.fetch(_statement(statement), *values)
        return found

    async def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """How many rows a statement wrote."""
        done: str = await self.raw.execute(_statement(statement), *values)
        return int(done.rpartition(" ")[2])

    async def run_many(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        """The same statement for each of these values."""
        if len(values) == 1:
            await self.raw.execute(_statement(statement), *values[0])
        else:
            await self.raw.executemany(_statement(statement), values)


async def migrate(raw: Any, schema: str, steps: tuple[Migration, ...]) -> None:
    """Take the steps that are missing, all or none; whoever comes second finds them taken.

    Raises:
        SchemaVersionError: the tables are of a newer schema.
    """
    async with raw.transaction():
        await raw.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATING)
        await raw.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        table = f"{schema}.schema_version"
        known = await raw.fetchval("SELECT to_regclass($1)", table)
        version = await raw.fetchval(f"SELECT max(version) FROM {table}") if known else 0
        try:
            todo = missing(steps, version)
        except SchemaVersionError as error:
            name = await raw.fetchval("SELECT current_database()")
            raise SchemaVersionError(f"database {name}, schema {schema}: {error}") from error
        if not known:
            await raw.execute(f"CREATE TABLE {table} (version BIGINT PRIMARY KEY)")
        for step in todo:
            for statement in step.statements:
                await raw.execute(statement)
            await raw.execute(f"INSERT INTO {table} (version) VALUES ($1)", step.version)
