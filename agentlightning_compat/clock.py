"""Where the time comes from: passed in, so that nothing below ever reads a clock by itself."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since the epoch."""

    def now(self) -> float:
        """The current time in seconds since 1970, UTC."""
        ...


class SystemClock:
    """The wall clock of the machine."""

    __slots__ = ()

    def now(self) -> float:
        """The current time in seconds since 1970, UTC."""
        return time.time()


class ManualClock:
    """A clock that moves only when told to; for tests and simulations."""

    __slots__ = ("_now",)

    def __init__(self, start: float = 1_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        """The time it was set to, in seconds."""
        return self._now

    def advance(self, seconds: float) -> float:
        """Move by `seconds`, back when negative, and return the new time."""
        self._now += seconds
        return self._now
