"""Rollouts: queued, claimed, started again, changed, read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agentlightning_compat.lifecycle import rollouts as machine
from agentlightning_compat.lifecycle import workers
from agentlightning_compat.lifecycle.records import (
    AttemptRecord,
    Pair,
    RolloutRecord,
    WorkerRecord,
)
from agentlightning_compat.model import AttemptedRollout, PaginatedResult, Rollout, ids
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.once import Once
from agentlightning_compat.store.operations.attempts import moved
from agentlightning_compat.store.operations.operation import Operation, each, existing, paginated
from agentlightning_compat.store.transaction import Changes, Found, Transaction
from agentlightning_compat.store.values import (
    attempted_model,
    rollout_model,
    view_model,
)


def _record(
    new: c.NewRollout, rollout_id: str, status: str, latest_resources: str | None, now: float
) -> RolloutRecord:
    return RolloutRecord(
        rollout_id,
        new.input,
        now,
        None,
        new.mode,
        new.resources_id if new.resources_id is not None else latest_resources,
        status,
        new.config,
        new.metadata,
    )


async def _default_resources(tx: Transaction, new: Sequence[c.NewRollout]) -> str | None:
    if all(item.resources_id is not None for item in new):
        return None
    return await tx.latest_resources_id()


async def _busy(
    tx: Transaction, worker_id: str | None, attempt: AttemptRecord, now: float
) -> tuple[WorkerRecord, ...]:
    if not worker_id:
        return ()
    worker = await tx.get_worker(worker_id, for_update=True) or WorkerRecord(worker_id)
    return (workers.claimed(worker, attempt, now),)


async def start_rollout(tx: Transaction, command: c.StartRollout, now: float) -> Pair:
    """A rollout that is being worked on from its first moment."""
    once = command.once
    rollout_id = once.rollout_id() if once else ids.rollout_id()
    attempt_id = once.attempt_id() if once else ids.attempt_id()
    if once and once.again:
        known, attempt = await tx.find(rollout_id, attempt_id)
        if known is not None and attempt is not None:
            return Pair(known, attempt)
    latest = await _default_resources(tx, (command.new,))
    rollout = _record(command.new, rollout_id, "preparing", latest, now)
    pair = machine.claim(rollout, attempt_id, command.worker_id, now)
    busy = await _busy(tx, command.worker_id, pair.attempt, now)
    await tx.apply(
        Changes(new_rollouts=(pair.rollout,), new_attempts=(pair.attempt,), workers=busy)
    )
    return pair


async def enqueue(
    tx: Transaction, command: c.EnqueueRollouts, now: float
) -> Sequence[RolloutRecord]:
    """Rollouts at the tail of the queue."""
    once = command.once
    if once and once.again:
        known = [await tx.find(once.rollout_id(n), None) for n in range(len(command.new))]
        found = [rollout for rollout, _ in known if rollout is not None]
        if found:  # all of them: they were queued in one transaction
            return found
    latest = await _default_resources(tx, command.new)
    made = [
        _record(new, once.rollout_id(n) if once else ids.rollout_id(), "queuing", latest, now)
        for n, new in enumerate(command.new)
    ]
    await tx.apply(Changes(new_rollouts=made))
    return made


async def dequeue(tx: Transaction, command: c.Dequeue, now: float) -> Sequence[Pair]:
    """Claim from the head of the queue; the worker is bound to the last one claimed."""
    worker_id, once = command.worker_id, command.once
    if once and once.again:
        known = await _claimed_before(tx, once, command.limit, now)
        if known or once.only:
            return known
    heads = await tx.queue_heads(command.limit)
    pairs = [
        machine.claim(head, once.attempt_id(n) if once else ids.attempt_id(), worker_id, now)
        for n, head in enumerate(heads)
    ]
    workers_after: tuple[WorkerRecord, ...] = ()
    if worker_id:
        worker = await tx.get_worker(worker_id, for_update=True) or WorkerRecord(worker_id)
        if pairs:
            worker = workers.given(worker, pairs[-1].attempt, now)
        else:
            worker = workers.found_nothing(worker, now)
        workers_after = (worker,)
    if not pairs and not workers_after:
        return pairs
    await tx.apply(
        Changes(
            rollouts=[(head, pair.rollout) for head, pair in zip(heads, pairs, strict=True)],
            new_attempts=[pair.attempt for pair in pairs],
            workers=workers_after,
        )
    )
    return pairs


async def _claimed_before(tx: Transaction, once: Once, limit: int, now: float) -> Sequence[Pair]:
    """What this claim got when it was made before. That it is heard of again keeps others, who
    think that nobody was told, from taking it back."""
    pairs = []
    for pair in await tx.claimed([once.attempt_id(n) for n in range(limit)]):
        heard = machine.attempt_updated(pair, {"last_heartbeat_time": now}, now)
        await tx.apply(moved(pair, heard))
        pairs.append(heard)
    return pairs


async def start_attempt(tx: Transaction, command: c.StartAttempt, now: float) -> Pair:
    """One more attempt, whatever the rollout's status is."""
    once = command.once
    attempt_id = once.attempt_id() if once else ids.attempt_id()
    if once and once.again:
        known, attempt = await tx.find(command.rollout_id, attempt_id, for_update=True)
        if known is not None and attempt is not None:
            return Pair(known, attempt)
    found, _ = await tx.find(command.rollout_id, None, for_update=True)
    rollout = existing(found, command.rollout_id)
    pair = machine.claim(rollout, attempt_id, command.worker_id, now)
    busy = await _busy(tx, command.worker_id, pair.attempt, now)
    await tx.apply(
        Changes(rollouts=((rollout, pair.rollout),), new_attempts=(pair.attempt,), workers=busy)
    )
    return pair


