"""What the writer of a SQLite file knows without reading, and what it has yet to write.

As long as nobody else writes to the file, rows are as this process left them. They are written
together when a transaction ends, or before something is read that they would change.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from agentlightning_compat.lifecycle.records import AttemptRecord, RolloutRecord, WorkerRecord
from agentlightning_compat.store.sql import rows
from agentlightning_compat.store.sql.dialect import insert_of, update_of
from agentlightning_compat.store.sql.texts import load
from agentlightning_compat.store.sql.transaction import UPSERT_TOTAL, UPSERT_WORKER, total_rows
from agentlightning_compat.store.sqlite_queue import QueueFront

_OF_ATTEMPT = "rollout = ? AND sequence_id = ?"
_STATE = ("end_time", "status", "attempts", "check_at", "queue_position")
# In the order in which they are written: rows first, then what becomes of them.
NEW_ROLLOUT = insert_of("rollouts", f"id {rows.NEW_ROLLOUT}")
NEW_PAYLOAD = insert_of("payloads", "rollout input metadata")
NEW_ATTEMPT = insert_of("attempts", rows.NEW_ATTEMPT)
NEW_SPAN = insert_of("spans", rows.NEW_SPAN)
STATE = update_of("rollouts", _STATE, "id = ?")
_SEQUENCE = update_of("rollouts", ("span_sequence",), "id = ?")
ATTEMPT = update_of(
    "attempts", ("end_time", "status", "worker_id", "last_heartbeat_time"), _OF_ATTEMPT
)
_BEAT = update_of("attempts", ("last_heartbeat_time",), _OF_ATTEMPT)
POSITION = "UPDATE series SET last = ? WHERE name = 'queue_positions'"
_INSERTS = (NEW_ROLLOUT, NEW_PAYLOAD, NEW_ATTEMPT, NEW_SPAN)
_UPDATES = (STATE, ATTEMPT, UPSERT_WORKER, POSITION)


class HotRollout:
    """A rollout, one of its attempts, and some spans that are known to be stored.

    `record` has no input and metadata; `payload` is their JSON, None if it
    was not read or is too long to keep.
    """

    MOST_SEEN = 256

    __slots__ = ("_seen", "_seen_of", "attempt", "id", "payload", "place", "record", "sequence")

    def __init__(self, key: int, record: RolloutRecord, place: int | None, sequence: int) -> None:
        self.id = key
        self.place = place
        self.sequence = sequence  # the highest of its spans
        self.attempt: AttemptRecord | None = None
        self._seen: set[str] = set()
        self._seen_of = 0
        self.payload: tuple[str, str] | None = None
        self.keep(record)

    def keep(self, record: RolloutRecord) -> None:
        """It is like this from now on."""
        if record.input is not rows.UNREAD:
            record = record._replace(input=rows.UNREAD, metadata=rows.UNREAD)
        self.record = record

    def is_new(self, attempt: int, span_id: str) -> bool:
        """Whether a span has not been seen before; from now on it has."""
        if attempt != self._seen_of or len(self._seen) >= self.MOST_SEEN:
            self._seen_of = attempt
            self._seen.clear()
        if span_id in self._seen:
            return False
        self._seen.add(span_id)
        return True

    def knows(self, attempt_id: str | None, *, slim: bool) -> bool:
        """Whether all that is asked for is here."""
        if self.payload is None and not slim:
            return False
        attempt = self.attempt
        if attempt_id is None or (attempt is not None and attempt.attempt_id == attempt_id):
            return True
        latest = 0 if attempt is None else attempt.sequence_id
        return attempt_id == "latest" and self.record.attempts == latest

    def whole(self) -> RolloutRecord:
        """The record with its input and metadata, which are nobody else's."""
        assert self.payload is not None
        given, metadata = self.payload
        return self.record._replace(input=load(given), metadata=load(metadata))


class Hot:
    """The rows of one connection, and what is to be written."""

    MOST = 2048  # rollouts, workers

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._raw = connection
        self._version: int | None = None
        self._reset()

    def _reset(self) -> None:
        # The rows to write, by statement; of several changes of one row only the last.
        self.inserts: dict[str, list[Sequence[Any]]] = {name: [] for name in _INSERTS}
        self.updates: dict[str, dict[Any, Sequence[Any]]] = {name: {} for name in _UPDATES}
        # Those whose spans were counted, or whose attempt gave a sign of life. They are written
        # as they are in the end: nothing has to be made for each change.
        self.touched: dict[int, HotRollout] = {}
        self._totals: dict[str, int] = {}
        self.forget()

    def forget(self) -> None:
        """Somebody else wrote: nothing is known any more."""
        self.rollouts: dict[str, HotRollout] = {}
        self.workers: dict[str, WorkerRecord] = {}
        self.latest_resources: tuple[str | None] | None = None
        self.queue = QueueFront()
        self._last_id: int | None = None
        self._last_place: int | None = None

    def begun(self) -> None:
        """A transaction has begun: what is known holds if no other connection wrote."""
        version = self._raw.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._version = version
            self.forget()
        if len(self.rollouts) > self.MOST:
            old = list(islice(self.rollouts, len(self.rollouts) // 2))
            for rollout_id in old:
                del self.rollouts[rollout_id]
        if len(self.workers) > self.MOST:
            self.workers.clear()

    def undone(self) -> None:
        """The transaction was rolled back, and all that was known of it."""
        self._reset()

    def count(self, name: str, n: int) -> None:
        """How many there are of something has changed by so much."""
        self._totals[name] = self._totals.get(name, 0) + n

    def counted(self, totals: Mapping[str, int]) -> None:
        """Count all of these."""
        for name, n in totals.items():
            self.count(name, n)

    def flush(self) -> None:
        """Write what is to be written."""
        for statement, new in self.inserts.items():
            if new:
                self._raw.executemany(statement, new)
                new.clear()
        for statement, changed in self.updates.items():
            if changed:
                self._raw.executemany(statement, changed.values())
                changed.clear()
        if self.touched:
            touched = self.touched.values()
            self._raw.executemany(_SEQUENCE, ((row.sequence, row.id) for row in touched))
            beats = ((row.attempt, row.id) for row in touched if row.attempt is not None)
            self._raw.executemany(
                _BEAT, ((a.last_heartbeat_time, key, a.sequence_id) for a, key in beats)
            )
            self.touched.clear()
        if self._totals:
            self._raw.executemany(UPSERT_TOTAL, total_rows(self._totals, 0))
            self._totals.clear()

    def next_ids(self, count: int) -> range:
        """The ids of new rollouts."""
        if self._last_id is None:
            found = self._raw.execute("SELECT coalesce(max(id), 0) FROM rollouts").fetchone()
            self._last_id = found[0]
        first = self._last_id + 1
        self._last_id += count
        return range(first, first + count)

    def next_place(self) -> int:
        """The next place at the tail of the queue."""
        if self._last_place is None:
            last = "SELECT last FROM series WHERE name = 'queue_positions'"
            self._last_place = self._raw.execute(last).fetchone()[0]
        self._last_place += 1
        self.updates[POSITION][0] = (self._last_place,)
        return self._last_place

    def place(self, row: HotRollout) -> None:
        """Put a rollout at the tail of the queue."""
        row.place = self.next_place()
        self.queue.append(row.place, row.record.rollout_id)

    def moved(self, row: HotRollout, after: RolloutRecord) -> None:
        """A rollout has another state; its place says already whether it is in the queue."""
        row.keep(after)
        values = (after.end_time, after.status, after.attempts, after.check_at, row.place, row.id)
        self.updates[STATE][row.id] = values
