"""A proxy on loopback that does to a connection what networks do.

Faults are armed one by one; each meets the next request, on whatever connection that comes.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import deque
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

# Where a connection is cut: half of the request has been passed on; all of it has, and the answer
# has begun to come; half of what came first of the answer has been passed on.
REQUEST, BEFORE, REPLY = "request", "before", "reply"
PLACES = (REQUEST, BEFORE, REPLY)
# Passed byte by byte; nothing is passed, nor is anything closed.
SLOW, SWALLOW = "slow", "swallow"
_PIECE = 1 << 16


class Fault:
    """What happens to one request; `hard` cuts by a reset instead of an end."""

    def __init__(self, kind: str, *, hard: bool = False) -> None:
        self.kind = kind
        self.hard = hard
        self.met = threading.Event()


class Toxic:
    """The proxy, in a thread of its own; `url` is what clients are given."""

    def __init__(self, behind: str) -> None:
        where = urlsplit(behind)
        self._behind = (where.hostname, where.port)
        self._armed: deque[Fault] = deque()
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, name="toxic")
        self._thread.start()

    def arm(self, kind: str, *, hard: bool = False) -> Fault:
        """Have a request meet a fault, after those that are armed already."""
        fault = Fault(kind, hard=hard)
        self._armed.append(fault)
        return fault

    def disarm(self) -> None:
        """Let everything pass."""
        self._armed.clear()

    def close(self) -> None:
        """End, with all connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, sock=self._listening)
        )
        self._loop.run_forever()
        server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            self._loop.run_until_complete(asyncio.wait(self._tasks))
        self._loop.run_until_complete(asyncio.sleep(0))  # sockets are closed in the next turn
        self._loop.close()

    async def _serve(self, reader, writer) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await _Passing(self._armed, reader, writer).run(*self._behind)
        finally:
            self._tasks.discard(task)


class _Passing:
    """One connection."""

    def __init__(self, armed: deque[Fault], reader, writer) -> None:
        self._armed = armed
        self._client = (reader, writer)
        self._fault: Fault | None = None

    async def run(self, *behind) -> None:
        server = await asyncio.open_connection(*behind)
        ways = [
            asyncio.ensure_future(self._there(self._client[0], server[1])),
            asyncio.ensure_future(self._back(server[0], self._client[1])),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)
            for way in ways:
                way.cancelled() or way.exception()
            hard = self._fault is not None and self._fault.hard
            for writer in (self._client[1], server[1]):
                if hard:
                    _linger_not(writer)
                writer.close()

    async def _there(self, reader, writer) -> None:
        while data := await reader.read(_PIECE):
            if self._armed:
                self._fault = self._armed.popleft()
            fault = self._fault
            if fault is not None and fault.kind == SWALLOW:
                fault.met.set()
                continue
            if fault is not None and fault.kind == REQUEST:
                writer.write(data[: len(data) // 2])
                await writer.drain()
                fault.met.set()
                return
            await _pass(data, writer, slow=fault is not None and fault.kind == SLOW)

    async def _back(self, reader, writer) -> None:
        while data := await reader.read(_PIECE):
            fault = self._fault
            kind = None if fault is None else fault.kind
            if kind in (BEFORE, REPLY):
                if kind == REPLY:
                    writer.write(data[: max(len(data) // 2, 1)])
                    await writer.drain()
                fault.met.set()
                return
            await _pass(data, writer, slow=kind == SLOW)
            if kind == SLOW:
                fault.met.set()


async def _pass(data: bytes, writer, *, slow: bool) -> None:
    step = 1 if slow else len(data)
    for start in range(0, len(data), step):
        writer.write(data[start : start + step])
        await writer.drain()
        if slow:
            await asyncio.sleep(0)


def _linger_not(writer) -> None:
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )


@contextmanager
def between(behind: str):
    """The proxy before a server, for the length of a `with`."""
    proxy = Toxic(behind)
    try:
        yield proxy
    finally:
        proxy.close()
