"""The body of a request, as an ASGI server hands it over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class CutShortError(Exception):
    """The connection ended before the request did: nobody knows what was asked for."""


async def body_of(headers: Mapping[bytes, bytes], receive: Receive, most: int) -> bytes | None:
    """All of it; None, without waiting for the rest, when it has more than `most` bytes.

    Raises:
        CutShortError: it never came to its end.
    """
    told = headers.get(b"content-length", b"")
    if told.isdigit() and int(told) > most:
        return None
    parts = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CutShortError
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            return None
        more = message.get("more_body", False)
        parts.append(part)
    return b"".join(parts)
