"""The legacy routes as an ASGI application, alone or in front of another one."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

from agentlightning_compat.http.app import FOREIGN
from agentlightning_compat.http.bodies import CutShortError, Receive, Scope, Send, body_of
from agentlightning_compat.legacy.routes import Answer, LegacyRoutes

App = Callable[[Scope, Receive, Send], Awaitable[None]]

# A report holds a whole trace.
_LARGEST_BODY = 256 * 1024 * 1024


class LegacyApp:
    """Answers legacy paths itself and leaves the rest to `other`."""

    def __init__(self, routes: LegacyRoutes, other: App | None = None) -> None:
        self._routes = routes
        self._other = other

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "http" and self._routes.serves(scope["path"]):
            with suppress(CutShortError):
                await _send(send, await self._answer(scope, receive))
        elif self._other is not None:
            await self._other(scope, receive, send)
        elif scope["type"] == "http":
            await _send(send, Answer(404, {"detail": f"there is nothing at {scope['path']}"}))

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        headers = dict(scope["headers"])
        if headers.get(b"sec-fetch-site") in FOREIGN:  # a task that is asked for is handed out
            return Answer(403, {"detail": "pages of other sites get no tasks"})
        body = await body_of(headers, receive, _LARGEST_BODY)
        if body is None:
            return Answer(413, {"detail": f"a body has at most {_LARGEST_BODY} bytes here"})
        raw = scope.get("raw_path")  # an id may have an encoded slash in it
        path = raw.decode("ascii") if raw else scope["path"]
        return await self._routes.answer(scope["method"], path.partition("?")[0], body)


async def _send(send: Send, answer: Answer) -> None:
    body = json.dumps(answer.body).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
