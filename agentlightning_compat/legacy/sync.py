"""Calls the store's coroutines from code that is not async."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from typing import TypeVar

from agentlightning_compat.background import block

T = TypeVar("T")


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


def _inside_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
