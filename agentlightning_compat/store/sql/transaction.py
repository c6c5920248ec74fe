"""A transaction over the tables: resources, workers, queries; and what ends a transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agentlightning_compat.lifecycle.records import AttemptRecord, Pair, RolloutRecord, WorkerRecord
from agentlightning_compat.lifecycle.workers import found_nothing
from agentlightning_compat.model import ResourcesUpdate, Span
from agentlightning_compat.model.rollouts import ROLLOUT_STATUSES
from agentlightning_compat.store.query import Page, Query
from agentlightning_compat.store.sql import questions, rows
from agentlightning_compat.store.sql.dialect import Connection, Row, insert_of, update_of
from agentlightning_compat.store.sql.questions import Kind, question
from agentlightning_compat.store.sql.tables import TableTransaction
from agentlightning_compat.store.sql.texts import dump, restored, stored
from agentlightning_compat.store.transaction import Changes

_WORKER_KEYS = tuple(rows.WORKER_COLUMNS.split())
_UPDATE_WORKER = update_of("workers", _WORKER_KEYS[1:], "worker_id = ?")
UPSERT_WORKER = (
    f"{insert_of('workers', rows.WORKER_COLUMNS)} ON CONFLICT (worker_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _WORKER_KEYS[1:])
)
_PUT_RESOURCES = (
    f"{insert_of('resources', 'resources_id create_time update_time version resources put')}"
    " ON CONFLICT (resources_id) DO UPDATE SET create_time = excluded.create_time,"
    " update_time = excluded.update_time, version = excluded.version,"
    " resources = excluded.resources, put = excluded.put"
)
UPSERT_TOTAL = (
    "INSERT INTO totals (name, shard, n) VALUES (?, ?, ?)"
    " ON CONFLICT (name, shard) DO UPDATE SET n = totals.n + excluded.n"
)
_TAKE_BACK = update_of(
    "rollouts", ("status", "end_time", "attempts", "check_at", "queue_position"), "id = ?"
)


class SqlTransaction(TableTransaction):
    """All primitives."""

    def __init__(self, connection: Connection, *, slim: bool = False) -> None:
        super().__init__(connection, slim=slim)
        self._known_workers: set[str] = set()

    async def write(self, changes: Changes) -> None:
        await super().write(changes)
        for worker in changes.workers:
            values = rows.worker_row(worker)
            if worker.worker_id in self._known_workers:
                await self._run(_UPDATE_WORKER, (*values[1:], values[0]))
            else:
                await self._run(UPSERT_WORKER, values)

    async def get_worker(self, worker_id: str, *, for_update: bool = False) -> WorkerRecord | None:
        statement = f"SELECT {rows.WORKER} FROM workers w WHERE w.worker_id = ?"
        if for_update and self._db.dialect.row_locks:
            statement += " FOR UPDATE"
        found = await self._db.rows(statement, (stored(worker_id),))
        if not found:
            return None
        self._known_workers.add(worker_id)
        return rows.worker_of(found[0])

    async def latest_resources_id(self) -> str | None:
        found = await self._db.rows("SELECT resources_id FROM resources ORDER BY put DESC LIMIT 1")
        return restored(found[0][0]) if found else None

    async def get_resources(
        self, resources_id: str | None, *, for_update: bool = False
    ) -> ResourcesUpdate | None:
        statement = f"SELECT {rows.RESOURCES} FROM resources u"
        if resources_id is None:
            found = await self._db.rows(f"{statement} ORDER BY u.put DESC LIMIT 1")
        else:
            key = (stored(resources_id),)
            if for_update and self._db.dialect.row_locks:
                # There may be no row to lock yet.
                await self._db.rows("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", key)
            found = await self._db.rows(f"{statement} WHERE u.resources_id = ?", key)
        return rows.resources_of(found[0]) if found else None

    async def put_resources(self, update: ResourcesUpdate) -> None:
        resources = dump(update.model_dump()["resources"])
        (put,) = await self._next_of("resource_puts", 1)
        times = (update.create_time, update.update_time)
        await self._run(
            _PUT_RESOURCES, (stored(update.resources_id), *times, update.version, resources, put)
        )

    async def _page(self, kind: Kind, query: Query, total: int | None = None) -> Page[Row]:
        asked = question(self._db.dialect, kind, query)
        if total is None:
            total = (await self._db.rows(asked.counting, asked.counting_values))[0][0]
        if total == 0 or query.limit == 0 or query.offset >= total:
            return Page([], total)
        return Page(await self._db.rows(asked.page, asked.page_values), total)

    async def query_rollouts(
        self, query: Query
    ) -> Page[tuple[RolloutRecord, AttemptRecord | None]]:
        page = await self._page(questions.ROLLOUTS, query, await self._counted(query))
        found = [(rows.rollout_of(row, slim=False), row) for row in page.items]
        items = [(rollout, rows.attempt_of(rollout.rollout_id, row)) for rollout, row in found]
        return Page(items, page.total)

    async def _counted(self, query: Query) -> int | None:
        """How many rollouts match, if that is kept account of."""
        if not query.conditions:
            statuses: Sequence[str] = tuple(ROLLOUT_STATUSES)
        elif len(query.conditions) == 1 and query.conditions[0].field == "status":
            statuses = query.conditions[0].value
        else:
            return None
        totals = await self._totals()
        return sum(totals.get(status, 0) for status in statuses)

    async def _totals(self) -> dict[str, int]:
        found = await self._db.rows("SELECT name, n FROM totals")
        totals: dict[str, int] = {}
        for name, n in found:
            totals[name] = totals.get(name, 0) + n
        return totals

    async def query_attempts(self, query: Query) -> Page[AttemptRecord]:
        page = await self._page(questions.ATTEMPTS, query)
        items = [rows.attempt_of(restored(row[0]), row, 1) for row in page.items]
        return Page([item for item in items if item is not None], page.total)

    async def query_spans(self, query: Query) -> Page[Span]:
        page = await self._page(questions.SPANS, query)
        return Page([rows.span_from(row) for row in page.items], page.total)

    async def query_resources(self, query: Query) -> Page[ResourcesUpdate]:
        page = await self._page(questions.RESOURCES, query)
        return Page([rows.resources_of(row) for row in page.items], page.total)

    async def query_workers(self, query: Query) -> Page[WorkerRecord]:
        page = await self._page(questions.WORKERS, query)
        return Page([rows.worker_of(row) for row in page.items], page.total)

    async def counts(self) -> dict[str, int]:
        totals = await self._totals()
        return {
            "total_rollouts": sum(totals.get(status, 0) for status in ROLLOUT_STATUSES),
            "total_attempts": totals.get("attempts", 0),
            "total_spans": totals.get("spans", 0),
            "total_resources": await self._number_of("resources"),
            "total_workers": await self._number_of("workers"),
        }

    async def _number_of(self, table: str) -> int:
        number: int = (await self._db.rows(f"SELECT count(*) FROM {table}"))[0][0]
        return number

    async def take_back(
        self, claims: Sequence[tuple[Pair, RolloutRecord, int]], now: float
    ) -> None:
        """Undo claims that nobody heard of: (claimed, the rollout before, its place).

        One that has moved on since is left alone.
        """
        for claimed, before, place in claims:
            attempt = claimed.attempt
            found, latest = await self.find(before.rollout_id, "latest", for_update=True)
            if found is None or found.status != "preparing" or latest != attempt:
                continue
            key = await self._id(before.rollout_id)
            values = (before.status, before.end_time, before.attempts, before.check_at, place)
            await self._run(_TAKE_BACK, (*values, key))
            gone = "DELETE FROM attempts WHERE rollout = ? AND sequence_id = ?"
            await self._run(gone, (key, attempt.sequence_id))
            self._count("preparing", -1)
            self._count(before.status, 1)
            self._count("attempts", -1)
            self.effects.queued += 1
            await self._release(attempt, now)

    async def _release(self, attempt: AttemptRecord, now: float) -> None:
        if not attempt.worker_id:
            return
        worker = await self.get_worker(attempt.worker_id, for_update=True)
        if worker is not None and worker.current_attempt_id == attempt.attempt_id:
            bound = worker._replace(current_rollout_id=None, current_attempt_id=None)
            await self.write(Changes(workers=(found_nothing(bound, now),)))


def total_rows(totals: Mapping[str, int], shard: int) -> list[Sequence[Any]]:
    """The values of `UPSERT_TOTAL` for what changed."""
    return [(name, shard, n) for name, n in sorted(totals.items()) if n]


async def add_totals(connection: Connection, totals: Mapping[str, int], shard: int) -> None:
    """Write by how much the counts changed."""
    values = total_rows(totals, shard)
    if values:
        await connection.run_many(UPSERT_TOTAL, values)
