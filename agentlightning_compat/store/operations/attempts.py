"""Attempts: reported on, read; and those that are overdue."""

from __future__ import annotations

from typing import Any

from agentlightning_compat.lifecycle import rollouts as machine
from agentlightning_compat.lifecycle import workers
from agentlightning_compat.lifecycle.records import AttemptRecord, Pair, WorkerRecord
from agentlightning_compat.model import PaginatedResult
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.operations.operation import (
    Operation,
    both,
    each,
    paginated,
    same,
)
from agentlightning_compat.store.transaction import Changes, Transaction
from agentlightning_compat.store.values import attempt_model

# How many overdue rollouts are taken in one transaction: others get their turn in between.
SWEEP_BATCH = 500


def moved(before: Pair, after: Pair, *workers_after: WorkerRecord) -> Changes:
    """The changes from one pair to the next."""
    return Changes(
        rollouts=((before.rollout, after.rollout),) if after.rollout is not before.rollout else (),
        attempts=((before.attempt, after.attempt),),
        workers=workers_after,
    )


async def _worker_heard(
    tx: Transaction, attempt: AttemptRecord, now: float
) -> tuple[WorkerRecord, ...]:
    if not attempt.worker_id:
        return ()
    known = await tx.get_worker(attempt.worker_id, for_update=True)
    return (workers.heard(known or WorkerRecord(attempt.worker_id), attempt, now),)


async def update(tx: Transaction, command: c.UpdateAttempt, now: float) -> AttemptRecord:
    """Change fields of an attempt; its rollout and its worker follow."""
    found = await tx.find(command.rollout_id, command.attempt_id, for_update=True)
    before = both(found, command.rollout_id, command.attempt_id)
    after = machine.attempt_updated(before, command.changes, now)
    speaks = "status" in command.changes or "worker_id" in command.changes
    heard = await _worker_heard(tx, after.attempt, now) if speaks else ()
    await tx.apply(moved(before, after, *heard))
    return after.attempt


async def query(
    tx: Transaction, command: c.QueryAttempts, now: float
) -> PaginatedResult[AttemptRecord]:
    """Attempts of a rollout."""
    return paginated(command.query, await tx.query_attempts(command.query))


async def latest(tx: Transaction, command: c.GetLatestAttempt, now: float) -> AttemptRecord | None:
    """The latest attempt, if there is one."""
    _, attempt = await tx.find(command.rollout_id, "latest")
    return attempt


async def sweep(tx: Transaction, command: c.Sweep, now: float) -> float | None:
    """Attempts whose time is over are lost, and their rollouts tried again or failed."""
    for before in await tx.overdue(now, SWEEP_BATCH):
        after = machine.overdue(before.rollout, before.attempt, now)
        if after is None:
            # Nothing to wait for: it must not be found again at once.
            after = Pair(before.rollout._replace(check_at=None), before.attempt)
        if after.attempt.status == before.attempt.status:
            await tx.apply(Changes(rollouts=((before.rollout, after.rollout),)))
        else:
            heard = await _worker_heard(tx, after.attempt, now)
            await tx.apply(moved(before, after, *heard))
    return await tx.next_check()


def _presented(record: AttemptRecord | None) -> Any:
    return None if record is None else attempt_model(record)


TABLE: dict[type[c.Command[Any]], Operation] = {
    c.UpdateAttempt: Operation(update, attempt_model),
    c.QueryAttempts: Operation(query, each(attempt_model)),
    c.GetLatestAttempt: Operation(latest, _presented),
    c.Sweep: Operation(sweep, same, scans=False),
}
