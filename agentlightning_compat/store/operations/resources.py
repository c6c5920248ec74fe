"""Sets of resources: added, replaced, read."""

from __future__ import annotations

from typing import Any

from agentlightning_compat.model import PaginatedResult, ResourcesUpdate, ids
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.operations.operation import (
    Operation,
    each,
    paginated,
)
from agentlightning_compat.store.transaction import Transaction
from agentlightning_compat.store.values import own


async def add(tx: Transaction, command: c.AddResources, now: float) -> ResourcesUpdate:
    """A new set under a new id."""
    once = command.once
    resources_id = once.resources_id() if once else ids.resources_id()
    if once and once.again:
        known = await tx.get_resources(resources_id)
        if known is not None:
            return known
    update = ResourcesUpdate(
        resources_id=resources_id,
        create_time=now,
        update_time=now,
        version=1,
        resources=command.resources,
    )
    await tx.put_resources(update)
    return update


async def put(tx: Transaction, command: c.UpdateResources, now: float) -> ResourcesUpdate:
    """Replace the set of this id, or add it."""
    known = await tx.get_resources(command.resources_id, for_update=True)
    update = ResourcesUpdate(
        resources_id=command.resources_id,
        create_time=known.create_time if known else now,
        update_time=now,
        version=known.version + 1 if known else 1,
        resources=command.resources,
    )
    await tx.put_resources(update)
    return update


async def get(tx: Transaction, command: c.GetResources, now: float) -> ResourcesUpdate | None:
    """One set, or the latest."""
    return await tx.get_resources(command.resources_id)


async def query(
    tx: Transaction, command: c.QueryResources, now: float
) -> PaginatedResult[ResourcesUpdate]:
    """Sets of resources."""
    return paginated(command.query, await tx.query_resources(command.query))


def _snapshot(update: ResourcesUpdate | None) -> ResourcesUpdate | None:
    return None if update is None else own(update)


TABLE: dict[type[c.Command[Any]], Operation] = {
    c.AddResources: Operation(add, _snapshot, scans=False),
    c.UpdateResources: Operation(put, _snapshot),
    c.GetResources: Operation(get, _snapshot, scans=False),
    c.QueryResources: Operation(query, each(_snapshot), scans=False),
}
