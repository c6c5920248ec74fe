"""Bounds on how long the code inside may take, in the same task, so that it keeps its context."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self


def cancellations() -> int:
    """How often the current task was asked to end, as far as this Python counts that."""
    task: Any = asyncio.current_task()
    return int(task.cancelling()) if hasattr(task, "cancelling") else -1


def meant_for_us(before: int) -> bool:
    """Whether a CancelledError is the end of this task, and not just one that code inside let
    out; `before` is what `cancellations` said then. Before Python 3.11 nobody knows: it is."""
    return before < 0 or cancellations() > before


class Limit:
    """Cancels the code inside after so many seconds, and makes of that a TimeoutError.

    `what` begins its message. Without a number of seconds it does nothing.
    """

    def __init__(self, seconds: float | None, what: str) -> None:
        self._seconds = seconds
        self._what = what
        self._alarm: asyncio.TimerHandle | None = None
        self._task: Any = None
        self.expired = False

    def _ring(self) -> None:
        self.expired = True
        self._task.cancel()

    def __enter__(self) -> Self:
        if self._seconds is not None:
            self._task = asyncio.current_task()
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(max(self._seconds, 0.0), self._ring)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._alarm is None:
            return
        self._alarm.cancel()
        if not self.expired:
            return
        asked = self._task.uncancel() if hasattr(self._task, "uncancel") else 0
        if asked == 0:  # else the task is to end as well
            raise TimeoutError(f"{self._what} took longer than {self._seconds:g} s") from error
