"""Spans: stored, numbered, read."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any

from agentlightning_compat.lifecycle import rollouts as machine
from agentlightning_compat.lifecycle.records import Pair
from agentlightning_compat.model import PaginatedResult, Span
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.operations.attempts import moved
from agentlightning_compat.store.operations.operation import (
    Operation,
    both,
    existing,
    missing,
    paginated,
    same,
)
from agentlightning_compat.store.query import Condition, Page
from agentlightning_compat.store.transaction import Transaction
from agentlightning_compat.store.values import changed

Key = tuple[str, str]


def add(tx: Transaction, command: c.AddSpans, now: float) -> Coroutine[Any, Any, Sequence[Span]]:
    """Store spans; those that are stored already are left out of the result."""
    return (_add_one if len(command.spans) == 1 else _add_many)(tx, command, now)


async def _add_many(tx: Transaction, command: c.AddSpans, now: float) -> Sequence[Span]:
    spans = command.spans
    # In one order for everybody: two batches that lock the same rollouts must not wait for each
    # other.
    for key in sorted({(span.rollout_id, span.attempt_id) for span in spans}):
        await _pair(tx, key)
    if not command.numbered:
        spans = await _numbered(tx, spans)
    fresh = await tx.insert_spans(spans)
    stored = [span for span, is_fresh in zip(spans, fresh, strict=True) if is_fresh]
    for key in dict.fromkeys((span.rollout_id, span.attempt_id) for span in stored):
        # Read again: the heartbeat of one attempt may have moved the rollout of the next.
        before = await _pair(tx, key)
        await tx.apply(moved(before, machine.span_stored(before.rollout, before.attempt, now)))
    return stored


async def _add_one(tx: Transaction, command: c.AddSpans, now: float) -> Sequence[Span]:
    # The most frequent operation of all: the same as above, in fewer steps.
    spans = command.spans
    rollout_id, attempt_id = spans[0].rollout_id, spans[0].attempt_id
    rollout, attempt = found = await tx.find(rollout_id, attempt_id, for_update=True)
    if rollout is None or attempt is None:
        raise missing(found, rollout_id, attempt_id)
    if not command.numbered:
        spans = await _numbered(tx, spans)
    if not await tx.insert_span(spans[0], attempt):
        return ()
    after = machine.span_stored(rollout, attempt, now)
    if after.rollout is rollout:
        await tx.heard(attempt, after.attempt)
    else:
        await tx.apply(moved(Pair(rollout, attempt), after))
    return spans


async def _pair(tx: Transaction, key: Key) -> Pair:
    return both(await tx.find(*key, for_update=True), *key)


async def _numbered(tx: Transaction, spans: Sequence[Span]) -> list[Span]:
    sequence_ids = await _take(tx, [span.rollout_id for span in spans])
    return [
        changed(span, sequence_id=sequence_id)
        for span, sequence_id in zip(spans, sequence_ids, strict=True)
    ]


async def _take(tx: Transaction, rollout_ids: Sequence[str]) -> list[int]:
    counts: dict[str, int] = {}
    for rollout_id in rollout_ids:
        counts[rollout_id] = counts.get(rollout_id, 0) + 1
    following: dict[str, int] = {}
    for rollout_id in sorted(counts):
        first = await tx.take_span_ids(rollout_id, counts[rollout_id])
        if first is None:
            existing(None, rollout_id)
        else:
            following[rollout_id] = first
    taken = []
    for rollout_id in rollout_ids:
        taken.append(following[rollout_id])
        following[rollout_id] += 1
    return taken


async def next_ids(tx: Transaction, command: c.NextSpanIds, now: float) -> list[int]:
    """Fresh sequence ids, counted per rollout."""
    return await _take(tx, [rollout_id for rollout_id, _ in command.keys])


async def query(tx: Transaction, command: c.QuerySpans, now: float) -> PaginatedResult[Span]:
    """Spans of a rollout, of one attempt or of all."""
    attempt_id = command.attempt_id
    if attempt_id == "latest":
        _, attempt = await tx.find(command.rollout_id, "latest")
        if attempt is None:
            return paginated(command.query, Page([], 0))
        attempt_id = attempt.attempt_id
    must = [Condition("rollout_id", "exact", command.rollout_id)]
    if attempt_id is not None:
        must.append(Condition("attempt_id", "exact", attempt_id))
    asked = command.query._replace(must=tuple(must))
    return paginated(command.query, await tx.query_spans(asked))


TABLE: dict[type[c.Command[Any]], Operation] = {
    c.AddSpans: Operation(add, same, scans=False),
    c.NextSpanIds: Operation(next_ids, same, scans=False),
    c.QuerySpans: Operation(query, same),
}
