"""Asking a store again that is away for a while, and work that is done whatever happens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from agentlightning_compat.errors import CompatError

R = TypeVar("R")

_log = logging.getLogger(__name__)

# Errors of other packages' stores that stand for a lost connection, by the names of their classes.
_FOREIGN = frozenset({"ClientConnectionError", "TransportError"})


def comes_back(error: BaseException) -> bool:
    """Whether the same call may work later."""
    if isinstance(error, CompatError):
        return error.retry_may_help
    if isinstance(error, (ConnectionError, TimeoutError, asyncio.TimeoutError)):
        return True
    return any(kind.__name__ in _FOREIGN for kind in type(error).__mro__)


class Patience:
    """How long a store that is away is asked again: `longest` seconds, or `hurried` once there
    is no time to lose; and the pauses in between, the last of them for ever."""

    def __init__(
        self,
        longest: float = 60.0,
        *,
        hurried: float = 10.0,
        pauses: tuple[float, ...] = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0),
    ) -> None:
        self._longest = longest
        self._hurried = hurried
        self._pauses = pauses

    def hurry(self) -> None:
        """Give up sooner from now on."""
        self._longest = min(self._longest, self._hurried)

    async def ask(self, call: Callable[[], Awaitable[R]]) -> R:
        """Make a call that may be made twice; its last error when the store stays away."""
        start: float | None = None
        pauses = iter(self._pauses)
        while True:
            try:
                return await call()
            except Exception as error:
                now = asyncio.get_running_loop().time()
                start = now if start is None else start
                pause = next(pauses, self._pauses[-1])
                if not comes_back(error) or now + pause - start > self._longest:
                    raise
                _log.warning("the store is away, asking again in %g s: %r", pause, error)
            await asyncio.sleep(pause)


async def uninterrupted(work: Callable[[], Coroutine[Any, Any, R]]) -> R:
    """Do this to its end; a cancellation that comes meanwhile is raised afterwards.

    `work` is begun again when the end of the event loop takes its task away.
    """
    cancelled: asyncio.CancelledError | None = None
    while True:
        task = asyncio.ensure_future(work())
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError as error:  # noqa: PERF203, it is what this is for
                cancelled = error
        if not task.cancelled():
            break
    if cancelled is not None:
        if task.exception() is not None:
            _log.error("failed on the way out", exc_info=task.exception())
        raise cancelled
    return task.result()
