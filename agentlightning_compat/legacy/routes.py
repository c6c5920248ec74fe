"""The routes that legacy clients know, over a store."""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from typing import Any, NamedTuple
from urllib.parse import unquote

from pydantic import ValidationError

from agentlightning_compat.errors import (
    AttemptNotFoundError,
    CompatError,
    RolloutNotFoundError,
    StoreBusyError,
)
from agentlightning_compat.legacy.posted import keep_report
from agentlightning_compat.model import (
    LLM,
    AttemptedRollout,
    GenericResponse,
    ProxyLLM,
    ResourcesUpdate,
    Rollout,
    RolloutConfig,
    RolloutLegacy,
    Task,
    TaskIfAny,
)
from agentlightning_compat.store.base import LightningStore

_log = logging.getLogger(__name__)

# A legacy server handed out a task that was not reported again and again.
_ATTEMPTS = 1_000_000
# So many claims are remembered; of an older one the latest attempt is meant.
_CLAIMS = 100_000
_ENDED = ("succeeded", "failed")


class Answer(NamedTuple):
    """What a client is told: an HTTP status, and what its JSON is made of."""

    status: int
    body: dict[str, Any]


class LegacyRoutes:
    """`/task`, `/resources/...` and `/rollout` over a store, so that legacy clients work on the
    same queue as runners do.

    A task that is not reported within `task_timeout_seconds` is queued again, as a legacy server
    did, unless its rollout has limits of its own. A report that comes twice counts once.
    """

    def __init__(self, store: LightningStore, task_timeout_seconds: float = 300.0) -> None:
        self._store = store
        self._timeout = task_timeout_seconds
        self._claims: OrderedDict[str, str] = OrderedDict()
        self._being_stored: set[str] = set()
        # Claimed rollouts that have no limits yet; None: those of a process before this one may
        # be in the store.
        self._limitless: set[str] | None = None

    @staticmethod
    def serves(path: str) -> bool:
        """Whether this is a legacy path."""
        return path in ("/task", "/rollout") or path.startswith("/resources/")

    async def answer(self, verb: str, path: str, body: bytes) -> Answer:
        """What a client is told."""
        wanted = "POST" if path == "/rollout" else "GET"
        if verb != wanted:
            return Answer(405, {"detail": f"{path} takes {wanted}"})
        try:
            if path == "/task":
                return await self._next_task()
            if path == "/rollout":
                return await self._take_report(body)
            return await self._resources(unquote(path.removeprefix("/resources/")))
        except CompatError as error:
            return Answer(error.status, {"detail": error.message})

    async def _next_task(self) -> Answer:
        await self._limit_older()
        claimed = await self._store.dequeue_rollout()
        if claimed is None:
            return _said(TaskIfAny(is_available=False))
        if claimed.config == RolloutConfig():
            await self._limit(claimed.rollout_id)
        self._claims[claimed.rollout_id] = claimed.attempt.attempt_id
        self._claims.move_to_end(claimed.rollout_id)
        if len(self._claims) > _CLAIMS:
            self._claims.popitem(last=False)
        return _said(TaskIfAny(is_available=True, task=task_of_rollout(claimed)))

    async def _limit_older(self) -> None:
        """Give limits to what was claimed when the store or this process went away: without them
        it would never be handed out again."""
        if self._limitless is None:
            in_hand = await self._store.query_rollouts(status_in=["preparing", "running"])
            self._limitless = {
                rollout.rollout_id
                for rollout in in_hand
                if rollout.config == RolloutConfig() and _is_ours(rollout)
            }
        for rollout_id in list(self._limitless):
            await self._limit(rollout_id)

    async def _limit(self, rollout_id: str) -> None:
        assert self._limitless is not None
        self._limitless.add(rollout_id)
        limits = RolloutConfig(
            timeout_seconds=self._timeout, max_attempts=_ATTEMPTS, retry_condition=["timeout"]
        )
        await self._store.update_rollout(rollout_id, config=limits)
        self._limitless.discard(rollout_id)

    async def _resources(self, resources_id: str) -> Answer:
        if resources_id == "latest":
            found = await self._store.get_latest_resources()
            missing = "no resources were given to this server yet"
        else:
            found = await self._store.get_resources_by_id(resources_id)
            missing = f"this server has no resources {resources_id!r}"
        return Answer(404, {"detail": missing}) if found is None else _said(_plain(found))

    async def _take_report(self, body: bytes) -> Answer:
        try:
            report = RolloutLegacy.model_validate_json(body)
        except ValidationError as error:
            detail = error.errors(include_url=False, include_input=False, include_context=False)
            return Answer(422, {"detail": json.loads(json.dumps(detail, default=str))})
        await self.take_report(report)
        message = f"the result of {report.rollout_id} was stored"
        return _said(GenericResponse(status="ok", message=message))

    async def take_report(self, report: RolloutLegacy) -> None:
        """Store a result and finish its attempt, if it is not finished already.

        Raises:
            RolloutNotFoundError: the store has no such rollout.
            InvalidRequestError: the result holds something that cannot be stored.
            StoreBusyError: the same result is being stored.
        """
        if report.rollout_id in self._being_stored:
            raise StoreBusyError(f"the result of {report.rollout_id} is being stored")
        self._being_stored.add(report.rollout_id)
        try:
            await self._store_report(report)
        finally:
            self._being_stored.discard(report.rollout_id)

    async def _store_report(self, report: RolloutLegacy) -> None:
        attempt_id = self._claims.get(report.rollout_id)
        found = await self._store.query_attempts(report.rollout_id)
        attempts = {attempt.attempt_id: attempt for attempt in found}
        if not attempts:
            raise await self._unknown(report.rollout_id)
        attempt = attempts.get(attempt_id or "", found[-1])
        if attempt.status in _ENDED:
            _log.warning("%s was reported before; this report is left out", report.rollout_id)
            return
        await self._keep(report, attempt.attempt_id)
        self._claims.pop(report.rollout_id, None)

    async def _keep(self, report: RolloutLegacy, attempt_id: str) -> None:
        """Store a result that counts."""
        await keep_report(self._store, report, attempt_id)

    async def _unknown(self, rollout_id: str) -> CompatError:
        if await self._store.get_rollout_by_id(rollout_id) is None:
            return RolloutNotFoundError(f"there is no rollout {rollout_id!r}")
        return AttemptNotFoundError(f"{rollout_id!r} was not handed out to anybody")


def task_of_rollout(claimed: AttemptedRollout) -> Task:
    """A claimed rollout as the task that a legacy client knows."""
    return Task(
        rollout_id=claimed.rollout_id,
        input=claimed.input,
        mode=claimed.mode,
        resources_id=claimed.resources_id,
        create_time=claimed.start_time,
        last_claim_time=claimed.attempt.start_time,
        num_claims=claimed.attempt.sequence_id,
        metadata=claimed.metadata or {},
    )


def _plain(update: ResourcesUpdate) -> ResourcesUpdate:
    """The resources without proxies, which clients of 0.1 do not know."""
    resources = {
        name: LLM(**resource.model_dump(exclude={"resource_type"}))
        if isinstance(resource, ProxyLLM)
        else resource
        for name, resource in update.resources.items()
    }
    return update.model_copy(update={"resources": resources})


def _is_ours(rollout: Rollout) -> bool:
    """Whether it was claimed without a name: so legacy clients are given theirs."""
    return isinstance(rollout, AttemptedRollout) and rollout.attempt.worker_id is None


def _said(model: Any) -> Answer:
    return Answer(200, model.model_dump(mode="json"))
