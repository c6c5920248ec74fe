"""A store that answers commands itself, in transactions of a backend."""

from __future__ import annotations

import asyncio
import logging
import threading
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from agentlightning_compat.clock import Clock, SystemClock
from agentlightning_compat.model import AttemptedRollout, Rollout
from agentlightning_compat.store.base import LightningStore, LightningStoreStatistics
from agentlightning_compat.store.commands import (
    Command,
    Dequeue,
    GetCounts,
    GetFinished,
    Sweep,
    WaitForRollouts,
)
from agentlightning_compat.store.operations import OPERATIONS
from agentlightning_compat.store.operations.operation import Run
from agentlightning_compat.store.signals import Signals
from agentlightning_compat.store.transaction import Effects
from agentlightning_compat.store.watchdog import Watchdog

if TYPE_CHECKING:
    from typing_extensions import Self

R = TypeVar("R")

_log = logging.getLogger(__name__)


class LocalStore(LightningStore):
    """What the backends share: operations, waiting, and the watchdog.

    A backend brings `_transact`, which runs an operation in a transaction of its own, and
    `sweep_now`, which the watchdog's thread calls.
    """

    # How long a waiter sleeps before it looks by itself, in seconds; None when every change is
    # made known, so that there is nothing to look for.
    fallback_poll: float | None = None

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock: Clock = clock or SystemClock()
        self._signals = Signals()
        self._watchdog = Watchdog(self, _watchdog_failed)
        self._check_lock = threading.Lock()
        # Nothing can be overdue before this moment; None: nothing at all.
        self._check_at: float | None = None
        # For each sweep under way, the deadlines that came up since it began.
        self._came_up: dict[object, list[float]] = {}
        self._since = self._clock.now()

    @abstractmethod
    async def _transact(self, run: Run, command: Command[Any], now: float) -> tuple[Any, Effects]:
        """Run `run(transaction, command, now)` and commit, or roll back and raise.

        Returns its result and the transaction's effects, once others can see them.
        """

    @abstractmethod
    def sweep_now(self) -> float | None:
        """Have `_sweep` run to its end, in the watchdog's thread; its result."""

    async def close(self) -> None:
        """Stop the watchdog. A store need not be closed; what it keeps alive ends with it."""
        self._watchdog.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def statistics(self) -> LightningStoreStatistics:
        """How much is in this store; `uptime` is that of this object, in seconds."""
        statistics: Any = await self._perform(GetCounts())
        statistics |= {"name": type(self).__name__, "uptime": self._clock.now() - self._since}
        return cast("LightningStoreStatistics", statistics)

    async def _perform(self, command: Command[R]) -> R:
        operation = OPERATIONS[type(command)]
        now = self._clock.now()
        check_at = self._check_at
        if operation.scans and check_at is not None and check_at < now:
            await self._sweep()
        result, effects = await self._transact(operation.run, command, now)
        if effects:
            self._publish(effects)
        presented: R = operation.present(result)
        return presented

    def _publish(self, effects: Effects) -> None:
        self._signals.publish(effects)
        if effects.check_at is not None and self._expect(effects.check_at):
            self._watchdog.look_again()

    async def _sweep(self) -> float | None:
        """Deal with all that is overdue; seconds until the next look."""
        # Until it is over, callers still see that a sweep is due, and sweep themselves (which
        # waits for this one where it has to) instead of reading what is out of date.
        sweep = object()
        with self._check_lock:
            self._came_up[sweep] = []
        try:
            check_at = await self._perform(Sweep())
            while check_at is not None and check_at < self._clock.now():
                check_at = await self._perform(Sweep())
        except BaseException:
            with self._check_lock:
                del self._came_up[sweep]
            raise
        with self._check_lock:
            known = self._came_up.pop(sweep)
            if check_at is not None:
                known.append(check_at)
            self._check_at = next_check = min(known, default=None)
        # The test is a strict one: at the very moment nothing is overdue yet.
        left = None if next_check is None else max(next_check - self._clock.now(), 0.0)
        return None if left is None else left + 0.001

    def _expect(self, check_at: float) -> bool:
        """Note a moment to look at; whether it comes before all known ones."""
        with self._check_lock:
            for came_up in self._came_up.values():
                came_up.append(check_at)
            sooner = self._check_at is None or check_at < self._check_at
            if sooner:
                self._check_at = check_at
            return sooner

    async def _claim(self, command: Dequeue) -> Sequence[AttemptedRollout]:
        claimed = await self._perform(command)
        if claimed or not command.wait:
            return claimed
        loop = asyncio.get_running_loop()
        end = loop.time() + command.wait
        while not claimed and loop.time() < end:
            with self._signals.for_queue() as waiter:
                claimed = await self._perform(command)
                if not claimed:
                    await waiter.heard(self._nap(end - loop.time()))
                    claimed = await self._perform(command)
                    waiter.used = True
        return claimed

    async def _wait(self, command: WaitForRollouts) -> list[Rollout]:
        loop = asyncio.get_running_loop()
        end = None if command.timeout is None else loop.time() + command.timeout
        with self._signals.for_rollouts(command.rollout_ids) as waiter:
            while True:
                settled = await self._perform(GetFinished(command.rollout_ids))
                left = None if end is None else end - loop.time()
                if len(settled) == len(command.rollout_ids) or (left is not None and left <= 0):
                    return [rollout for rollout in settled if rollout is not None]
                await waiter.heard(self._nap(left))

    def _nap(self, left: float | None) -> float | None:
        naps = [nap for nap in (left, self.fallback_poll) if nap is not None]
        return min(naps) if naps else None


def _watchdog_failed(error: BaseException) -> None:
    _log.warning("looking for overdue attempts failed, will look again: %r", error)
