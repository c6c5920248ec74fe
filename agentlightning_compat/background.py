"""One event loop in a thread of its own, for what must outlive the loops of callers.

Connections to servers live there: they are shared by all threads and loops of a process, and
nobody has to close them before a loop ends.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class _Background:
    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        threading.Thread(
            target=self.loop.run_forever, name="agentlightning-compat-loop", daemon=True
        ).start()


_background: _Background | None = None
_lock = threading.Lock()


def background_loop() -> asyncio.AbstractEventLoop:
    """The loop of this process; a forked child starts its own."""
    global _background  # noqa: PLW0603 (one loop per process is the point)
    with _lock:
        if _background is None or _background.pid != os.getpid():
            _background = _Background()
        return _background.loop


def block(awaitable: Awaitable[T]) -> T:
    """Have the loop run it, and wait: also where an event loop is running, which stands still.

    An interrupt (Ctrl-C) cancels what is waited for.
    """
    future = asyncio.run_coroutine_threadsafe(_awaited(awaitable), background_loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


async def elsewhere(awaitable: Awaitable[T]) -> T:
    """Have the loop run it; whoever is cancelled here cancels it there."""
    loop = background_loop()
    if asyncio.get_running_loop() is loop:
        return await awaitable
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_awaited(awaitable), loop))


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _forget_lock() -> None:
    global _lock  # noqa: PLW0603 (another thread may have held it when the process was forked)
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_lock)
