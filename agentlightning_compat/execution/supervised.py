"""A bundle in an event loop of its own, which ends when it is asked to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

from agentlightning_compat.execution.events import ExecutionEvent

_log = logging.getLogger(__name__)


class Supervised:
    """Runs one bundle: once the event is set it has `grace` seconds, then it is cancelled, and
    after `patience` seconds more it is left behind.

    `look` is the seconds between two looks at the event; `also` is called at each look.
    """

    def __init__(
        self,
        name: str,
        event: ExecutionEvent,
        grace: float,
        patience: float,
        look: float = 0.05,
        also: Callable[[], object] = lambda: None,
    ) -> None:
        self._name = name
        self._event = event
        self._grace = grace
        self._patience = patience
        self._look = look
        self._also = also
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hurry = threading.Event()
        self._left_behind = False
        self._task: asyncio.Task[Any] | None = None

    def drop(self) -> None:
        """Cancel it without grace; from any thread."""
        self._hurry.set()
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it is over
                loop.call_soon_threadsafe(self._cancel)

    def run(self, bundle: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Run it to its end, in this thread.

        Raises:
            BaseException: what the bundle raised. That it was cancelled on request is no error.
        """
        run_in_own_loop(
            self.supervise(bundle()), lambda: 1.0 if self._left_behind else self._patience
        )

    async def supervise(self, work: Coroutine[Any, Any, Any]) -> None:
        """As `run`, in the loop that runs already."""
        self._loop = asyncio.get_running_loop()
        self._task = task = asyncio.ensure_future(work)
        try:
            await self._look_at(task, self._asked)
            if not task.done() and not self._hurry.is_set():
                await self._look_at(task, self._hurry.is_set, self._grace)
            if not task.done():
                _log.info("%s is cancelled: it was asked to stop", self._name)
                task.cancel()
                await asyncio.wait({task}, timeout=self._patience)
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task}, timeout=self._patience)
            raise
        if not task.done():
            self._left_behind = True
            _log.error("%s does not end although it was cancelled: it is left behind", self._name)
        elif not task.cancelled():
            task.result()

    def _asked(self) -> bool:
        return self._event.is_set() or self._hurry.is_set()

    async def _look_at(
        self, task: asyncio.Task[Any], enough: Callable[[], bool], timeout: float = math.inf
    ) -> None:
        end = time.monotonic() + timeout
        while not (task.done() or enough()):
            self._also()
            left = end - time.monotonic()
            if left <= 0:
                return
            await asyncio.wait({task}, timeout=min(self._look, left))

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


def run_in_own_loop(
    work: Coroutine[Any, Any, None], patience: Callable[[], float] = lambda: 10.0
) -> None:
    """Run it in a new event loop. What is interrupted is cancelled and has so many seconds.

    Raises:
        BaseException: what it raised.
    """
    loop = asyncio.new_event_loop()
    try:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(work)
    finally:
        try:
            _tidy(loop, patience())
        finally:
            asyncio.set_event_loop(None)
            loop.close()


def _tidy(loop: asyncio.AbstractEventLoop, patience: float) -> None:
    # Not asyncio.run(): that waits for ever for a task or a thread that does not come back.
    left = [task for task in asyncio.all_tasks(loop) if not task.done()]
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=patience))
    loop.run_until_complete(loop.shutdown_asyncgens())
