"""A legacy server as a store: polling is claiming, reporting is finishing an attempt."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from agentlightning_compat.background import elsewhere
from agentlightning_compat.clock import Clock
from agentlightning_compat.errors import CompatError, StoreUnavailableError, UnsupportedError
from agentlightning_compat.legacy.delivery import Delivery
from agentlightning_compat.legacy.held_tasks import HeldTasks
from agentlightning_compat.legacy.messages import report_json
from agentlightning_compat.legacy.reports import failed_report, report_of
from agentlightning_compat.legacy.spool import default_folder
from agentlightning_compat.legacy.task_source import ServerTasks, source_of
from agentlightning_compat.model import (
    Attempt,
    AttemptedRollout,
    ResourcesUpdate,
    Rollout,
    RolloutLegacy,
    Task,
)
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.base import LightningStore, LightningStoreCapabilities
from agentlightning_compat.store.query import Query

R = TypeVar("R")

_log = logging.getLogger(__name__)

_FED_ELSEWHERE = (
    "a legacy server is given its {what} by the process that it runs in, not by clients"
)
_REFUSED: dict[type[c.Command[Any]], str] = {
    c.StartRollout: _FED_ELSEWHERE.format(what="tasks"),
    c.EnqueueRollouts: _FED_ELSEWHERE.format(what="tasks"),
    c.AddResources: _FED_ELSEWHERE.format(what="resources"),
    c.UpdateResources: _FED_ELSEWHERE.format(what="resources"),
    c.QueryResources: "a legacy server lists no resources; ask for one set, or for the latest",
}
_ENDED = ("succeeded", "failed")


class LegacyClientStore(LightningStore):
    """What a legacy server has, as a store that any runner works with.

    Claiming a rollout polls `/task`, resources come from `/resources`, and an attempt that ends
    becomes a report that is posted to `/rollout`: the final reward and the triplets that its
    spans hold, and the spans themselves. Spans, attempts and workers are kept in memory.

    A result is first written to `spool`, a folder (by default one below the user's state folder
    for each server; AGL_SPOOL names another), and posted until the server has it, by this process
    or by another one that opens the spool. A result whose acknowledgement was lost is posted
    again; the server keeps one for each task. A task that comes again while it is in hand, or
    after its result was posted, is not done again: a legacy server hands out a copy of a task
    that takes long, and of one whose result arrives late. One that failed is done again.

    `adapter` makes the triplets (`TracerTraceToTriplet()`). Seconds: `poll_interval` between two
    polls of an empty server (the client's by default), `patience` for the server to take a result
    before the runner goes on.

    A client of somebody else's making is called as it is, without a spool.

    Raises:
        TypeError: `client` is neither a URL nor an object with a legacy client's methods.
    """

    # Whether those who have tasks in hand may end without this process.
    _shared = False

    def __init__(
        self,
        client: Any,
        *,
        adapter: Any = None,
        spool: str | Path | None = None,
        poll_interval: float | None = None,
        patience: float = 5.0,
        clock: Clock | None = None,
    ) -> None:
        self._source = source_of(client)
        self._poll_interval = self._source.poll_interval if poll_interval is None else poll_interval
        self._adapter = adapter
        self._patience = patience
        self._held = HeldTasks(clock, again=self._shared)
        self._reports: dict[str, RolloutLegacy] = {}
        self._delivery = Delivery(self._source, _folder(self._source, spool))
        self._polls = asyncio.Lock()
        # The server had nothing; those who wait anyway leave it alone until then.
        self._quiet_until = 0.0
        # Why the last poll failed, if it did.
        self._trouble: StoreUnavailableError | None = None

    @property
    def capabilities(self) -> LightningStoreCapabilities:
        """What may be done with this store."""
        return {"thread_safe": True, "async_safe": True, "zero_copy": False, "otlp_traces": False}

    def task(self, rollout_id: str) -> Task | None:
        """The task of a rollout whose result is not reported yet, as the server gave it."""
        return self._held.task(rollout_id)

    def set_report(self, attempt_id: str, report: RolloutLegacy) -> None:
        """Report this when the attempt ends, instead of what its spans tell."""
        self._reports[attempt_id] = report

    def report(self, attempt_id: str) -> RolloutLegacy | None:
        """What `set_report` was told, before the attempt ends."""
        return self._reports.get(attempt_id)

    async def close(self) -> None:
        """Wait a moment for results that are being posted; the rest stays in the spool."""
        await elsewhere(self._delivery.close(self._patience))

    async def __aenter__(self) -> LegacyClientStore:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def _perform(self, command: c.Command[R]) -> R:
        refused = _REFUSED.get(type(command))
        if refused is not None:
            raise UnsupportedError(f"{type(command).__name__}: {refused}")
        answer: Any
        if isinstance(command, c.Dequeue):
            answer = await self._claim(command)
        elif isinstance(command, c.GetResources):
            answer = await self._resources(command.resources_id)
        elif isinstance(command, c.UpdateAttempt):
            answer = await self._update_attempt(command)
        else:
            answer = await self._held.home(_rollout_of(command))._perform(command)
        result: R = answer
        return result

    async def _claim(self, command: c.Dequeue) -> Sequence[AttemptedRollout]:
        loop = asyncio.get_running_loop()
        end = loop.time() + (command.wait or 0.0)
        await self._filled(command.limit, force=not command.wait)
        claims = await self._held.claim(command.limit, command.worker_id)
        while not claims and loop.time() < end:
            with self._held.signals.for_queue() as waiter:
                claims = await self._held.claim(command.limit, command.worker_id)
                if not claims:
                    await waiter.heard(min(end - loop.time(), self._poll_interval))
            if not claims:
                await self._filled(command.limit, force=False)
                claims = await self._held.claim(command.limit, command.worker_id)
        if claims:
            return claims
        if self._trouble is not None:
            raise StoreUnavailableError(str(self._trouble)) from self._trouble
        # The worker is idle now, unless a task is overdue that had a limit.
        overdue = c.Dequeue(command.limit, command.worker_id)
        again = await self._held.home(None)._perform(overdue)
        return [claimed for claimed in again if self._held.task(claimed.rollout_id)]

    async def _filled(self, wanted: int, *, force: bool) -> None:
        """Poll until so many tasks wait, or there are no more.

        Who gives up meanwhile loses no task: those that come wait for the next claimant.
        """
        await asyncio.shield(asyncio.ensure_future(elsewhere(self._fill(wanted, force))))

    async def _fill(self, wanted: int, force: bool) -> None:
        loop = asyncio.get_running_loop()
        async with self._polls:
            await self._delivery.start()
            left_out: set[str] = set()
            while self._held.waiting < wanted and (force or loop.time() >= self._quiet_until):
                task = await self._next_task()
                if task is None or task.rollout_id in left_out:
                    self._quiet_until = loop.time() + self._poll_interval
                    return
                self._quiet_until = 0.0
                if self._is_done(task) or not self._held.offer(task):
                    _log.info("%s came again and is left out", task.rollout_id)
                    left_out.add(task.rollout_id)

    def _is_done(self, task: Task) -> bool:
        """Whether this is a copy of a task whose result the server has or is about to get."""
        if not isinstance(self._source, ServerTasks):  # it may well go round
            return False
        return self._delivery.has(task.rollout_id, shared=(task.num_claims or 0) > 1)

    async def _next_task(self) -> Task | None:
        task, self._trouble = None, None
        try:
            task = await self._source.next_task()
        except StoreUnavailableError as error:
            self._trouble = error
        except CompatError as error:
            _log.warning("polling for a task: %s", error)
        return task

    async def _wait(self, command: c.WaitForRollouts) -> list[Rollout]:
        first = command.rollout_ids[0] if command.rollout_ids else None
        return await self._held.home(first)._wait(command)

    async def _resources(self, resources_id: str | None) -> ResourcesUpdate | None:
        return await elsewhere(self._source.resources(resources_id))

    async def _update_attempt(self, command: c.UpdateAttempt) -> Attempt:
        store = self._held.home(command.rollout_id)
        attempt = await store._perform(command)
        if command.changes.get("status") in _ENDED:
            task = self._held.release(command.rollout_id)
            if task is None:
                _log.warning("%s was reported before; this report of it goes nowhere", attempt)
            else:
                report = await self._report(task, attempt)
                await elsewhere(self._delivery.hand_in(report_json(report), self._patience))
        return attempt

    async def _report(self, task: Task, attempt: Attempt) -> RolloutLegacy:
        given = self._reports.pop(attempt.attempt_id, None)
        if given is not None:
            return given
        if attempt.status == "failed":
            return failed_report(task)
        store = self._held.home(attempt.rollout_id)
        spans = list(await store.query_spans(attempt.rollout_id, attempt.attempt_id))
        return report_of(task, spans, self._adapter, attempt.metadata)


class UpstreamStore(LegacyClientStore):
    """A legacy server as a store for workers in other processes, which may end at any time: a
    task that the server hands out again is given to the next of them. The first result counts."""

    _shared = True


def _folder(source: Any, spool: str | Path | None) -> Path | None:
    if not isinstance(source, ServerTasks):
        return None
    return default_folder(source.endpoint) if spool is None else Path(spool)


def _rollout_of(command: Any) -> str | None:
    """The rollout that a command is about, if it is about one."""
    if isinstance(command, c.AddSpans):
        return command.spans[0].rollout_id if command.spans else None
    if isinstance(command, c.NextSpanIds):
        return command.keys[0][0] if command.keys else None
    if isinstance(command, (c.QueryAttempts, c.QueryRollouts)):
        return _named(command.query)
    rollout_id: str | None = getattr(command, "rollout_id", None)
    return rollout_id


def _named(query: Query) -> str | None:
    """The first rollout that a query names."""
    for condition in (*query.must, *query.conditions):
        if condition.field == "rollout_id" and condition.operator != "contains":
            wanted = condition.value
            return wanted if isinstance(wanted, str) else next(iter(wanted), None)
    return None
