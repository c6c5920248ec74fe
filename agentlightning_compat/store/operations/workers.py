"""Workers: heard, read; and how much of everything there is."""

from __future__ import annotations

from typing import Any

from agentlightning_compat.lifecycle.records import WorkerRecord
from agentlightning_compat.model import PaginatedResult
from agentlightning_compat.model.unset import given
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.operations.operation import (
    Operation,
    each,
    paginated,
    same,
)
from agentlightning_compat.store.transaction import Changes, Transaction
from agentlightning_compat.store.values import worker_model


async def update(tx: Transaction, command: c.UpdateWorker, now: float) -> WorkerRecord:
    """A heartbeat; it says nothing about what the worker is doing."""
    known = await tx.get_worker(command.worker_id, for_update=True)
    worker = known or WorkerRecord(command.worker_id)
    worker = worker._replace(
        last_heartbeat_time=now,
        heartbeat_stats=given(command.heartbeat_stats, worker.heartbeat_stats),
    )
    await tx.apply(Changes(workers=(worker,)))
    return worker


async def get(tx: Transaction, command: c.GetWorker, now: float) -> WorkerRecord | None:
    """One worker."""
    return await tx.get_worker(command.worker_id)


async def query(
    tx: Transaction, command: c.QueryWorkers, now: float
) -> PaginatedResult[WorkerRecord]:
    """Workers."""
    return paginated(command.query, await tx.query_workers(command.query))


async def counts(tx: Transaction, command: c.GetCounts, now: float) -> dict[str, int]:
    """Totals of every kind."""
    return await tx.counts()


def _presented(record: WorkerRecord | None) -> Any:
    return None if record is None else worker_model(record)


TABLE: dict[type[c.Command[Any]], Operation] = {
    c.UpdateWorker: Operation(update, worker_model, scans=False),
    c.GetWorker: Operation(get, _presented, scans=False),
    c.QueryWorkers: Operation(query, each(worker_model)),
    c.GetCounts: Operation(counts, same, scans=False),
}
