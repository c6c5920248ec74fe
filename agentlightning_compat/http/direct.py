"""Requests over plain sockets, which belong to no event loop: each call takes an idle one.

The connections of a library live in one loop, so that every call from another one has to go there
and back, which takes longer than the request. Nobody has to close these before a loop ends.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import socket
import time
from collections import deque
from typing import Any, NamedTuple
from weakref import WeakSet

from agentlightning_compat.errors import UnsupportedError

try:
    import httptools
except ModuleNotFoundError as error:
    raise UnsupportedError(
        "servers are reached by httptools: pip install 'agentlightning-compat[http]'"
    ) from error

# Seconds; servers of 0.3 close what was idle for 5.
_IDLE = 4.0
# Bytes that go out at once, whatever the other side does meanwhile.
_SMALL = 1 << 16
_READ = 1 << 18


class NotConnectedError(ConnectionError):
    """Nothing was sent: there is nobody to send it to."""


class CutError(ConnectionError):
    """The connection ended before the reply did. `stale`: it had been used before, and not a
    byte came back: the server may have closed it before the request arrived."""

    def __init__(self, text: str, *, stale: bool = False) -> None:
        super().__init__(text)
        self.stale = stale


class Server(NamedTuple):
    """Where connections go to."""

    host: str
    port: int


class _Connection:
    __slots__ = ("__weakref__", "fresh", "late", "since", "socket")

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.fresh = True
        self.late = False
        self.since = 0.0

    def idle(self) -> bool:
        """Whether the other side has not ended it, nor sent what nobody asked for."""
        if time.monotonic() - self.since > _IDLE:
            return False
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def time_out(self) -> None:
        """Have those who wait for it fail."""
        self.late = True
        with contextlib.suppress(OSError):  # the other side was quicker
            self.socket.shutdown(socket.SHUT_RDWR)


_idle: dict[Server, deque[_Connection]] = {}
_all: WeakSet[_Connection] = WeakSet()


async def exchange(server: Server, request: bytes, timeout: float, connect: float) -> Reply:
    """Send a request, and read the reply. Times in seconds.

    Raises:
        NotConnectedError: nobody is there.
        TimeoutError: the reply did not come in time.
        CutError: the connection ended before it.
    """
    connection = _taken(server)
    if connection is None:
        connection = _Connection(await _connected(server, connect))
        _all.add(connection)
    loop = asyncio.get_running_loop()
    timer = loop.call_later(timeout, connection.time_out)
    reply = Reply()
    try:
        await _talk(loop, connection, request, reply)
    except OSError as error:
        connection.socket.close()
        if connection.late:
            raise TimeoutError(f"nothing came for {timeout:g} s") from error
        raise CutError(str(error), stale=not (connection.fresh or reply.begun)) from error
    except BaseException:
        connection.socket.close()
        raise
    finally:
        timer.cancel()
    if reply.reusable and not connection.late:
        _kept(server, connection)
    else:
        connection.socket.close()
    return reply


def _kept(server: Server, connection: _Connection) -> None:
    now = time.monotonic()
    connection.fresh = False
    connection.since = now
    idle = _idle.setdefault(server, deque())
    with contextlib.suppress(IndexError):  # another thread took the last one
        while now - idle[0].since > _IDLE:
            idle.popleft().socket.close()
    idle.append(connection)


def _taken(server: Server) -> _Connection | None:
    idle = _idle.get(server)
    while idle:
        try:
            connection = idle.pop()
        except IndexError:  # another thread took it
            return None
        if connection.idle():
            return connection
        connection.socket.close()
    return None


async def _talk(
    loop: asyncio.AbstractEventLoop, connection: _Connection, request: bytes, reply: Reply
) -> None:
    if len(request) <= _SMALL:
        await loop.sock_sendall(connection.socket, request)
        await _read(loop, connection, reply)
        return
    # A server that refuses it answers before it has read everything.
    sending = asyncio.ensure_future(loop.sock_sendall(connection.socket, request))
    try:
        await _read(loop, connection, reply)
        reply.reusable &= sending.done()
    finally:
        sending.cancel()
        await asyncio.wait([sending])
        if not sending.cancelled():
            sending.exception()  # what it says is that nothing could be read


async def _read(loop: asyncio.AbstractEventLoop, connection: _Connection, reply: Reply) -> None:
    while not reply.done:
        data = await loop.sock_recv(connection.socket, _READ)
        if not data:
            reply.ended()
            return
        reply.feed(data)


async def _connected(server: Server, connect: float) -> socket.socket:
    try:
        return await asyncio.wait_for(_first(server), connect)
    except (OSError, asyncio.TimeoutError) as error:
        why = str(error) or f"nothing within {connect:g} s"
        raise NotConnectedError(f"cannot connect to {server.host}:{server.port}: {why}") from error


async def _first(server: Server) -> socket.socket:
    """The first of the server's addresses that answers."""
    loop = asyncio.get_running_loop()
    problem = OSError("it has no address")
    for family, kind, protocol, _, address in await _addresses(loop, server):
        made = socket.socket(family, kind, protocol)
        try:
            made.setblocking(False)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(made, address)
        except OSError as error:
            made.close()
            problem = error
        except BaseException:
            made.close()
            raise
        else:
            return made
    raise problem


async def _addresses(loop: asyncio.AbstractEventLoop, server: Server) -> list[Any]:
    try:  # a number needs no thread, nor anybody to be asked
        return socket.getaddrinfo(
            *server, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        )
    except socket.gaierror:
        return await loop.getaddrinfo(*server, type=socket.SOCK_STREAM)


class Reply:
    """An HTTP reply, as far as it has come."""

    __slots__ = ("_framed", "_parser", "_parts", "begun", "done", "reusable", "status")

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._framed = False
        self.begun = False
        self.done = False
        self.reusable = False
        self.status = 0

    @property
    def body(self) -> bytes:
        """All of it."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def feed(self, data: bytes) -> None:
        """More of it.

        Raises:
            CutError: this is no HTTP.
        """
        self.begun = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise CutError(f"the answer is no HTTP: {error}") from error

    def ended(self) -> None:
        """The other side sends no more.

        Raises:
            CutError: it has not sent everything.
        """
        if not self.status or self._framed:
            raise CutError("the connection was closed before the answer")
        self.done = True

    def on_message_begin(self) -> None:
        """A reply begins."""
        if self.done:  # nobody asked for another one
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._framed = True

    def on_headers_complete(self) -> None:
        """The body begins."""
        if not self.done:
            status = self._parser.get_status_code()
            self.status = status if status >= 200 else 0  # before 200 are hints to wait on

    def on_body(self, data: bytes) -> None:
        """Some of the body."""
        if not self.done:
            self._parts.append(data)

    def on_message_complete(self) -> None:
        """That was it."""
        if self.status and not self.done:
            self.done = True
            self.reusable = self._parser.should_keep_alive()


def _close_idle() -> None:
    for idle in list(_idle.values()):
        while idle:
            idle.pop().socket.close()


def _forget() -> None:
    # What a forked child has of connections would keep them open when the parent closes them.
    _idle.clear()
    for connection in list(_all):
        connection.socket.close()
    _all.clear()


atexit.register(_close_idle)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
