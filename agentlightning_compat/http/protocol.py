"""uvicorn's HTTP protocol, which lets the head of a request grow without bounds, with a bound.

Importing this needs uvicorn.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from agentlightning_compat.http.limits import DEFAULT
from agentlightning_compat.http.values import encoded

_PHRASES = {400: "Bad Request", 431: "Request Header Fields Too Large"}


def bounded(most: int) -> type[asyncio.Protocol]:
    """The protocol for servers that take heads of `most` bytes."""
    return type("Bounded", (Bounded,), {"most": most})


class Bounded(HttpToolsProtocol):
    """Refuses heads of more than `most` bytes, and what is no HTTP, as the server refuses
    everything: in JSON."""

    most: ClassVar[int] = DEFAULT.head

    _head = 0  # bytes since the head began, but for the piece that it began in
    _open = True  # no head has ended since the last one began
    _chunk = 0  # bytes that came last
    _large = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connected, and is waited for as long as between requests."""
        super().connection_made(transport)
        self._wait_for_more()

    def data_received(self, data: bytes) -> None:
        """Something came."""
        self._chunk = len(data)
        super().data_received(data)
        if self._open and not self.transport.is_closing():
            self._head += len(data)
            if self._head > self.most:
                self._large = True
                self.send_400_response("")
            elif self.cycle is None or self.cycle.response_complete:
                self._wait_for_more()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._open, self._head = True, -self._chunk

    def on_headers_complete(self) -> None:
        """A head has ended."""
        self._open = False
        # What came in one piece may be a large body, too.
        if max(self._head, 0) + self._chunk > self.most and self._size() > self.most:
            self._large = True
            raise ValueError("the head is too large")
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse, and close the connection: nobody knows where the next request begins."""
        status, text = 400, msg
        if self._large:
            status, text = 431, f"the head of a request has at most {self.most} bytes"
        problem: dict[str, Any] = {"code": "invalid_request", "detail": text, "retry": False}
        body = encoded(problem)
        self.transport.write(
            f"HTTP/1.1 {status} {_PHRASES[status]}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
            + body
        )
        self.transport.close()

    def _size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _wait_for_more(self) -> None:
        # Who never ends a head is not waited for for ever.
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )
