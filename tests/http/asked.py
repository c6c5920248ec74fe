"""Asks an application in process, without a network."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """What it sent."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def ask(app, verb, path, body=b"", headers=(), query=b"") -> Answer:
    """The answer to one request. `path` is as it stands in the request line; `headers` are pairs."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    messages = iter([{"type": "http.request", "body": data, "more_body": False}])
    sent = []

    async def receive():
        message = next(messages, None)
        if message is None:  # the client stays, and says no more
            await asyncio.Event().wait()
        return message

    async def send(message):
        sent.append(message)

    raw = path if isinstance(path, bytes) else path.encode()
    scope = {
        "type": "http",
        "method": verb,
        "path": raw.decode("latin-1"),
        "raw_path": raw,
        "query_string": query,
        "headers": [(name.lower().encode("latin-1"), value) for name, value in headers],
    }
    await app(scope, receive, send)
    start, *rest = sent
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], found, b"".join(message["body"] for message in rest))
