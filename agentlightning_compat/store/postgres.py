"""A store in a PostgreSQL database."""

from __future__ import annotations

import re
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from agentlightning_compat.clock import Clock
from agentlightning_compat.errors import InvalidRequestError, UnsupportedError
from agentlightning_compat.store.sql.backend import SqlStore

if TYPE_CHECKING:
    from agentlightning_compat.store.postgres_engine import PostgresEngine

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class PostgresLightningStore(SqlStore):
    """For many machines at once; its tables live in a schema of their own.

    It has a thread with an event loop and a pool of connections, so it may be called from any
    loop and any thread. What the server loses and finds again in a restart is done again; a call
    fails with `StoreUnavailableError` when the server is gone for `patience` seconds, or when it
    goes away while a transaction is being committed, so that nobody knows whether it was.

    Values are kept as JSON: tuples come back as lists, what JSON does not know is refused with
    `UnstorableValueError`. A store that is pickled opens the same database again; do not
    use one across a fork.

    Processes tell each other of the deadlines that they set. `scan_debounce_seconds`: how often
    they are looked for all the same, for what a broken connection swallows.

    Raises:
        UnsupportedError: asyncpg is not installed (`agentlightning-compat[postgres]`).
        StoreUnavailableError: the server cannot be reached.
        StorageError: the database cannot be used.
    """

    # Every change is made known; this is for those that a broken network swallows.
    fallback_poll = 10.0

    def __init__(
        self,
        dsn: str,
        *,
        schema: str = "agentlightning_compat",
        pool_size: int = 10,
        patience: float = 10.0,
        scan_debounce_seconds: float = 10.0,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(scan_debounce_seconds=scan_debounce_seconds, clock=clock)
        if not _SCHEMA.fullmatch(schema):
            raise InvalidRequestError(f"schema {schema!r} is not a plain lower-case name")
        self._dsn = dsn
        self._options: dict[str, Any] = {
            "schema": schema,
            "pool_size": pool_size,
            "patience": patience,
            "scan_debounce_seconds": scan_debounce_seconds,
            "clock": clock,
        }
        self._threads = _engine_kind()(dsn, schema, self._shared, pool_size, patience)
        weakref.finalize(self, self._threads.close)
        self._threads.open()
        self._watchdog.look_again()

    @property
    def _engine(self) -> PostgresEngine:
        return self._threads

    def __reduce__(self) -> Any:
        return partial(type(self), self._dsn, **self._options), ()


def _engine_kind() -> type[PostgresEngine]:
    try:
        from agentlightning_compat.store.postgres_engine import PostgresEngine
    except ModuleNotFoundError as error:
        raise UnsupportedError(
            "PostgreSQL needs asyncpg: pip install 'agentlightning-compat[postgres]'"
        ) from error
    return PostgresEngine
