"""The legacy protocol by hand: what a server costs is measured without a client's own cost."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Reports(NamedTuple):
    """What is posted for each task."""

    name: str
    fields: dict[str, Any]

    @classmethod
    def rewards(cls) -> Reports:
        """Nothing but a reward."""
        return cls("a reward", {"final_reward": 0.5})

    @classmethod
    def traces(cls) -> Reports:
        """A reward, and ten spans as OpenTelemetry writes them."""
        return cls(
            "a trace of 10 spans", {"final_reward": 0.5, "trace": list(map(_span, range(10)))}
        )


def _span(number: int) -> dict[str, Any]:
    return {
        "name": "openai.chat.completion",
        "context": {"trace_id": f"0x{7:032x}", "span_id": f"0x{number + 1:016x}"},
        "parent_id": None if number == 0 else "0x0000000000000001",
        "start_time": f"2025-01-01T00:00:{number:02}.000000Z",
        "end_time": f"2025-01-01T00:00:{number:02}.500000Z",
        "status": {"status_code": "OK"},
        "attributes": {
            "gen_ai.request.model": "m",
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "How much is 6 times 7?",
            "gen_ai.completion.0.content": "It is 42.",
            "prompt_token_ids": list(range(20)),
            "response_token_ids": list(range(10)),
        },
        "events": [],
    }


class RoundTrips:
    """Clients that each take a task, read its resources, and report a result."""

    def __init__(self, url: str, reports: Reports) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname, parts.port
        self._reports = reports

    async def make(self, count: int, at_once: int) -> list[float]:
        """So many round trips; the seconds of each."""
        left = iter(range(count))
        took: list[float] = []

        async def client() -> None:
            connection = Connection(*await asyncio.open_connection(*self._address))
            for _ in left:
                start = time.perf_counter()
                await self._trip(connection)
                took.append(time.perf_counter() - start)
            connection.close()

        await asyncio.gather(*(client() for _ in range(at_once)))
        return took

    async def _trip(self, connection: Connection) -> None:
        task = (await connection.ask("GET", "/task"))["task"]
        found = await connection.ask("GET", f"/resources/{task['resources_id']}")
        if found["resources_id"] != task["resources_id"]:
            raise RuntimeError(f"the server answered {found}")
        report = {"rollout_id": task["rollout_id"], **self._reports.fields}
        said = await connection.ask("POST", "/rollout", json.dumps(report).encode())
        if said["status"] != "ok":
            raise RuntimeError(f"the server answered {said}")


class Connection:
    """A connection that is kept."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, verb: str, path: str, body: bytes = b"") -> Any:
        """One request and its answer.

        Raises:
            RuntimeError: the answer is not 200.
        """
        head = (
            f"{verb} {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        status, *lines = answer.decode().split("\r\n")
        size = next(int(x.split(":")[1]) for x in lines if x.lower().startswith("content-length:"))
        text = await self._reader.readexactly(size)
        if " 200 " not in status:
            raise RuntimeError(f"{verb} {path}: {status} {text[:200]!r}")
        return json.loads(text)

    def close(self) -> None:
        """End it."""
        self._writer.close()
