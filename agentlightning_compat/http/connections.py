"""Connections to servers, on the background loop: one pool for a process."""

from __future__ import annotations

import asyncio
import atexit
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from agentlightning_compat.background import background_loop
from agentlightning_compat.errors import UnsupportedError

if TYPE_CHECKING:
    import aiohttp

_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()


def session() -> aiohttp.ClientSession:
    """The session of the running loop, which is the background loop of this process."""
    loop = asyncio.get_running_loop()
    if loop not in _sessions:
        http = library()
        # As many connections as there are rollouts under way; no cookies, which cost time.
        _sessions[loop] = http.ClientSession(
            connector=http.TCPConnector(limit=0), cookie_jar=http.DummyCookieJar()
        )
        atexit.register(_close, loop)
    return _sessions[loop]


def library() -> Any:
    """aiohttp.

    Raises:
        UnsupportedError: it is not installed.
    """
    try:
        import aiohttp
    except ModuleNotFoundError as error:
        raise UnsupportedError(
            "servers are reached by aiohttp: pip install 'agentlightning-compat[http]'"
        ) from error
    return aiohttp


def _close(loop: asyncio.AbstractEventLoop) -> None:
    found = _sessions.pop(loop, None)
    if found is not None and loop is background_loop():
        asyncio.run_coroutine_threadsafe(found.close(), loop).result(5)
