"""Calls the store's coroutines from code that is not async."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class _Background:
    """An event loop in a daemon thread; the same one for all calls, because clients keep one HTTP
    session per loop."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        threading.Thread(
            target=self.loop.run_forever, name="agentlightning-compat-loop", daemon=True
        ).start()


_background: _Background | None = None
_lock = threading.Lock()


def wait(awaitable: Awaitable[T]) -> T:
    """Block until `awaitable` is done; return its result or raise its error.

    All calls of a process share one event loop in a background thread. A forked child starts its
    own. An interrupt (Ctrl-C) cancels what is waited for.

    Raises:
        RuntimeError: the calling thread runs an event loop, which would stand still meanwhile.
    """
    if _inside_loop():
        if inspect.iscoroutine(awaitable):
            awaitable.close()
        raise RuntimeError(
            "wait() was called where an event loop is running; use `await` instead, or call the"
            " sync code through `await asyncio.to_thread(...)`"
        )
    return block(awaitable)


def block(awaitable: Awaitable[T]) -> T:
    """Do what `wait` does, also where an event loop is running: that loop stands still."""
    future = asyncio.run_coroutine_threadsafe(_awaited(awaitable), background_loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


async def elsewhere(awaitable: Awaitable[T]) -> T:
    """Have the background loop run `awaitable`; whoever is cancelled here cancels it there."""
    loop = background_loop()
    if asyncio.get_running_loop() is loop:
        return await awaitable
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_awaited(awaitable), loop))


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _inside_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def background_loop() -> asyncio.AbstractEventLoop:
    """The event loop of this process that runs in a thread of its own."""
    global _background  # noqa: PLW0603 (one loop per process is the point)
    with _lock:
        if _background is None or _background.pid != os.getpid():
            _background = _Background()
        return _background.loop


def _forget_lock() -> None:
    global _lock  # noqa: PLW0603 (another thread may have held it when the process was forked)
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_lock)
