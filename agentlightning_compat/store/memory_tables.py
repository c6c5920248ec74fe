"""What an in-memory store holds, and its primitives over it."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from agentlightning_compat.errors import StorageError
from agentlightning_compat.lifecycle.records import (
    AttemptRecord,
    Pair,
    RolloutRecord,
    WorkerRecord,
)
from agentlightning_compat.lifecycle.rollouts import in_queue, is_finished
from agentlightning_compat.model import ResourcesUpdate, Span
from agentlightning_compat.model.rollouts import ROLLOUT_STATUSES
from agentlightning_compat.store import matching
from agentlightning_compat.store.memory_spans import SpanMemory
from agentlightning_compat.store.ordered import OrderedNumbers
from agentlightning_compat.store.query import Page, Query
from agentlightning_compat.store.transaction import Changes, Effects, Found, Transaction


class Entry:
    """A rollout and what belongs to it; `order` is its place among all that were inserted."""

    __slots__ = ("attempts", "order", "rollout", "sequence", "ticket")

    def __init__(self, rollout: RolloutRecord, order: int) -> None:
        self.rollout = rollout
        self.attempts: list[AttemptRecord] = []
        self.order = order
        self.sequence = 0
        self.ticket = 0

    def attempt(self, attempt_id: str) -> AttemptRecord | None:
        """The attempt of this id, or the latest."""
        latest = self.attempts[-1] if self.attempts else None
        if latest is None or attempt_id in (latest.attempt_id, "latest"):
            return latest
        return next((a for a in reversed(self.attempts) if a.attempt_id == attempt_id), None)


class MemoryTables(Transaction):
    """The tables, which are their own transaction: nothing suspends, so nobody comes between."""

    def __init__(self, spans: SpanMemory) -> None:
        super().__init__()
        self.spans = spans
        self._entries: dict[str, Entry] = {}
        self._in_order: list[Entry] = []
        self._by_status = {status: OrderedNumbers() for status in ROLLOUT_STATUSES}
        # Left behind by rollouts that went elsewhere: an entry counts while its ticket is the same.
        self._queue: deque[tuple[int, Entry]] = deque()
        self._tickets = 0
        self._checks: list[tuple[float, int, Entry]] = []
        self._attempts = 0
        self._resources: dict[str, ResourcesUpdate] = {}
        self._latest_resources: str | None = None
        self._workers: dict[str, WorkerRecord] = {}

    def take_effects(self) -> Effects:
        """What the operation that just ended has to make known."""
        effects = self.effects
        if effects:
            self.effects = Effects()
        return effects

    async def heard(self, before: AttemptRecord, after: AttemptRecord) -> None:
        self._entries[after.rollout_id].attempts[after.sequence_id - 1] = after

    async def write(self, changes: Changes) -> None:
        for rollout in changes.new_rollouts:
            self._insert(rollout)
        for _, rollout in changes.rollouts:
            self._replace(rollout)
        for attempt in changes.new_attempts:
            self._entries[attempt.rollout_id].attempts.append(attempt)
            self._attempts += 1
        for _, attempt in changes.attempts:
            attempts = self._entries[attempt.rollout_id].attempts
            attempts[attempt.sequence_id - 1] = attempt
        for worker in changes.workers:
            self._workers[worker.worker_id] = worker

    def _insert(self, rollout: RolloutRecord) -> None:
        if rollout.rollout_id in self._entries:
            raise StorageError(f"there is a rollout {rollout.rollout_id!r} already")
        entry = Entry(rollout, len(self._in_order))
        self._in_order.append(entry)
        self._entries[rollout.rollout_id] = entry
        self._by_status[rollout.status].add(entry.order)
        if in_queue(rollout):
            self._enter_queue(entry)
        self._expect(entry)

    def _replace(self, rollout: RolloutRecord) -> None:
        entry = self._entries[rollout.rollout_id]
        before = entry.rollout
        entry.rollout = rollout
        if before.status != rollout.status:
            self._by_status[before.status].remove(entry.order)
            self._by_status[rollout.status].add(entry.order)
            if not in_queue(rollout):
                entry.ticket = 0
            elif not in_queue(before):
                self._enter_queue(entry)
        if before.check_at != rollout.check_at:
            self._expect(entry)

    def _enter_queue(self, entry: Entry) -> None:
        self._tickets += 1
        entry.ticket = self._tickets
        self._queue.append((self._tickets, entry))

    def _expect(self, entry: Entry) -> None:
        check_at = entry.rollout.check_at
        if check_at is not None:
            heapq.heappush(self._checks, (check_at, entry.order, entry))

    async def find(
        self, rollout_id: str, attempt_id: str | None, *, for_update: bool = False
    ) -> Found:
        entry = self._entries.get(rollout_id)
        if entry is None:
            return None, None
        return entry.rollout, None if attempt_id is None else entry.attempt(attempt_id)

    async def find_rollouts(self, rollout_ids: Sequence[str]) -> Mapping[str, RolloutRecord]:
        entries = self._entries
        return {key: entries[key].rollout for key in rollout_ids if key in entries}

    async def queue_heads(self, limit: int) -> Sequence[RolloutRecord]:
        heads: list[RolloutRecord] = []
        queue = self._queue
        while queue and len(heads) < limit:
            ticket, entry = queue.popleft()
            if ticket == entry.ticket:
                heads.append(entry.rollout)
        return heads

    async def claimed(self, attempt_ids: Sequence[str]) -> Sequence[Pair]:
        entries = (self._in_order[order] for order in self._by_status["preparing"])
        wanted = set(attempt_ids)
        pairs = (Pair(entry.rollout, entry.attempts[-1]) for entry in entries if entry.attempts)
        return [pair for pair in pairs if pair.attempt.attempt_id in wanted]

    async def overdue(self, now: float, limit: int) -> Sequence[Pair]:
        found: list[Pair] = []
        while len(found) < limit and self._first_check() is not None:
            check_at, _, entry = self._checks[0]
            if check_at >= now:
                break
            heapq.heappop(self._checks)
            found.append(Pair(entry.rollout, entry.attempts[-1]))
        return found

    async def next_check(self) -> float | None:
        return self._first_check()

    def _first_check(self) -> float | None:
        checks = self._checks
        while checks and checks[0][0] != checks[0][2].rollout.check_at:
            heapq.heappop(checks)
        return checks[0][0] if checks else None

    async def insert_spans(self, spans: Sequence[Span]) -> Sequence[bool]:
        # All are encoded before any is kept: what cannot be kept leaves no trace.
        encoded = [self.spans.encoded(span) for span in spans]
        fresh = [
            self._keep(span, self._known_id(span), *data)
            for span, data in zip(spans, encoded, strict=True)
        ]
        self.spans.make_room(self._age)
        return fresh

    async def insert_span(self, span: Span, attempt: AttemptRecord) -> bool:
        data, size = self.spans.encoded(span)
        fresh = self._keep(span, attempt.attempt_id, data, size)
        self.spans.make_room(self._age)
        return fresh

    def _known_id(self, span: Span) -> str:
        """The id of its attempt, as the attempt has it: one text for all its spans."""
        attempt = self._entries[span.rollout_id].attempt(span.attempt_id)
        return attempt.attempt_id if attempt else span.attempt_id

    def _keep(self, span: Span, attempt_id: str, data: bytes, size: int) -> bool:
        entry = self._entries[span.rollout_id]
        entry.sequence = max(entry.sequence, span.sequence_id)
        shelf = self.spans.shelf(entry.rollout.rollout_id)
        return self.spans.put(shelf, (attempt_id, span.span_id), span.sequence_id, data, size)

    def _age(self, rollout_id: str) -> tuple[bool, float]:
        rollout = self._entries[rollout_id].rollout
        return not is_finished(rollout), rollout.start_time

    async def take_span_ids(self, rollout_id: str, count: int) -> int | None:
        entry = self._entries.get(rollout_id)
        if entry is None:
            return None
        entry.sequence += count
        return entry.sequence - count + 1

    async def latest_resources_id(self) -> str | None:
        return self._latest_resources

    async def get_resources(
        self, resources_id: str | None, *, for_update: bool = False
    ) -> ResourcesUpdate | None:
        key = self._latest_resources if resources_id is None else resources_id
        return None if key is None else self._resources.get(key)

    async def put_resources(self, update: ResourcesUpdate) -> None:
        self._resources[update.resources_id] = update
        self._latest_resources = update.resources_id

    async def get_worker(self, worker_id: str, *, for_update: bool = False) -> WorkerRecord | None:
        return self._workers.get(worker_id)

    async def query_rollouts(
        self, query: Query
    ) -> Page[tuple[RolloutRecord, AttemptRecord | None]]:
        page = self._matching(query)
        items = [(entry.rollout, entry.attempt("latest")) for entry in page.items]
        return Page(items, page.total)

    def _matching(self, query: Query) -> Page[Entry]:
        if query.sort_by is None:
            if not query.conditions:
                return Page(matching.part(query, self._in_order), len(self._in_order))
            if len(query.conditions) == 1 and query.conditions[0].field == "status":
                return self._of_statuses(query, query.conditions[0].value)
        return matching.answer("rollouts", query, self._candidates(query), _read_rollout)

    def _of_statuses(self, query: Query, statuses: Sequence[str]) -> Page[Entry]:
        sets = [self._by_status[status] for status in statuses]
        total = sum(len(numbers) for numbers in sets)
        if len(sets) == 1:
            orders = sets[0].part(query.offset, query.limit)
        else:
            end = total if query.limit < 0 else query.offset + query.limit
            orders = list(islice(heapq.merge(*sets), query.offset, end))
        return Page([self._in_order[order] for order in orders], total)

    def _candidates(self, query: Query) -> Iterable[Entry]:
        """Few entries among which all that match are, in the order of insertion."""
        if len(query.conditions) == 1 or not query.any_of:
            for condition in query.conditions:
                if condition.field == "status":
                    orders = heapq.merge(*(self._by_status[s] for s in condition.value))
                    return (self._in_order[order] for order in orders)
                if condition.field == "rollout_id" and condition.operator == "within":
                    found = (self._entries.get(key) for key in condition.value)
                    return sorted((e for e in found if e), key=lambda entry: entry.order)
        return self._in_order

    async def query_attempts(self, query: Query) -> Page[AttemptRecord]:
        entry = self._entries.get(query.must[0].value)
        return matching.answer("attempts", query, entry.attempts if entry else [])

    async def query_spans(self, query: Query) -> Page[Span]:
        shelf = self.spans.find(query.must[0].value)
        return shelf.query(query) if shelf else Page([], 0)

    async def query_resources(self, query: Query) -> Page[ResourcesUpdate]:
        return matching.answer("resources", query, self._resources.values())

    async def query_workers(self, query: Query) -> Page[WorkerRecord]:
        return matching.answer("workers", query, self._workers.values())

    async def counts(self) -> dict[str, int]:
        return {
            "total_rollouts": len(self._in_order),
            "total_attempts": self._attempts,
            "total_spans": self.spans.count,
            "total_resources": len(self._resources),
            "total_workers": len(self._workers),
        }


def _read_rollout(entry: Entry, field: str) -> Any:
    return getattr(entry.rollout, field)
