"""The public methods about resources and workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from agentlightning_compat.model import (
    NamedResources,
    PaginatedResult,
    ResourcesUpdate,
    Worker,
    WorkerStatus,
)
from agentlightning_compat.model.unset import UNSET, Unset
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.contract import arguments as check
from agentlightning_compat.store.contract.performing import Performing
from agentlightning_compat.store.query import make_query


class ResourceMethods(Performing):
    """Add, replace and read sets of resources."""

    async def add_resources(self, resources: NamedResources) -> ResourcesUpdate:
        """A new set; it is the latest from now on.

        Raises:
            InvalidRequestError: it has something that is no resource.
        """
        return await self._perform(c.AddResources(check.resources(resources)))

    async def update_resources(
        self, resources_id: str, resources: NamedResources
    ) -> ResourcesUpdate:
        """Replace a set as a whole, or add it under this id; it is the latest from now on.

        Raises:
            InvalidRequestError: it has something that is no resource.
        """
        resources_id = check.text("resources_id", resources_id)
        return await self._perform(c.UpdateResources(resources_id, check.resources(resources)))

    async def get_resources_by_id(self, resources_id: str) -> ResourcesUpdate | None:
        """The set of this id; None when it is unknown."""
        return await self._perform(c.GetResources(check.text("resources_id", resources_id)))

    async def get_latest_resources(self) -> ResourcesUpdate | None:
        """The set that was added or replaced last; None before there is one."""
        return await self._perform(c.GetResources())

    async def query_resources(
        self,
        *,
        resources_id: str | None = None,
        resources_id_contains: str | None = None,
        sort_by: str | None = None,
        sort_order: Literal["asc", "desc"] = "asc",
        limit: int = -1,
        offset: int = 0,
    ) -> PaginatedResult[ResourcesUpdate]:
        """Sets of resources that match.

        Raises:
            InvalidRequestError: an argument has no meaning.
        """
        query = make_query(
            "resources",
            resources_id=resources_id,
            resources_id_contains=resources_id_contains,
            sort_by=sort_by,
            sort_order=sort_order,
            limit=limit,
            offset=offset,
        )
        return await self._perform(c.QueryResources(query))


class WorkerMethods(Performing):
    """Hear of and read workers."""

    async def update_worker(
        self, worker_id: str, heartbeat_stats: dict[str, Any] | Unset = UNSET
    ) -> Worker:
        """A heartbeat of a worker, which need not be known; its status stays.

        Raises:
            InvalidRequestError: the stats are given and are not a dict.
        """
        stats: dict[str, Any] | Unset = UNSET
        if not isinstance(heartbeat_stats, Unset):
            stats = check.mapping("heartbeat_stats", heartbeat_stats)
        return await self._perform(c.UpdateWorker(check.text("worker_id", worker_id), stats))

    async def get_worker_by_id(self, worker_id: str) -> Worker | None:
        """The worker; None when it was never heard of."""
        return await self._perform(c.GetWorker(check.text("worker_id", worker_id)))

    async def query_workers(  # noqa: PLR0913, the public signature
        self,
        *,
        status_in: Sequence[WorkerStatus] | None = None,
        worker_id_contains: str | None = None,
        filter_logic: Literal["and", "or"] = "and",
        sort_by: str | None = None,
        sort_order: Literal["asc", "desc"] = "asc",
        limit: int = -1,
        offset: int = 0,
    ) -> PaginatedResult[Worker]:
        """Workers that match.

        Raises:
            InvalidRequestError: an argument has no meaning.
        """
        query = make_query(
            "workers",
            status_in=status_in,
            worker_id_contains=worker_id_contains,
            filter_logic=filter_logic,
            sort_by=sort_by,
            sort_order=sort_order,
            limit=limit,
            offset=offset,
        )
        return await self._perform(c.QueryWorkers(query))
