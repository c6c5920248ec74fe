"""One call of a runner's `iter`: claim, run, and end in order."""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
from collections.abc import Callable
from typing import Any

from agentlightning_compat.model import AttemptedRollout
from agentlightning_compat.runner.attempt import AttemptRun, Bench, Outcome
from agentlightning_compat.runner.base import StopEvent
from agentlightning_compat.runner.patience import comes_back

_log = logging.getLogger(__name__)

# Seconds: how often the event is looked at, how often the loop wakes up at least, the longest wait
# in the store before it is done again, and how long agents that were cancelled have for coming
# back.
_LOOK = 0.05
_AWAKE = 0.5
_WAIT = 0.5
_COMING_BACK = 5.0


class Claims:
    """Takes rollouts from the store; `pause` is the poll interval in seconds, for stores that
    cannot have a claimant wait."""

    def __init__(self, store: Any, worker_id: str, pause: float, jitter: float) -> None:
        self._store = store
        self._worker_id = worker_id
        self._pause = pause
        self._jitter = jitter
        self._waits = "wait" in inspect.signature(store.dequeue_rollout).parameters
        self._away = 0

    async def take(self) -> tuple[AttemptedRollout | None, float]:
        """The next rollout, or None and how many seconds to leave the store alone.

        Raises:
            Exception: of a store that will not come back.
        """
        more = {"wait": min(self._pause, _WAIT)} if self._waits else {}
        try:
            claimed = await self._store.dequeue_rollout(worker_id=self._worker_id, **more)
        except Exception as error:
            if not comes_back(error):
                raise
            level = logging.DEBUG if self._away else logging.WARNING
            _log.log(level, "%s cannot claim, goes on trying: %r", self._worker_id, error)
            self._away += 1
            return None, min(0.05 * 2.0 ** min(self._away, 10), 2.0)
        self._away = 0
        idle = 0.0 if self._waits else self._pause + random.uniform(-self._jitter, self._jitter)
        return claimed, 0.0 if claimed is not None else max(idle, 0.01)


class Shift:
    """Claims rollouts and keeps up to `concurrency` of them running.

    It ends after `limit` rollouts, when it is stopped, or when `healthy` raises. What it has in
    hand then is finished and reported; stopped again, or cancelled, it cancels that and reports
    it as failed.
    """

    def __init__(
        self,
        bench: Bench,
        claims: Claims,
        *,
        concurrency: int,
        limit: int | None,
        event: StopEvent | None,
        healthy: Callable[[], None],
    ) -> None:
        self._bench = bench
        self._claims = claims
        self._concurrency = concurrency
        self._limit = limit
        self._event = event
        self._healthy = healthy
        self._loop = asyncio.get_running_loop()
        self._changed, self._over = asyncio.Event(), asyncio.Event()
        self._claiming: asyncio.Task[None] | None = None
        self._running: dict[asyncio.Task[Any], AttemptRun] = {}
        self._stops = 0
        self._claimed = 0
        self._interrupt: BaseException | None = None

    def stop(self) -> None:
        """Claim no more; the second time, drop what is in hand. From any thread."""
        try:
            self._loop.call_soon_threadsafe(self._stop)
        except RuntimeError:  # the loop is closed, so all is over
            return

    async def work(self) -> None:
        """Until the end; raises what ended it, when that was no limit and no stop."""
        self._look()
        self._stay_awake()
        # A task of its own, so that a claim is not broken off when this one is cancelled: the
        # store may be about to hand out a rollout.
        claiming = self._claiming = self._loop.create_task(self._claim_on(), name="claiming")
        claiming.add_done_callback(self._check_over)
        while not self._over.is_set():
            try:
                await self._over.wait()
            except asyncio.CancelledError as error:  # noqa: PERF203, it is what this is for
                self._interrupt = error
                self._drop()
        if claiming.cancelled():
            _log.error("a claim did not come back: a rollout may be left behind")
        failure = None if claiming.cancelled() else claiming.exception()
        ended_by = self._interrupt or failure
        if ended_by is not None:
            raise ended_by

    async def _claim_on(self) -> None:
        while self._wants_more():
            if len(self._running) >= self._concurrency:
                await self._change(None)
                continue
            claimed, idle = await self._claims.take()
            if claimed is not None:
                self._begin(claimed)
            elif idle and self._wants_more():
                await self._change(idle)

    def _wants_more(self) -> bool:
        if self._stops or (self._event is not None and self._event.is_set()):
            return False
        if self._limit is not None and self._claimed >= self._limit:
            return False
        self._healthy()
        return True

    def _begin(self, rollout: AttemptedRollout) -> None:
        self._claimed += 1
        run = AttemptRun(self._bench, rollout)
        if self._stops > 1:  # it came too late
            self._give_up(run)
            return
        task = self._loop.create_task(run.run(), name=f"rollout {rollout.rollout_id}")
        self._running[task] = run
        task.add_done_callback(self._ended)

    def _check_over(self, _: object = None) -> None:
        if not self._running and self._claiming is not None and self._claiming.done():
            self._over.set()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        run = self._running.pop(task, None)
        self._changed.set()
        self._follow_up(task, run)
        self._check_over()

    def _follow_up(self, task: asyncio.Task[Any], run: AttemptRun | None) -> None:
        if task.cancelled():  # before it had begun, or it would have an outcome
            if run is not None:
                self._give_up(run)
            return
        error = task.exception()
        if error is not None:
            _log.error("a rollout ended in a way that it should not", exc_info=error)
            if run is not None and not run.settled:
                self._give_up(run, error)
            return
        outcome = task.result()
        if isinstance(outcome, Outcome) and isinstance(outcome.interrupt, KeyboardInterrupt):
            self._interrupt = outcome.interrupt
            self._drop()
        if run is not None and self._bench.tally.done % 10 == 1:
            _log.info("%s: %s", self._bench.runner.get_worker_id(), self._bench.tally)

    def _give_up(self, run: AttemptRun, error: BaseException | None = None) -> None:
        task = self._loop.create_task(run.give_up(error or asyncio.CancelledError()))
        self._running[task] = run
        task.add_done_callback(self._ended)

    def _look(self) -> None:
        if self._event is None or self._stops:
            return
        if self._event.is_set():
            self._stops = 1
            self._changed.set()
        else:
            self._loop.call_later(_LOOK, self._look)

    def _stay_awake(self) -> None:
        # A signal that comes just before the loop falls asleep is only handled when it wakes up.
        if not self._over.is_set():
            self._loop.call_later(_AWAKE, self._stay_awake)

    def _stop(self) -> None:
        self._stops += 1
        self._changed.set()
        if self._stops > 1 or (self._event is not None and self._event.is_set()):
            self._drop()

    def _drop(self) -> None:
        self._stops = max(self._stops, 2)
        self._bench.patience.hurry()
        for task, run in self._running.items():
            if not run.settled:
                task.cancel()
        self._loop.call_later(_COMING_BACK, self._abandon)

    def _abandon(self) -> None:
        """Report for agents that were cancelled and do not come back, nor does a claim."""
        if self._claiming is not None:
            self._claiming.cancel()
        for task, run in list(self._running.items()):
            if not run.settled:
                del self._running[task]
                self._give_up(run)

    async def _change(self, timeout: float | None) -> None:
        """Until a rollout ends, or a stop is asked for, or so many seconds."""
        alarm = None if timeout is None else self._loop.call_later(timeout, self._changed.set)
        try:
            await self._changed.wait()
        finally:
            if alarm is not None:
                alarm.cancel()
        self._changed.clear()
