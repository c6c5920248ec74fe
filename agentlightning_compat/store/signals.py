"""Waking those who wait: claimants on an empty queue, and waiters for the end of rollouts.

A waiter may sit in any event loop of any thread. It registers first and looks at the store then,
so that nothing which happens in between is missed.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from agentlightning_compat.store.transaction import Effects

if TYPE_CHECKING:
    from typing_extensions import Self


class Waiter:
    """One who waits, as a context; `heard` starts over for the next wait."""

    __slots__ = ("_event", "_loop", "_signals", "_topics", "used", "woken")

    def __init__(self, signals: Signals, topics: Iterable[str] | None) -> None:
        self._signals = signals
        self._topics = None if topics is None else frozenset(topics)
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self.woken = False
        self.used = False

    @property
    def topics(self) -> frozenset[str] | None:
        """The rollouts whose end it waits for; None for the queue."""
        return self._topics

    def wake(self) -> None:
        """Have it look again; from any thread."""
        self.woken = True
        try:
            self._loop.call_soon_threadsafe(self._event.set)
        except RuntimeError:  # its loop was closed under it
            return

    async def heard(self, timeout: float | None) -> None:
        """Return once it was woken, or after so many seconds."""
        alarm = None if timeout is None else self._loop.call_later(timeout, self._event.set)
        try:
            await self._event.wait()
        finally:
            if alarm is not None:
                alarm.cancel()
        self._event.clear()

    def __enter__(self) -> Self:
        self._signals.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._signals.remove(self)


class Signals:
    """All waiters of one store in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claimants: deque[Waiter] = deque()
        self._by_rollout: dict[str, set[Waiter]] = {}

    def for_queue(self) -> Waiter:
        """A claimant: of those waiting, the first comes first."""
        return Waiter(self, None)

    def for_rollouts(self, rollout_ids: Iterable[str]) -> Waiter:
        """A waiter that is woken when one of these is finished."""
        return Waiter(self, rollout_ids)

    def publish(self, effects: Effects) -> None:
        """Wake those whom a committed transaction concerns; from any thread."""
        if effects.queued and self._claimants:
            self.queued(effects.queued)
        if effects.finished and self._by_rollout:
            self.finished(effects.finished)

    def queued(self, count: int) -> None:
        """So many rollouts came into the queue: wake as many claimants."""
        with self._lock:
            woken = [self._claimants.popleft() for _ in range(min(count, len(self._claimants)))]
        for waiter in woken:
            waiter.wake()

    def finished(self, rollout_ids: Iterable[str]) -> None:
        """These rollouts have their result."""
        with self._lock:
            woken = {w for key in rollout_ids for w in self._by_rollout.get(key, ())}
        for waiter in woken:
            waiter.wake()

    def everybody(self) -> None:
        """Have all look again: what they wait for may have happened unseen."""
        with self._lock:
            woken = [*self._claimants, *{w for ws in self._by_rollout.values() for w in ws}]
            self._claimants.clear()
        for waiter in woken:
            waiter.wake()

    def add(self, waiter: Waiter) -> None:
        """Register; a claimant goes to the end of the line."""
        with self._lock:
            if waiter.topics is None:
                self._claimants.append(waiter)
            else:
                for topic in waiter.topics:
                    self._by_rollout.setdefault(topic, set()).add(waiter)

    def remove(self, waiter: Waiter) -> None:
        """Unregister. A claimant that was woken and took nothing lets the next one look."""
        with self._lock:
            for topic in waiter.topics or ():
                waiters = self._by_rollout.get(topic, set())
                waiters.discard(waiter)
                if not waiters:
                    self._by_rollout.pop(topic, None)
            if waiter.topics is None and waiter in self._claimants:
                self._claimants.remove(waiter)
        if waiter.topics is None and waiter.woken and not waiter.used:
            self.queued(1)
