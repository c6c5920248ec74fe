"""A legacy server that does as it is told, for tests: on a port and in a loop of its own."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import threading
from collections import deque
from contextlib import suppress
from typing import Any

from aiohttp import web

# Not that of everybody: Hypothesis seeds it.
_random = random.SystemRandom()


def quiet_port() -> int:
    """A free port that stays free: below those that are given to whoever asks for any."""
    while True:
        port = _random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class LegacyServer:
    """Hands out `tasks` in turn and keeps what is posted in `reports`.

    `troubles` maps a path's first part to answers that come first: a status, a text instead of
    JSON, "cut" for a connection that is closed without an answer, "cut after" for one that is
    closed when it was acted upon. `seen` counts requests. Like a real one, it keeps one result
    for each task, in `results`, and what was handed out in `processing`, until it is reported.
    `receipts` are the ids of results whose poster was told that they arrived.
    """

    def __init__(self) -> None:
        self.tasks: deque[dict[str, Any]] = deque()
        self.resources: dict[str, Any] = {}
        self.reports: list[dict[str, Any]] = []
        self.results: dict[str, dict[str, Any]] = {}
        self.processing: dict[str, dict[str, Any]] = {}
        self.receipts: list[str] = []
        self.troubles: dict[str, deque[Any]] = {}
        self.seen: dict[str, int] = {}
        self.asked = threading.Condition()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> LegacyServer:
        self._thread.start()
        self.up()
        return self

    def __exit__(self, *error: object) -> None:
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def up(self) -> None:
        """Listen, at the same port as before."""
        asyncio.run_coroutine_threadsafe(self._up(), self._loop).result()

    def down(self) -> None:
        """Be away."""
        asyncio.run_coroutine_threadsafe(self._down(), self._loop).result()

    def until(self, path: str, count: int) -> None:
        """Wait until so many requests for a path have come."""
        with self.asked:
            assert self.asked.wait_for(lambda: self.seen.get(path, 0) >= count, 30)

    def requeue(self) -> None:
        """Time is over for all that was handed out: it is handed out again."""
        asyncio.run_coroutine_threadsafe(self._requeue(), self._loop).result()

    async def _requeue(self) -> None:
        for item in self.processing.values():
            self.tasks.append(item | {"num_claims": item["num_claims"] + 1})
        self.processing.clear()

    def until_reported(self, count: int) -> None:
        """Wait until there are so many reports."""
        with self.asked:
            assert self.asked.wait_for(lambda: len(self.reports) >= count, 60)

    async def _up(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        self.port = self.port or quiet_port()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def _down(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path, _, rest = request.path.strip("/").partition("/")
        body = await request.text()
        waiting = self.troubles.get(path)
        trouble = waiting.popleft() if waiting else None
        if trouble is None:
            answer = self._normal(path, rest, body)
            if path == "rollout":
                self.receipts.append(self.reports[-1]["rollout_id"])
        else:
            if trouble == "cut after":
                self._normal(path, rest, body)
            answer = self._trouble(trouble, request)
        with self.asked:
            self.seen[path] = self.seen.get(path, 0) + 1
            self.asked.notify_all()
        return answer

    def _trouble(self, trouble: Any, request: web.Request) -> web.StreamResponse:
        if trouble in ("cut", "cut after"):
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if isinstance(trouble, int):
            return web.json_response({"detail": "told to"}, status=trouble)
        return web.Response(text=trouble, content_type="application/json")

    def _normal(self, path: str, rest: str, body: str) -> web.StreamResponse:
        if path == "task":
            task = self.tasks.popleft() if self.tasks else None
            if task is not None:
                self.processing[task["rollout_id"]] = task
            return web.json_response({"is_available": task is not None, "task": task})
        if path == "resources":
            key = next(reversed(self.resources), None) if rest == "latest" else rest
            if key not in self.resources:
                return web.json_response({"detail": "none"}, status=404)
            return web.json_response({"resources_id": key, "resources": self.resources[key]})
        assert path == "rollout"
        report = json.loads(body)
        self.reports.append(report)
        self.results[report["rollout_id"]] = report
        self.processing.pop(report["rollout_id"], None)
        return web.json_response({"status": "ok", "message": "stored", "data": None})


def task(number: int, **fields: Any) -> dict[str, Any]:
    """A task as a 0.1 server sends it."""
    known = {
        "rollout_id": f"rollout-{number}",
        "input": {"number": number},
        "mode": "train",
        "resources_id": None,
        "create_time": 1.0,
        "last_claim_time": 2.0,
        "num_claims": 1,
        "metadata": {},
    }
    return known | fields
