"""A transaction over the tables: rollouts, attempts and spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agentlightning_compat.lifecycle.records import AttemptRecord, Pair, RolloutRecord
from agentlightning_compat.lifecycle.rollouts import in_queue
from agentlightning_compat.model import Span
from agentlightning_compat.store.sql import rows
from agentlightning_compat.store.sql.dialect import Connection, Row, insert_of, update_of
from agentlightning_compat.store.sql.texts import dump, restored, stored
from agentlightning_compat.store.transaction import Changes, Found, Transaction

_INSERT_ROLLOUT = insert_of("rollouts", rows.NEW_ROLLOUT)
_INSERT_ATTEMPT = insert_of("attempts", rows.NEW_ATTEMPT)
_INSERT_SPAN = f"{insert_of('spans', rows.NEW_SPAN)} ON CONFLICT DO NOTHING"
_INSERT_PAYLOAD = (
    "INSERT INTO payloads (rollout, input, metadata)"
    " VALUES ((SELECT id FROM rollouts WHERE rollout_id = ?), ?, ?)"
)
_IN_QUEUE = "r.queue_position IS NOT NULL"
_QUEUED = f"WHERE {_IN_QUEUE} ORDER BY r.queue_position"
_PAYLOADS = " JOIN payloads p ON p.rollout = r.id"


class TableTransaction(Transaction):
    """The primitives about rollouts, attempts and spans.

    With `slim`, rollouts come without input and metadata, for operations that only pass them on.
    `totals` collects by how much the counts change; whoever commits writes them. `heads`
    are what the queue gave away, `places` where it stood. `dirty`: something was written.
    """

    def __init__(self, connection: Connection, *, slim: bool = False) -> None:
        super().__init__()
        self._db = connection
        self._slim = slim
        self._ids: dict[str, int] = {}
        self._attempts: dict[tuple[str, str], int] = {}
        self._sequences: dict[str, int] = {}
        self.places: dict[str, int] = {}
        self.heads: dict[str, RolloutRecord] = {}
        self.totals: dict[str, int] = {}
        self.dirty = False

    async def _run(self, statement: str, values: Sequence[Any]) -> int:
        self.dirty = True
        return await self._db.run(statement, values)

    async def _run_many(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        if values:
            self.dirty = True
            await self._db.run_many(statement, values)

    def _count(self, name: str, n: int) -> None:
        self.totals[name] = self.totals.get(name, 0) + n

    async def _next_of(self, series: str, count: int) -> Sequence[int]:
        self.dirty = True
        dialect = self._db.dialect
        found = await self._db.rows(dialect.series, dialect.series_values(series, count))
        if len(found) == count:
            return [row[0] for row in found]
        last: int = found[-1][0]
        return range(last - count + 1, last + 1)

    def _select(self, attempt: str | None, where: str) -> str:
        payload, joined = (rows.NO_PAYLOAD, "") if self._slim else (rows.PAYLOAD, _PAYLOADS)
        columns, outer = (
            ("", "")
            if attempt is None
            else (f", {rows.ATTEMPT}", f" LEFT JOIN attempts a ON {attempt}")
        )
        return f"SELECT {rows.ROLLOUT}, {payload}{columns} FROM rollouts r{joined}{outer} {where}"

    def _rollout(self, row: Row) -> RolloutRecord:
        rollout = rows.rollout_of(row, slim=self._slim)
        self._ids[rollout.rollout_id] = row[0]
        self._sequences[rollout.rollout_id] = row[1]
        if row[2] is not None:
            self.places[rollout.rollout_id] = row[2]
        return rollout

    def _attempt(self, rollout: RolloutRecord, row: Row) -> AttemptRecord | None:
        attempt = rows.attempt_of(rollout.rollout_id, row)
        if attempt is not None:
            self._attempts[rollout.rollout_id, attempt.attempt_id] = attempt.sequence_id
        return attempt

    async def _id(self, rollout_id: str) -> int:
        if rollout_id not in self._ids:
            found = await self._db.rows(
                "SELECT id FROM rollouts WHERE rollout_id = ?", (stored(rollout_id),)
            )
            self._ids[rollout_id] = found[0][0]
        return self._ids[rollout_id]

    async def write(self, changes: Changes) -> None:
        if changes.new_rollouts:
            await self._insert_rollouts(changes.new_rollouts)
        for before, after in changes.rollouts:
            await self._replace_rollout(before, after)
        if changes.new_attempts:
            values = [
                rows.attempt_row(item, await self._id(item.rollout_id))
                for item in changes.new_attempts
            ]
            await self._run_many(_INSERT_ATTEMPT, values)
            self._count("attempts", len(values))
        for old, new in changes.attempts:
            names, replaced = rows.changed(rows.ATTEMPT_COLUMNS, old, new)
            if names:
                statement = update_of("attempts", tuple(names), "rollout = ? AND sequence_id = ?")
                key = await self._id(new.rollout_id)
                await self._run(statement, (*replaced, key, new.sequence_id))

    async def _insert_rollouts(self, new: Sequence[RolloutRecord]) -> None:
        # All is encoded before anything is written: what cannot be stored leaves no trace.
        payloads = [(stored(r.rollout_id), dump(r.input), dump(r.metadata)) for r in new]
        queued = sum(map(in_queue, new))
        places = iter(await self._next_of("queue_positions", queued) if queued else ())
        values = [rows.rollout_row(r, next(places) if in_queue(r) else None) for r in new]
        await self._run_many(_INSERT_ROLLOUT, values)
        await self._run_many(_INSERT_PAYLOAD, payloads)
        for rollout in new:
            self._count(rollout.status, 1)

    async def _replace_rollout(self, before: RolloutRecord, after: RolloutRecord) -> None:
        names, values = rows.changed(rows.ROLLOUT_COLUMNS, before, after)
        key = await self._id(after.rollout_id)
        if after.input is not before.input or after.metadata is not before.metadata:
            payload = (dump(after.input), dump(after.metadata), key)
            await self._run(update_of("payloads", ("input", "metadata"), "rollout = ?"), payload)
        if before.status != after.status:
            self._count(before.status, -1)
            self._count(after.status, 1)
            if in_queue(before) != in_queue(after):
                names.append("queue_position")
                enters = in_queue(after)
                values.append((await self._next_of("queue_positions", 1))[0] if enters else None)
        if names:
            await self._run(update_of("rollouts", tuple(names), "id = ?"), (*values, key))

    async def find(
        self, rollout_id: str, attempt_id: str | None, *, for_update: bool = False
    ) -> Found:
        key = stored(rollout_id)
        if for_update and self._db.dialect.row_locks:
            # First the lock, then a look: one statement would join the row as it is after the
            # wait with others as they were before.
            lock = "SELECT r.id FROM rollouts r WHERE r.rollout_id = ? FOR UPDATE"
            if not await self._db.rows(lock, (key,)):
                return None, None
        if attempt_id is None:
            found = await self._db.rows(self._select(None, "WHERE r.rollout_id = ?"), (key,))
            return (self._rollout(found[0]), None) if found else (None, None)
        values: tuple[str, ...] = (key,)
        joined = "a.rollout = r.id AND a.sequence_id = r.attempts"
        if attempt_id != "latest":
            joined = "a.rollout = r.id AND a.attempt_id = ?"
            values = (stored(attempt_id), key)
        found = await self._db.rows(self._select(joined, "WHERE r.rollout_id = ?"), values)
        if not found:
            return None, None
        rollout = self._rollout(found[0])
        return rollout, self._attempt(rollout, found[0])

    async def find_rollouts(self, rollout_ids: Sequence[str]) -> Mapping[str, RolloutRecord]:
        dialect = self._db.dialect
        keys = dialect.within_value([stored(key) for key in dict.fromkeys(rollout_ids)])
        statement = self._select(None, f"WHERE r.rollout_id {dialect.within}")
        found = [self._rollout(row) for row in await self._db.rows(statement, (keys,))]
        return {rollout.rollout_id: rollout for rollout in found}

    async def queue_heads(self, limit: int) -> Sequence[RolloutRecord]:
        heads = f"{_QUEUED} LIMIT ?"
        values: tuple[Any, ...] = (limit,)
        if self._db.dialect.row_locks:
            locked = await self._lock_heads(limit)
            if not locked:
                return []
            heads, values = "WHERE r.id = ANY(?) ORDER BY r.queue_position", (locked,)
        found = await self._db.rows(self._select(None, heads), values)
        self.heads = {head.rollout_id: head for head in map(self._rollout, found)}
        return list(self.heads.values())

    async def _lock_heads(self, limit: int) -> list[int]:
        """Lock the first ones that nobody else has locked; none only if the queue is empty.

        When all that is in the queue is locked, that is no empty queue: whoever has it may leave
        it there, as a sweep does that came second. So the first of it is waited for.
        """
        waited = False
        while True:
            free = f"SELECT r.id FROM rollouts r {_QUEUED} LIMIT ? FOR UPDATE SKIP LOCKED"
            locked = [row[0] for row in await self._db.rows(free, (limit,))]
            if locked:
                return locked
            held = await self._db.rows(f"SELECT r.id FROM rollouts r {_QUEUED} LIMIT 1")
            if not held:
                return []
            if not waited:
                await self._db.rows("SAVEPOINT waited")
                waited = True
            one = f"SELECT r.id FROM rollouts r WHERE r.id = ? AND {_IN_QUEUE} FOR UPDATE"
            locked = [row[0] for row in await self._db.rows(one, held[0])]
            if locked:
                return locked
            # It was claimed, and is locked all the same: others would wait for it.
            await self._db.rows("ROLLBACK TO waited")

    async def claimed(self, attempt_ids: Sequence[str]) -> Sequence[Pair]:
        dialect = self._db.dialect
        keys = dialect.within_value([stored(key) for key in attempt_ids])
        found = await self._db.rows(
            "SELECT r.rollout_id, a.attempt_id FROM attempts a JOIN rollouts r ON r.id = a.rollout"
            f" WHERE a.status = 'preparing' AND a.attempt_id {dialect.within} ORDER BY r.id",
            (keys,),
        )
        self.heads, self.places = {}, {}
        pairs = []
        for rollout_id, attempt_id in found:
            rollout, attempt = await self.find(restored(rollout_id), "latest", for_update=True)
            if rollout is None or attempt is None or attempt.attempt_id != restored(attempt_id):
                continue
            if rollout.status == attempt.status == "preparing":
                pairs.append(Pair(rollout, attempt))
        return pairs

    async def overdue(self, now: float, limit: int) -> Sequence[Pair]:
        due = "WHERE r.check_at < ? ORDER BY r.check_at, r.id LIMIT ?"
        values: tuple[Any, ...] = (now, limit)
        if self._db.dialect.row_locks:
            lock = f"SELECT r.id FROM rollouts r {due} FOR UPDATE"
            locked = [row[0] for row in await self._db.rows(lock, values)]
            if not locked:
                return []
            due, values = "WHERE r.id = ANY(?) ORDER BY r.check_at, r.id", (locked,)
        latest = "a.rollout = r.id AND a.sequence_id = r.attempts"
        pairs = []
        for row in await self._db.rows(self._select(latest, due), values):
            rollout = self._rollout(row)
            attempt = self._attempt(rollout, row)
            if attempt is not None:
                pairs.append(Pair(rollout, attempt))
        return pairs

    async def next_check(self) -> float | None:
        found = await self._db.rows(
            "SELECT check_at FROM rollouts WHERE check_at IS NOT NULL ORDER BY check_at LIMIT 1"
        )
        return found[0][0] if found else None

    async def insert_spans(self, spans: Sequence[Span]) -> Sequence[bool]:
        values = []
        for span in spans:
            key = (span.rollout_id, span.attempt_id)
            if key not in self._attempts:
                await self.find(*key)
            rollout = self._ids[span.rollout_id]
            values.append(rows.span_row(span, rollout, self._attempts[key]))
        fresh = [bool(await self._run(_INSERT_SPAN, row)) for row in values]
        self._count("spans", sum(fresh))
        highest: dict[str, int] = {}
        for span in spans:
            rollout_id = span.rollout_id
            highest[rollout_id] = max(highest.get(rollout_id, 0), span.sequence_id)
        for rollout_id, sequence in highest.items():
            if sequence > self._sequences[rollout_id]:
                await self._set_sequence(rollout_id, sequence)
        return fresh

    async def _set_sequence(self, rollout_id: str, sequence: int) -> None:
        statement = update_of("rollouts", ("span_sequence",), "id = ?")
        await self._run(statement, (sequence, self._ids[rollout_id]))
        self._sequences[rollout_id] = sequence

    async def take_span_ids(self, rollout_id: str, count: int) -> int | None:
        found, _ = await self.find(rollout_id, None, for_update=True)
        if found is None:
            return None
        before = self._sequences[rollout_id]
        await self._set_sequence(rollout_id, before + count)
        return before + 1
