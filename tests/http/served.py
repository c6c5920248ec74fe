"""A store behind a server of ours, as its client; closing it closes them both."""

from __future__ import annotations

from functools import cache
from typing import Any

from agentlightning_compat.http.app import StoreApp
from agentlightning_compat.http.client import LightningStoreClient
from agentlightning_compat.http.launching import ServerThread, bound


class Stage:
    """One server for all tests of a process: starting one takes longer than most of them."""

    def __init__(self) -> None:
        self.app: Any = None
        listening = bound("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.thread = ServerThread(self, listening)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


stage = cache(Stage)


class Served(LightningStoreClient):
    """The client; `behind` is the store."""

    def __init__(self, behind: Any, **options: Any) -> None:
        self.behind = behind
        self._app = StoreApp(behind)
        stage().app = self._app
        super().__init__(stage().url, **options)

    async def close(self) -> None:
        stage().thread.loop.call_soon_threadsafe(self._app.drop_held)
        await self.behind.close()
