"""What a backend has to be able to do: a few primitives inside a transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agentlightning_compat.lifecycle.records import (
    AttemptRecord,
    Pair,
    RolloutRecord,
    WorkerRecord,
)
from agentlightning_compat.lifecycle.rollouts import in_queue, is_finished
from agentlightning_compat.model import ResourcesUpdate, Span
from agentlightning_compat.store.query import Page, Query

Found = tuple[RolloutRecord | None, AttemptRecord | None]


class Changes(NamedTuple):
    """What an operation writes, in one go. Changed records come as (before, after)."""

    new_rollouts: Sequence[RolloutRecord] = ()
    rollouts: Sequence[tuple[RolloutRecord, RolloutRecord]] = ()
    new_attempts: Sequence[AttemptRecord] = ()
    attempts: Sequence[tuple[AttemptRecord, AttemptRecord]] = ()
    workers: Sequence[WorkerRecord] = ()


class Effects:
    """What others have to be told once the transaction is committed."""

    __slots__ = ("check_at", "finished", "queued")

    def __init__(self) -> None:
        self.queued = 0
        self.finished: list[str] = []
        self.check_at: float | None = None

    def __bool__(self) -> bool:
        return bool(self.queued or self.finished or self.check_at is not None)

    def note(self, changes: Changes) -> None:
        """Add what these changes mean to those who wait."""
        for rollout in changes.new_rollouts:
            self.queued += in_queue(rollout)
            self._check(rollout)
        for before, after in changes.rollouts:
            if before.status != after.status:
                if in_queue(after) and not in_queue(before):
                    self.queued += 1
                elif is_finished(after):
                    self.finished.append(after.rollout_id)
            if before.check_at != after.check_at:
                self._check(after)

    def _check(self, rollout: RolloutRecord) -> None:
        at = rollout.check_at
        if at is not None and (self.check_at is None or at < self.check_at):
            self.check_at = at


class Transaction(ABC):
    """One transaction of a backend. Everything in it happens, or nothing does.

    Records are immutable. A record that was read `for_update` does not change under the
    transaction until it ends. Order of insertion is the order of the calls.
    """

    def __init__(self) -> None:
        self.effects = Effects()

    async def apply(self, changes: Changes) -> None:
        """Write the changes and note whom they concern."""
        await self.write(changes)
        self.effects.note(changes)

    async def heard(self, before: AttemptRecord, after: AttemptRecord) -> None:
        """Write the status and the last heartbeat of an attempt, for which nobody waits."""
        await self.write(Changes(attempts=((before, after),)))

    @abstractmethod
    async def write(self, changes: Changes) -> None:
        """Insert and replace records.

        A rollout whose status enters the queue (`in_queue`) goes to its tail; one that stays in
        it keeps its place; one that leaves it is gone from it. Several new rollouts enter in the
        order given.
        """

    @abstractmethod
    async def find(
        self, rollout_id: str, attempt_id: str | None, *, for_update: bool = False
    ) -> Found:
        """A rollout and one of its attempts: by id, or `latest`, or None for no attempt."""

    @abstractmethod
    async def find_rollouts(self, rollout_ids: Sequence[str]) -> Mapping[str, RolloutRecord]:
        """Those of these rollouts that exist, by id."""

    @abstractmethod
    async def queue_heads(self, limit: int) -> Sequence[RolloutRecord]:
        """The oldest `limit` of the queue, for update; nobody else is given the same.

        What others hold may be passed over, but none at all means that the queue is empty. The
        operation moves every one of them out of the queue.
        """

    @abstractmethod
    async def claimed(self, attempt_ids: Sequence[str]) -> Sequence[Pair]:
        """Of these attempts the latest of their rollouts that were not heard of, for update."""

    @abstractmethod
    async def overdue(self, now: float, limit: int) -> Sequence[Pair]:
        """Rollouts whose `check_at` is before `now`, with their latest attempts, for update."""

    @abstractmethod
    async def next_check(self) -> float | None:
        """The least `check_at` of all rollouts."""

    @abstractmethod
    async def insert_spans(self, spans: Sequence[Span]) -> Sequence[bool]:
        """Store spans; False for each that is there already (rollout, attempt and span id),
        also within `spans`. The rollouts and attempts exist. The sequence counter of a rollout
        becomes at least the highest sequence id of its spans, also of those not stored again.
        """

    async def insert_span(self, span: Span, attempt: AttemptRecord) -> bool:
        """The same for a single span of an attempt that was just found, which is most often all
        there is."""
        (fresh,) = await self.insert_spans((span,))
        return fresh

    @abstractmethod
    async def take_span_ids(self, rollout_id: str, count: int) -> int | None:
        """Advance the sequence counter of a rollout by `count`; the first of the new ids.

        A counter starts at 0, so the first id is 1. None when there is no such rollout.
        """

    @abstractmethod
    async def latest_resources_id(self) -> str | None:
        """The id of the set of resources that was put last."""

    @abstractmethod
    async def get_resources(
        self, resources_id: str | None, *, for_update: bool = False
    ) -> ResourcesUpdate | None:
        """A set of resources, the one put last when the id is None."""

    @abstractmethod
    async def put_resources(self, update: ResourcesUpdate) -> None:
        """Insert or replace; it is the latest from now on. Replacing keeps its insertion order."""

    @abstractmethod
    async def get_worker(self, worker_id: str, *, for_update: bool = False) -> WorkerRecord | None:
        """A worker."""

    @abstractmethod
    async def query_rollouts(
        self, query: Query
    ) -> Page[tuple[RolloutRecord, AttemptRecord | None]]:
        """Rollouts with their latest attempts."""

    @abstractmethod
    async def query_attempts(self, query: Query) -> Page[AttemptRecord]:
        """Attempts; `must` names the rollout."""

    @abstractmethod
    async def query_spans(self, query: Query) -> Page[Span]:
        """Spans; `must` names the rollout and maybe the attempt."""

    @abstractmethod
    async def query_resources(self, query: Query) -> Page[ResourcesUpdate]:
        """Sets of resources."""

    @abstractmethod
    async def query_workers(self, query: Query) -> Page[WorkerRecord]:
        """Workers, in the order they were first heard of unless sorted."""

    @abstractmethod
    async def counts(self) -> dict[str, int]:
        """`total_rollouts`, `total_attempts`, `total_spans`, `total_resources`,
        `total_workers`."""