async def get(tx: Transaction, command: c.GetRollout, now: float) -> Found:
    """A rollout and its latest attempt."""
    return await tx.find(command.rollout_id, "latest")


async def query(tx: Transaction, command: c.QueryRollouts, now: float) -> PaginatedResult[Any]:
    """Rollouts and their latest attempts."""
    return paginated(command.query, await tx.query_rollouts(command.query))


async def update(tx: Transaction, command: c.UpdateRollout, now: float) -> RolloutRecord:
    """Change fields; attempts and workers are left alone."""
    found, latest = await tx.find(command.rollout_id, "latest", for_update=True)
    before = existing(found, command.rollout_id)
    after = machine.rollout_updated(before, latest, command.changes, now)
    await tx.apply(Changes(rollouts=((before, after),)))
    return after


async def get_finished(
    tx: Transaction, command: c.GetFinished, now: float
) -> list[RolloutRecord | None]:
    """Those that nobody has to wait for: finished, or (None) unknown."""
    found = await tx.find_rollouts(command.rollout_ids)
    listed = [found.get(rollout_id) for rollout_id in command.rollout_ids]
    return [rollout for rollout in listed if rollout is None or machine.is_finished(rollout)]


def _attempted(pair: Pair) -> AttemptedRollout:
    return attempted_model(pair.rollout, pair.attempt)


def _found(found: Found) -> Rollout | None:
    return None if found[0] is None else view_model(found[0], found[1])


TABLE: dict[type[c.Command[Any]], Operation] = {
    c.StartRollout: Operation(start_rollout, _attempted),
    c.EnqueueRollouts: Operation(enqueue, lambda made: [rollout_model(item) for item in made]),
    c.Dequeue: Operation(dequeue, lambda pairs: [_attempted(pair) for pair in pairs]),
    c.StartAttempt: Operation(start_attempt, _attempted),
    c.GetRollout: Operation(get, _found),
    c.QueryRollouts: Operation(query, each(lambda item: view_model(*item))),
    c.UpdateRollout: Operation(update, rollout_model),
    c.GetFinished: Operation(
        get_finished,
        lambda found: [None if item is None else rollout_model(item) for item in found],
        scans=False,
    ),
}
