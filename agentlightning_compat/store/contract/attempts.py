"""The public methods about attempts."""

from __future__ import annotations

from typing import Any, Literal

from agentlightning_compat.model import Attempt, AttemptedRollout, AttemptStatus, PaginatedResult
from agentlightning_compat.model.rollouts import ATTEMPT_STATUSES
from agentlightning_compat.model.unset import UNSET, Unset
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.contract import arguments as check
from agentlightning_compat.store.contract.performing import Performing
from agentlightning_compat.store.query import make_query


class AttemptMethods(Performing):
    """Start, report on and read attempts."""

    async def start_attempt(
        self, rollout_id: str, worker_id: str | None = None
    ) -> AttemptedRollout:
        """One more attempt, whatever the rollout's status; `max_attempts` does not count here.

        Raises:
            RolloutNotFoundError: there is no such rollout.
        """
        rollout_id = check.text("rollout_id", rollout_id)
        worker_id = check.maybe_text("worker_id", worker_id)
        return await self._perform(c.StartAttempt(rollout_id, worker_id))

    async def query_attempts(
        self,
        rollout_id: str,
        *,
        sort_by: str | None = "sequence_id",
        sort_order: Literal["asc", "desc"] = "asc",
        limit: int = -1,
        offset: int = 0,
    ) -> PaginatedResult[Attempt]:
        """The attempts of a rollout; none when it is unknown.

        Raises:
            InvalidRequestError: an argument has no meaning.
        """
        query = make_query(
            "attempts",
            must=(("rollout_id", check.text("rollout_id", rollout_id)),),
            sort_by=sort_by,
            sort_order=sort_order,
            limit=limit,
            offset=offset,
        )
        return await self._perform(c.QueryAttempts(query))

    async def get_latest_attempt(self, rollout_id: str) -> Attempt | None:
        """The attempt with the highest sequence id; None without one."""
        return await self._perform(c.GetLatestAttempt(check.text("rollout_id", rollout_id)))

    async def update_attempt(
        self,
        rollout_id: str,
        attempt_id: str | Literal["latest"],
        status: AttemptStatus | Unset = UNSET,
        worker_id: str | Unset = UNSET,
        last_heartbeat_time: float | Unset = UNSET,
        metadata: dict[str, Any] | Unset | None = UNSET,
    ) -> Attempt:
        """Change what is given; the id may be `latest`.

        The status of the latest attempt moves its rollout, unless that was cancelled: one that
        did not succeed is tried again if its configuration says so, and failed if not. The
        status also moves the worker of the attempt.

        Raises:
            RolloutNotFoundError: there is no such rollout.
            AttemptNotFoundError: the rollout has no such attempt.
            InvalidRequestError: an argument has no meaning.
        """
        changes: dict[str, Any] = {}
        if not isinstance(status, Unset):
            changes["status"] = check.one_of("status", status, ATTEMPT_STATUSES)
        if not isinstance(worker_id, Unset):
            changes["worker_id"] = check.text("worker_id", worker_id)
        if not isinstance(last_heartbeat_time, Unset):
            changes["last_heartbeat_time"] = check.time("last_heartbeat_time", last_heartbeat_time)
        if not isinstance(metadata, Unset):
            changes["metadata"] = check.maybe_mapping("metadata", metadata)
        rollout_id = check.text("rollout_id", rollout_id)
        attempt_id = check.text("attempt_id", attempt_id)
        return await self._perform(c.UpdateAttempt(rollout_id, attempt_id, changes))
