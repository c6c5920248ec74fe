"""The event loop that talks to PostgreSQL, in a thread of its own."""

from __future__ import annotations

import asyncio
import random
import threading
from contextlib import suppress
from typing import Any

import asyncpg

from agentlightning_compat.errors import StoreClosedError, StoreUnavailableError
from agentlightning_compat.store.postgres_database import (
    AGAIN,
    PostgresConnection,
    is_lost,
    meaning,
    migrate,
)
from agentlightning_compat.store.postgres_notices import Notices
from agentlightning_compat.store.sql.jobs import SINGLE, Engine, Job, SharedSignals
from agentlightning_compat.store.sql.migrations import migrations
from agentlightning_compat.store.sql.transaction import SqlTransaction, add_totals

# Transactions that meet on the same counters wait for each other: few do.
_SHARDS = 16
_TRIES = 20
# What is asked for is found by its index, and so is what belongs to it. Where the planner does not
# know how many rows there are, of tables just filled or for a plan that is kept, it would rather
# read through whole tables side by side, which costs more with every rollout there is.
_BY_INDEX = {"enable_mergejoin": "off", "enable_hashjoin": "off", "enable_bitmapscan": "off"}
# Milliseconds that a process may stand still inside a transaction: others wait for its locks.
_LONGEST_PAUSE = 30_000


class _Committing(Exception):
    """The connection broke while a transaction was being committed."""


class PostgresEngine(Engine):
    """One loop, one pool, one connection that listens."""

    def __init__(
        self, dsn: str, schema: str, signals: SharedSignals, pool_size: int, patience: float
    ) -> None:
        super().__init__(signals)
        self._dsn = dsn
        self._schema = schema
        self._pool_size = pool_size
        self._patience = patience
        self._notices = Notices(schema, signals)
        self._pool: Any = None
        self._closed = False
        self._lock = threading.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Task[None] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="store-postgres", daemon=True)

    def open(self) -> None:
        """Connect, and bring the schema up to date.

        Raises:
            StoreUnavailableError: there is no server.
            StorageError: the database cannot be used.
        """
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
        except BaseException as error:
            self.close()
            found = meaning(error)
            if found is error:
                raise
            raise found from error

    def submit(self, job: Job) -> None:
        """Have a job done.

        Raises:
            StoreClosedError: the store was closed.
        """
        with self._lock:
            if self._closed:
                raise StoreClosedError("the store was closed")
            self._loop.call_soon_threadsafe(self._start, job)

    def close(self) -> None:
        """Do what was submitted, and end."""
        with self._lock:
            first = not self._closed
            self._closed = True
        if first and self._thread.ident is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread.ident is None:
            self._loop.close()
        elif self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._finish())
            # Names of hosts were looked up in threads.
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()

    async def _finish(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.wait([self._listener])
            await asyncio.sleep(0)  # its socket is closed in the next turn
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), 5)
            except Exception:  # a server that is gone says no goodbye
                self._pool.terminate()

    async def _open(self) -> None:
        raw = await self._connect()
        try:
            await migrate(raw, self._schema, migrations("postgres"))
        finally:
            await raw.close()
        self._pool = await asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=self._pool_size,
            reset=_no_reset,
            server_settings=self._settings,
            timeout=self._patience,
        )
        ready = asyncio.Event()
        self._listener = asyncio.create_task(self._notices.listen(self._connect, ready))
        await asyncio.wait_for(ready.wait(), self._patience)

    @property
    def _settings(self) -> dict[str, str]:
        return {
            "search_path": self._schema,
            "application_name": "agentlightning-compat",
            "idle_in_transaction_session_timeout": str(_LONGEST_PAUSE),
            **_BY_INDEX,
        }

    async def _connect(self) -> Any:
        return await asyncpg.connect(
            self._dsn, server_settings=self._settings, timeout=self._patience
        )

    def _start(self, job: Job) -> None:
        task = self._loop.create_task(self._do(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, job: Job) -> None:
        try:
            await self._persist(job)
        except _Committing as error:
            self._unsure(job, error)
        except Exception as error:
            job.fail(meaning(error))
        self.answer((job,))

    def _unsure(self, job: Job, error: BaseException) -> None:
        """Whether it happened is not known. If it was a claim, it must not have."""
        claims = job.undo
        job.fail(
            StoreUnavailableError(
                f"the connection broke during a commit, which may have happened: {error.__cause__}"
            )
        )
        if claims is not None:
            self._start(Job(claims.run, claims, job.now, None))

    async def _persist(self, job: Job) -> None:
        """Do the job, again after what the next time may not meet."""
        end = self._loop.time() + self._patience
        tries = 0
        while not job.given_up:
            error = await self._tried(job)
            if error is None:
                return
            if isinstance(error, AGAIN) and tries < _TRIES:
                tries += 1
                await asyncio.sleep(random.random() * 0.002 * 2 ** min(tries, 6))
                continue
            # What nobody waits for has all the time that there is.
            late = self._loop.time() > end and (job.future is not None or self._closed)
            if late or not is_lost(error):
                raise error
            await asyncio.sleep(0.05)

    async def _tried(self, job: Job) -> Exception | None:
        try:
            await self._once(job)
        except Exception as error:
            return error
        return None

    async def _once(self, job: Job) -> None:
        async with self._pool.acquire(timeout=self._patience) as raw:
            try:
                await self._on(raw, job)
            except Exception as error:
                if is_lost(error):
                    _drop(raw)
                raise

    async def _on(self, raw: Any, job: Job) -> None:
        connection = PostgresConnection(raw)
        tx = SqlTransaction(connection, slim=job.slim)
        if type(job.command) in SINGLE:
            job.done(await job.do(tx), tx)
            return
        kind = "REPEATABLE READ READ ONLY" if job.reads else "READ COMMITTED"
        await raw.execute(f"BEGIN ISOLATION LEVEL {kind}")
        try:
            job.done(await job.do(tx), tx)
            if not job.reads:
                await add_totals(connection, tx.totals, random.randrange(_SHARDS))
                await self._notices.tell(raw, tx.effects)
        except BaseException:
            await _rollback(raw)
            raise
        await self._commit(raw, job)

    async def _commit(self, raw: Any, job: Job) -> None:
        if job.given_up and job.undo is not None:
            await _rollback(raw)
            job.reset()
            return
        try:
            await raw.execute("COMMIT")
        except Exception as error:
            # What the client refuses was never sent.
            sent = not isinstance(error, asyncpg.InternalClientError)
            if sent and is_lost(error) and not job.reads:
                _drop(raw)
                raise _Committing from error
            raise


async def _rollback(raw: Any) -> None:
    with suppress(Exception):  # then the connection is gone, and the transaction with it
        if not raw.is_closed():
            await raw.execute("ROLLBACK")


def _drop(raw: Any) -> None:
    """A connection that is broken: the pool must not give it to anybody else."""
    with suppress(asyncpg.InterfaceError):  # it knows already
        raw.terminate()


async def _no_reset(_connection: Any) -> None:
    """Every transaction here is ended by whoever began it: nothing to clear away."""
