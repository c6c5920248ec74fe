"""Requests to servers: over sockets of our own where that will do, else over aiohttp.

aiohttp's connections are on the background loop: one pool for a process.
"""

from __future__ import annotations

import asyncio
import atexit
import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit
from weakref import WeakKeyDictionary

from agentlightning_compat.background import background_loop, elsewhere
from agentlightning_compat.errors import UnsupportedError
from agentlightning_compat.http.wire import AGAIN

if TYPE_CHECKING:
    import aiohttp

    from agentlightning_compat.http.direct import Reply, Server

_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()


_LARGE = 1 << 19  # bytes


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. `timeout` and `connect` in seconds: for all of it, and for connecting.
    `again`: it does no harm if it arrives twice; `repeated`: it may have arrived before."""

    verb: str
    url: str
    body: bytes | None
    headers: Mapping[str, str]
    timeout: float
    connect: float
    again: bool = False
    repeated: bool = False

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The headers."""
        more = [(AGAIN, "1")] if self.repeated else []
        return [*self.headers.items(), *more]


class UnreachableError(ConnectionError):
    """Nothing arrived: the connection could not be made."""


async def asked(request: Request) -> tuple[int, bytes]:
    """The status and the body of the answer.

    Raises:
        UnreachableError: nothing was sent.
        OSError: there is no answer, or it did not come in time.
        UnsupportedError: what it takes is not installed.
    """
    parts = urlsplit(request.url)
    # Sockets of Windows belong to the first loop that uses them.
    if parts.scheme != "http" or parts.username is not None or sys.platform == "win32":
        return await elsewhere(_by_library(request))
    return await _directly(request, parts)


async def _directly(request: Request, parts: SplitResult) -> tuple[int, bytes]:
    from agentlightning_compat.http import direct

    server = direct.Server(parts.hostname or "", parts.port or 80)
    body = request.body or b""
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    lines = [f"{request.verb} {target} HTTP/1.1", f"host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in request.lines]
    if request.verb != "GET" or body:
        lines.append(f"content-length: {len(body)}")
    sent = "\r\n".join([*lines, "\r\n"]).encode() + body
    reply = await _reply(server, sent, request)
    if reply is None and not request.repeated:
        return await _directly(replace(request, repeated=True), parts)
    while reply is None:
        reply = await _reply(server, sent, request)
    return reply.status, reply.body


async def _reply(server: Server, sent: bytes, request: Request) -> Reply | None:
    """None if it is worth to ask again at once."""
    from agentlightning_compat.http import direct

    try:
        return await direct.exchange(server, sent, request.timeout, request.connect)
    except direct.NotConnectedError as error:
        raise UnreachableError(str(error)) from error
    except direct.CutError as error:
        # The server closed what was idle; at worst that is found out for all that is.
        if error.stale and request.again:
            return None
        raise


async def _by_library(request: Request) -> tuple[int, bytes]:
    http = library()
    limit = http.ClientTimeout(total=request.timeout, sock_connect=request.connect)
    body = request.body
    # aiohttp wants what is large as a file, so that it is sent in pieces.
    data: Any = io.BytesIO(body) if body and len(body) > _LARGE else body
    asking = session().request(
        request.verb, request.url, data=data, headers=request.lines, timeout=limit
    )
    try:
        async with asking as response:
            return response.status, await response.read()
    except http.ClientConnectorError as error:
        raise UnreachableError(str(error)) from error
    except http.ClientError as error:
        raise ConnectionError(f"{type(error).__name__}: {error}".rstrip(": ")) from error


def session() -> aiohttp.ClientSession:
    """The session of the running loop, which is the background loop of this process."""
    loop = asyncio.get_running_loop()
    if loop not in _sessions:
        http = library()
        # As many connections as there are rollouts under way, none that a server is about to close
        # (those of agentlightning do so after 5 idle seconds); no cookies, which cost time.
        _sessions[loop] = http.ClientSession(
            connector=http.TCPConnector(limit=0, keepalive_timeout=4),
            cookie_jar=http.DummyCookieJar(),
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
