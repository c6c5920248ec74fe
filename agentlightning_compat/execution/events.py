"""Events that tell both sides of a run to stop."""

from __future__ import annotations

import multiprocessing
import threading
import time
from multiprocessing.context import BaseContext
from typing import Any, Protocol

# Seconds between two looks at an event of several processes.
_LOOK = 0.01


class ExecutionEvent(Protocol):
    """What `threading.Event` and `multiprocessing.Event` have in common."""

    def set(self) -> None:
        """Ask for the stop; doing so again changes nothing."""
        ...

    def clear(self) -> None:
        """Take that back."""
        ...

    def is_set(self) -> bool:
        """Whether the stop was asked for."""
        ...

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it is asked for, or for `timeout` seconds; whether it was."""
        ...


class ThreadingEvent:
    """An event for the threads of one process."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask for the stop."""
        self._event.set()

    def clear(self) -> None:
        """Take that back."""
        self._event.clear()

    def is_set(self) -> bool:
        """Whether the stop was asked for."""
        return self._event.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it is asked for, or for `timeout` seconds; whether it was."""
        return self._event.wait(timeout)


class MultiprocessingEvent:
    """An event for several processes; it is handed to them when they are started.

    It has no lock: a process that is killed while it looks leaves nothing locked behind.
    """

    __slots__ = ("_flag",)

    def __init__(self, *, ctx: BaseContext | None = None) -> None:
        self._flag: Any = (ctx or multiprocessing.get_context()).RawValue("b", 0)

    def set(self) -> None:
        """Ask for the stop."""
        self._flag.value = 1

    def clear(self) -> None:
        """Take that back."""
        self._flag.value = 0

    def is_set(self) -> bool:
        """Whether the stop was asked for."""
        return bool(self._flag.value)

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it is asked for, or for `timeout` seconds; whether it was."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = _LOOK if deadline is None else deadline - time.monotonic()
            if left <= 0:
                break
            time.sleep(min(_LOOK, left))
        return self.is_set()
