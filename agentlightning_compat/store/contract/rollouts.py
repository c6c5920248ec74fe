"""The public methods about rollouts."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal

from agentlightning_compat.model import (
    AttemptedRollout,
    EnqueueRolloutRequest,
    PaginatedResult,
    Rollout,
    RolloutConfig,
    RolloutMode,
    RolloutStatus,
    TaskInput,
)
from agentlightning_compat.model.rollouts import ROLLOUT_STATUSES
from agentlightning_compat.model.unset import UNSET, Unset
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.contract import arguments as check
from agentlightning_compat.store.contract.performing import Performing
from agentlightning_compat.store.query import make_query
from agentlightning_compat.store.values import taken


class RolloutMethods(Performing):
    """Queue, claim, change and read rollouts."""

    async def start_rollout(
        self,
        input: TaskInput,
        mode: RolloutMode | None = None,
        resources_id: str | None = None,
        config: RolloutConfig | None = None,
        metadata: dict[str, Any] | None = None,
        worker_id: str | None = None,
    ) -> AttemptedRollout:
        """A rollout that is worked on at once: it never enters the queue.

        Without `resources_id` it gets the latest resources. A worker that is named is busy.

        Raises:
            InvalidRequestError: an argument has no meaning.
        """
        new = check.new_rollout(input, mode, resources_id, config, metadata)
        return await self._perform(c.StartRollout(new, check.maybe_text("worker_id", worker_id)))

    async def enqueue_rollout(
        self,
        input: TaskInput,
        mode: RolloutMode | None = None,
        resources_id: str | None = None,
        config: RolloutConfig | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Rollout:
        """A rollout at the tail of the queue.

        Without `resources_id` it gets the resources that are the latest now.

        Raises:
            InvalidRequestError: an argument has no meaning.
        """
        new = check.new_rollout(input, mode, resources_id, config, metadata)
        (made,) = await self._perform(c.EnqueueRollouts((new,)))
        return made

    async def enqueue_many_rollouts(
        self, rollouts: Sequence[EnqueueRolloutRequest]
    ) -> Sequence[Rollout]:
        """Rollouts at the tail of the queue, in this order, all of them or none.

        Raises:
            InvalidRequestError: a request has no meaning.
        """
        new = [check.request(item) for item in rollouts]
        return await self._perform(c.EnqueueRollouts(new)) if new else []

    async def dequeue_rollout(
        self, worker_id: str | None = None, *, wait: float | None = None
    ) -> AttemptedRollout | None:
        """Claim the oldest rollout of the queue: it gets a new attempt.

        None when the queue is empty, with `wait` only after it stayed empty for so many seconds.
        """
        claimed = await self._claim(
            c.Dequeue(1, check.maybe_text("worker_id", worker_id), check.wait("wait", wait))
        )
        return claimed[0] if claimed else None

    async def dequeue_many_rollouts(
        self, *, limit: int = 1, worker_id: str | None = None, wait: float | None = None
    ) -> Sequence[AttemptedRollout]:
        """Claim up to `limit` rollouts, oldest first; the worker is bound to the last of them.

        With `wait`, an empty queue is waited on for so many seconds; the first rollouts that
        come end the wait.
        """
        worker_id = check.maybe_text("worker_id", worker_id)
        if check.number("limit", limit) <= 0:
            return []
        return await self._claim(c.Dequeue(limit, worker_id, check.wait("wait", wait)))

    async def query_rollouts(  # noqa: PLR0913, the public signature
        self,
        *,
        status_in: Sequence[RolloutStatus] | None = None,
        rollout_id_in: Sequence[str] | None = None,
        rollout_id_contains: str | None = None,
        filter_logic: Literal["and", "or"] = "and",
        sort_by: str | None = None,
        sort_order: Literal["asc", "desc"] = "asc",
        limit: int = -1,
        offset: int = 0,
        status: Sequence[RolloutStatus] | None = None,
        rollout_ids: Sequence[str] | None = None,
    ) -> PaginatedResult[Rollout]:
        """Rollouts that match, each with its latest attempt if it has one.

        `status` and `rollout_ids` are old names of `status_in` and `rollout_id_in`.

        Raises:
            InvalidRequestError: an argument has no meaning.
        """
        if status is not None or rollout_ids is not None:
            warnings.warn(
                "status and rollout_ids are called status_in and rollout_id_in now",
                DeprecationWarning,
                stacklevel=2,
            )
        query = make_query(
            "rollouts",
            status_in=status if status_in is None else status_in,
            rollout_id_in=rollout_ids if rollout_id_in is None else rollout_id_in,
            rollout_id_contains=rollout_id_contains,
            filter_logic=filter_logic,
            sort_by=sort_by,
            sort_order=sort_order,
            limit=limit,
            offset=offset,
        )
        return await self._perform(c.QueryRollouts(query))

    async def get_rollout_by_id(self, rollout_id: str) -> Rollout | None:
        """The rollout, with its latest attempt if it has one; None when it is unknown."""
        return await self._perform(c.GetRollout(check.text("rollout_id", rollout_id)))

    async def update_rollout(  # noqa: PLR0913, PLR0917, the public signature
        self,
        rollout_id: str,
        input: TaskInput | Unset = UNSET,
        mode: RolloutMode | Unset | None = UNSET,
        resources_id: str | Unset | None = UNSET,
        status: RolloutStatus | Unset = UNSET,
        config: RolloutConfig | Unset = UNSET,
        metadata: dict[str, Any] | Unset | None = UNSET,
    ) -> Rollout:
        """Change what is given. Its attempts and their workers are left alone.

        Any status may be set. A finished one ends the rollout now; a queuing one puts it at the
        tail of the queue, unless it is queued already.

        Raises:
            RolloutNotFoundError: there is no such rollout.
            InvalidRequestError: an argument has no meaning.
        """
        changes: dict[str, Any] = {}
        if not isinstance(input, Unset):
            changes["input"] = taken(input)
        if not isinstance(mode, Unset):
            changes["mode"] = check.mode(mode)
        if not isinstance(resources_id, Unset):
            changes["resources_id"] = check.maybe_text("resources_id", resources_id)
        if not isinstance(status, Unset):
            changes["status"] = check.one_of("status", status, ROLLOUT_STATUSES)
        if not isinstance(config, Unset):
            changes["config"] = check.given_config(config)
        if not isinstance(metadata, Unset):
            changes["metadata"] = check.maybe_mapping("metadata", metadata)
        rollout_id = check.text("rollout_id", rollout_id)
        return await self._perform(c.UpdateRollout(rollout_id, changes))

    async def wait_for_rollouts(
        self, *, rollout_ids: list[str], timeout: float | None = None
    ) -> list[Rollout]:
        """Those of these rollouts that are finished, in this order, as soon as all are.

        After `timeout` seconds those that are finished by then. An unknown id is not waited for
        and left out.
        """
        listed = [check.text("rollout_id", rollout_id) for rollout_id in rollout_ids]
        return await self._wait(c.WaitForRollouts(listed, check.wait("timeout", timeout)))
