"""The frequent operations of a SQLite file's writer: on what it knows, written later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agentlightning_compat.lifecycle.records import AttemptRecord, Pair, RolloutRecord, WorkerRecord
from agentlightning_compat.lifecycle.rollouts import in_queue
from agentlightning_compat.model import Span
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.sql import rows
from agentlightning_compat.store.sql.dialect import update_of
from agentlightning_compat.store.sql.texts import dump, maybe_dump, maybe_stored, restored, stored
from agentlightning_compat.store.sql.transaction import UPSERT_WORKER, SqlTransaction
from agentlightning_compat.store.sqlite_file import SqliteConnection
from agentlightning_compat.store.sqlite_hot import (
    ATTEMPT,
    NEW_ATTEMPT,
    NEW_PAYLOAD,
    NEW_ROLLOUT,
    NEW_SPAN,
    Hot,
    HotRollout,
)
from agentlightning_compat.store.sqlite_queue import Place
from agentlightning_compat.store.transaction import Changes, Effects, Found

# What is done here. Anything else reads and writes the tables.
FREQUENT = frozenset(
    {
        c.EnqueueRollouts,
        c.StartRollout,
        c.StartAttempt,
        c.Dequeue,
        c.UpdateAttempt,
        c.AddSpans,
        c.NextSpanIds,
        c.UpdateWorker,
    }
)
_LONGEST = 2048  # characters of an input and metadata that are kept
_METADATA = update_of("attempts", ("metadata",), "rollout = ? AND sequence_id = ?")
_PLACES = (
    "SELECT queue_position, rollout_id FROM rollouts"
    " WHERE queue_position > ? ORDER BY queue_position LIMIT ?"
)


class WriterTransaction(SqlTransaction):
    """The primitives of the frequent operations; one object for all of them, one at a time."""

    def __init__(self, connection: SqliteConnection, hot: Hot) -> None:
        super().__init__(connection)
        self._hot = hot
        self._raw = connection.raw

    def begin(self, *, slim: bool) -> None:
        """Start over for the next operation."""
        if self.effects:  # else nobody has a use for them
            self.effects = Effects()
        self._slim = slim
        self.dirty = False

    def _row(self, rollout_id: str, attempt_id: str | None) -> HotRollout | None:
        row = self._hot.rollouts.get(rollout_id)
        if row is not None and row.knows(attempt_id, slim=self._slim):
            return row
        return self._read(rollout_id, attempt_id)

    def _read(self, rollout_id: str, attempt_id: str | None) -> HotRollout | None:
        self._hot.flush()
        key = stored(rollout_id)
        values: tuple[str, ...] = (key,)
        joined = "a.rollout = r.id AND a.sequence_id = r.attempts"
        if attempt_id is not None and attempt_id != "latest":
            joined = "a.rollout = r.id AND a.attempt_id = ?"
            values = (stored(attempt_id), key)
        statement = self._select(joined, "WHERE r.rollout_id = ?")
        found = self._raw.execute(statement, values).fetchone()
        if found is None:
            return None
        row = HotRollout(found[0], rows.rollout_of(found, slim=True), found[2], found[1])
        row.attempt = rows.attempt_of(rollout_id, found)
        if not self._slim:
            row.payload = (found[12], found[13])
        self._hot.rollouts[rollout_id] = row
        return row

    def _record(self, row: HotRollout) -> RolloutRecord:
        return row.record if self._slim else row.whole()

    async def find(
        self, rollout_id: str, attempt_id: str | None, *, for_update: bool = False
    ) -> Found:
        row = self._row(rollout_id, attempt_id)
        if row is None:
            return None, None
        return self._record(row), None if attempt_id is None else row.attempt

    async def queue_heads(self, limit: int) -> Sequence[RolloutRecord]:
        self.heads, self.places = {}, {}
        while len(self.heads) < limit:
            head = self._hot.queue.pop(self._places)
            if head is None:
                break
            self.dirty = True  # what was taken from the front must be claimed
            place, rollout_id = head
            row = self._row(rollout_id, None)
            if row is not None and row.place == place:
                self.heads[rollout_id] = self._record(row)
                self.places[rollout_id] = place
        return list(self.heads.values())

    async def claimed(self, attempt_ids: Sequence[str]) -> Sequence[Pair]:
        self._hot.flush()
        return await super().claimed(attempt_ids)

    def _places(self, after: int, count: int) -> Sequence[Place]:
        self._hot.flush()
        found = self._raw.execute(_PLACES, (after, count)).fetchall()
        return [(place, restored(key)) for place, key in found]

    async def heard(self, before: AttemptRecord, after: AttemptRecord) -> None:
        if after.status == before.status:
            row = self._hot.rollouts[after.rollout_id]
            row.attempt = after
            self._hot.touched[row.id] = row
        else:
            self._replace_attempt(after)
        self.dirty = True

    async def write(self, changes: Changes) -> None:
        # All is encoded before anything is changed: what cannot be stored leaves no trace.
        payloads = [(dump(r.input), dump(r.metadata)) for r in changes.new_rollouts]
        workers = [(worker, rows.worker_row(worker)) for worker in changes.workers]
        metadata = [
            (maybe_dump(after.metadata), after)
            for before, after in changes.attempts
            if after.metadata is not before.metadata
        ]
        self.dirty = True
        if payloads:
            self._insert_new(changes.new_rollouts, payloads)
        for before, after in changes.rollouts:
            self._replace(before, after)
        for attempt in changes.new_attempts:
            self._insert_attempt(attempt)
        for _, attempt in changes.attempts:
            self._replace_attempt(attempt)
        for text, attempt in metadata:
            self._hot.flush()
            key = self._hot.rollouts[attempt.rollout_id].id
            self._raw.execute(_METADATA, (text, key, attempt.sequence_id))
        for worker, values in workers:
            self._hot.workers[worker.worker_id] = worker
            self._hot.updates[UPSERT_WORKER][worker.worker_id] = values

    def _insert_new(
        self, new: Sequence[RolloutRecord], payloads: Sequence[tuple[str, str]]
    ) -> None:
        hot = self._hot
        ids = hot.next_ids(len(new))
        for key, record, payload in zip(ids, new, payloads, strict=True):
            row = HotRollout(key, record, None, 0)
            row.payload = payload if len(payload[0]) + len(payload[1]) <= _LONGEST else None
            if in_queue(record):
                hot.place(row)
            hot.rollouts[record.rollout_id] = row
            hot.inserts[NEW_ROLLOUT].append((key, *rows.rollout_row(record, row.place)))
            hot.inserts[NEW_PAYLOAD].append((key, *payload))
            hot.count(record.status, 1)

    def _replace(self, before: RolloutRecord, after: RolloutRecord) -> None:
        row = self._hot.rollouts[after.rollout_id]
        if before.status != after.status:
            self._hot.count(before.status, -1)
            self._hot.count(after.status, 1)
            if not in_queue(after):
                row.place = None
            elif not in_queue(before):
                self._hot.place(row)
        self._hot.moved(row, after)

    def _insert_attempt(self, attempt: AttemptRecord) -> None:
        row = self._hot.rollouts[attempt.rollout_id]
        if row.id in self._hot.touched:  # the last sign of the attempt before
            self._hot.flush()
        row.attempt = attempt
        self._hot.inserts[NEW_ATTEMPT].append(rows.attempt_row(attempt, row.id))
        self._hot.count("attempts", 1)

    def _replace_attempt(self, attempt: AttemptRecord) -> None:
        row = self._hot.rollouts[attempt.rollout_id]
        row.attempt = attempt
        key = (row.id, attempt.sequence_id)
        state = (attempt.end_time, attempt.status, maybe_stored(attempt.worker_id))
        self._hot.updates[ATTEMPT][key] = (*state, attempt.last_heartbeat_time, *key)

    async def get_worker(self, worker_id: str, *, for_update: bool = False) -> WorkerRecord | None:
        worker = self._hot.workers.get(worker_id)
        if worker is None:
            worker = await super().get_worker(worker_id)
            if worker is not None:
                self._hot.workers[worker_id] = worker
        return worker

    async def latest_resources_id(self) -> str | None:
        if self._hot.latest_resources is None:
            self._hot.latest_resources = (await super().latest_resources_id(),)
        return self._hot.latest_resources[0]

    async def insert_spans(self, spans: Sequence[Span]) -> Sequence[bool]:
        encoded = []
        for span in spans:
            row = self._row(span.rollout_id, span.attempt_id)
            assert row is not None
            assert row.attempt is not None
            encoded.append(rows.span_row(span, row.id, row.attempt.sequence_id))
        self.dirty = True
        fresh = []
        for span, values in zip(spans, encoded, strict=True):
            # Not the row from above: spans of several attempts may have had it read anew.
            fresh.append(self._keep(self._hot.rollouts[span.rollout_id], span, values))
        self._hot.count("spans", sum(fresh))
        return fresh

    async def insert_span(self, span: Span, attempt: AttemptRecord) -> bool:
        row = self._hot.rollouts[span.rollout_id]
        values = rows.span_row(span, row.id, attempt.sequence_id)
        self.dirty = True
        fresh = self._keep(row, span, values)
        self._hot.count("spans", fresh)
        return fresh

    def _keep(self, row: HotRollout, span: Span, values: tuple[Any, ...]) -> bool:
        if span.sequence_id > row.sequence:
            self._set_counter(row, span.sequence_id)
        if not row.is_new(values[1], span.span_id):
            return False
        # One that is stored already and was not seen makes the whole transaction fail. It is done
        # again without any of this.
        self._hot.inserts[NEW_SPAN].append(values)
        return True

    def _set_counter(self, row: HotRollout, sequence: int) -> None:
        row.sequence = sequence
        self._hot.touched[row.id] = row

    async def take_span_ids(self, rollout_id: str, count: int) -> int | None:
        row = self._row(rollout_id, None)
        if row is None:
            return None
        self.dirty = True
        first = row.sequence + 1
        self._set_counter(row, row.sequence + count)
        return first
