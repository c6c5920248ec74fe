"""HTTP for the legacy protocol, on the background loop: one pool of connections for a process."""

from __future__ import annotations

import asyncio
import atexit
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from agentlightning_compat.errors import (
    InternalError,
    InvalidRequestError,
    NotFoundError,
    StoreUnavailableError,
    UnsupportedError,
)
from agentlightning_compat.legacy.sync import background_loop, elsewhere

if TYPE_CHECKING:
    import aiohttp

# What a server says that has no time now; everything else from 400 to 499 is meant as said.
_LATER = frozenset({408, 425, 429})
_LONGEST_EXCERPT = 300

_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()


async def get_json(url: str, *, timeout: float, headers: Mapping[str, str]) -> Any:
    """What a server answers to GET; `timeout` in seconds.

    Raises:
        StoreUnavailableError: there is no answer, or the server asks to come back later.
        NotFoundError: the server does not know it.
        InvalidRequestError: the server refuses.
        InternalError: the answer is not JSON.
        UnsupportedError: aiohttp is not installed (`agentlightning-compat[http]`).
    """
    return await elsewhere(_exchange("GET", url, None, timeout, headers))


async def post_json(url: str, body: Any, *, timeout: float, headers: Mapping[str, str]) -> Any:
    """What a server answers to a POST of JSON; errors as those of `get_json`."""
    return await elsewhere(_exchange("POST", url, body, timeout, headers))


async def _exchange(
    verb: str, url: str, body: Any, timeout: float, headers: Mapping[str, str]
) -> Any:
    http = _aiohttp()
    call = f"{verb} {url}"
    limit = http.ClientTimeout(total=timeout)
    try:
        request = _session().request(verb, url, json=body, headers=headers, timeout=limit)
        async with request as response:
            text = await response.text(errors="replace")
    except http.InvalidURL as error:
        raise InvalidRequestError(f"{url!r} is no URL that can be asked") from error
    except (asyncio.TimeoutError, OSError, http.ClientError) as error:
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        raise StoreUnavailableError(f"{call}: no answer ({what})") from error
    if response.status >= 400:
        raise _refusal(response.status, call, text)
    try:
        return json.loads(text)
    except ValueError as error:
        raise InternalError(f"{call}: the answer is not JSON: {_excerpt(text)}") from error


def _refusal(status: int, call: str, text: str) -> Exception:
    said = f"{call}: {status} {_excerpt(text)}"
    if status >= 500 or status in _LATER:
        return StoreUnavailableError(said)
    return NotFoundError(said) if status == 404 else InvalidRequestError(said)


def _excerpt(text: str) -> str:
    return text if len(text) <= _LONGEST_EXCERPT else f"{text[:_LONGEST_EXCERPT]}..."


def _session() -> aiohttp.ClientSession:
    """The session of the running loop, which is the background loop of this process."""
    loop = asyncio.get_running_loop()
    if loop not in _sessions:
        http = _aiohttp()
        # As many connections as there are rollouts under way.
        _sessions[loop] = http.ClientSession(connector=http.TCPConnector(limit=0))
        atexit.register(_close, loop)
    return _sessions[loop]


def _close(loop: asyncio.AbstractEventLoop) -> None:
    session = _sessions.pop(loop, None)
    if session is not None and loop is background_loop():
        asyncio.run_coroutine_threadsafe(session.close(), loop).result(5)


def _aiohttp() -> Any:
    try:
        import aiohttp
    except ModuleNotFoundError as error:
        raise UnsupportedError(
            "legacy servers are reached by aiohttp: pip install 'agentlightning-compat[http]'"
        ) from error
    return aiohttp
