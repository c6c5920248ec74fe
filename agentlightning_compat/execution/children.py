"""Processes that a strategy started, and how they are ended."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Collection
from multiprocessing.context import BaseContext
from typing import Any

from agentlightning_compat.execution.events import ExecutionEvent

_log = logging.getLogger(__name__)

# Seconds between two looks at processes that are waited for.
_LOOK = 0.02
# As often as a person would press Ctrl-C: stop, drop what is in hand, interrupt.
_SIGINTS = 3


class Children:
    """The processes. `allowed` are the exit codes that are no failure."""

    def __init__(
        self,
        ctx: BaseContext,
        event: ExecutionEvent,
        allowed: Collection[int],
        graceful: float,
        terminate: float,
    ) -> None:
        self._ctx: Any = ctx
        self._event = event
        self._allowed = allowed
        self._graceful = graceful
        self._terminate = terminate
        self._processes: list[Any] = []
        self._told: set[str] = set()

    def start(self, name: str, target: Callable[..., None], *args: Any) -> None:
        """Start one more."""
        process = self._ctx.Process(target=target, args=args, name=name)
        process.start()
        _log.debug("%s is process %s", name, process.pid)
        self._processes.append(process)

    def alive(self) -> list[Any]:
        """Those that have not ended."""
        return [process for process in self._processes if process.is_alive()]

    def failures(self) -> list[str]:
        """Those that ended with a code that is not allowed, with the code."""
        return [
            f"{process.name} (exitcode={process.exitcode})"
            for process in self._processes
            if process.exitcode is not None and process.exitcode not in self._allowed
        ]

    def tell(self) -> None:
        """Log each that failed, once."""
        for failure in self.failures():
            if failure not in self._told:
                self._told.add(failure)
                _log.error("a process ended by itself: %s", failure)

    async def end(self) -> None:
        """Wait for all to end; those that do not are told with ever more force.

        First the stop event alone, then SIGINT, SIGTERM, and at last SIGKILL.
        """
        self._event.set()
        if await self._gone(self._graceful):
            return
        self._announce("SIGINT")
        for _ in range(_SIGINTS):
            self._signal(signal.SIGINT)
            if await self._gone(self._terminate / _SIGINTS):
                return
        self._announce("SIGTERM")
        self._signal(signal.SIGTERM)
        if await self._gone(self._terminate):
            return
        self._announce("SIGKILL")
        self._signal(signal.SIGKILL)
        if not await self._gone(self._terminate):
            self._announce("nothing more")

    async def ended(self) -> None:
        """Wait until they have ended or a stop is asked for."""
        while self.alive() and not self._event.is_set():
            self.tell()
            await asyncio.sleep(_LOOK)

    def close(self) -> None:
        """Let go of those that have ended; kill what is left, as when this is interrupted."""
        for process in self.alive():
            process.kill()
            process.join(self._terminate)

    async def _gone(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while self.alive():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            await asyncio.sleep(min(_LOOK, left))
        return True

    def _signal(self, number: signal.Signals) -> None:
        for process in self.alive():
            try:
                os.kill(process.pid, number)
            except ProcessLookupError:  # noqa: PERF203, it ended just now
                continue

    def _announce(self, what: str) -> None:
        names = ", ".join(f"{process.name} ({process.pid})" for process in self.alive())
        _log.warning("still there after the time they had: %s; they get %s", names, what)
