"""Lets pages of named origins use a server from a browser; without it, browsers keep them out."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

from agentlightning_compat.errors import InvalidRequestError
from agentlightning_compat.http.bodies import Receive, Scope, Send

_ANY = "*"
_HOUR = b"3600"


def named(origins: Sequence[str] | str | None) -> frozenset[str]:
    """The origins that an argument names; "*" is any.

    Raises:
        InvalidRequestError: something in it is no origin.
    """
    listed = [origins] if isinstance(origins, str) else [*(origins or ())]
    found = frozenset(text.strip().rstrip("/") for text in listed if text.strip())
    for text in found:
        scheme, mark, host = text.partition("://")
        if text != _ANY and not (scheme and mark and host and "/" not in host):
            raise InvalidRequestError(
                f"cors_allow_origins: {text!r} is no origin: https://host:port is"
            )
    return found


class CrossOrigin:
    """Tells browsers that pages of these origins may read what `app` answers."""

    def __init__(self, app: Any, origins: frozenset[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        origin = headers.get(b"origin")
        if origin is None or not self._may(origin):
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            told = [*self._told(origin), *_allowed(headers)]
            await send({"type": "http.response.start", "status": 204, "headers": told})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._app(_trusted(scope), receive, self._telling(origin, send))

    def _may(self, origin: bytes) -> bool:
        return _ANY in self._origins or origin.decode("latin-1") in self._origins

    def _telling(self, origin: bytes, send: Send) -> Send:
        async def telling(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                told = [*self._told(origin), (b"access-control-expose-headers", b"*")]
                message = {**message, "headers": [*message["headers"], *told]}
            await send(message)

        return telling

    def _told(self, origin: bytes) -> list[tuple[bytes, bytes]]:
        if _ANY in self._origins:
            return [(b"access-control-allow-origin", b"*")]
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"vary", b"origin"),
        ]


def _allowed(headers: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    # "*" would leave the token's header out, so what was asked for is named.
    asked = headers.get(b"access-control-request-headers", b"*")
    return [
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", asked),
        (b"access-control-max-age", _HOUR),
    ]


def _trusted(scope: Scope) -> Scope:
    """The same request, as if it came from the server's own page."""
    kept = [pair for pair in scope["headers"] if pair[0] != b"sec-fetch-site"]
    return {**scope, "headers": kept}
