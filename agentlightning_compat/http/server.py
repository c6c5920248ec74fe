"""`LightningStoreServer`: a store that others reach over HTTP."""

from __future__ import annotations

import asyncio
import ipaddress
import os
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, Literal, TypeVar

from agentlightning_compat.errors import InvalidRequestError, UnsupportedError
from agentlightning_compat.http import origins, performing, tokens
from agentlightning_compat.http.app import StoreApp
from agentlightning_compat.http.client import LightningStoreClient
from agentlightning_compat.http.launching import ServerThread, bound
from agentlightning_compat.http.limits import DEFAULT, Limits
from agentlightning_compat.model import AttemptedRollout, Rollout
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.base import (
    LightningStore,
    LightningStoreCapabilities,
    LightningStoreStatistics,
)

R = TypeVar("R")
T = TypeVar("T")

DEFAULT_PORT = 4747


class LightningStoreServer(LightningStore):
    """Serves a store, and is a store itself: in this process calls go to the store, in others
    (it may be pickled) to the server.

    Args:
        store: what is served. If it is not thread safe, all calls are made in the server's loop.
        host: what to listen on; this machine alone by default. Anything else needs a `token`, or
            `insecure=True`.
        port: 4747; 0 is any free one, see `endpoint`.
        cors_allow_origins: whose pages may use the server from a browser besides its own, such as
            `https://example.org`; "*" is any.
        launch_mode: `thread` and `asyncio` are the same here; processes (`mp`) share a store in
            PostgreSQL by a server each.
        token: what clients have to show; AGL_SERVER_TOKEN.
        insecure: let in everybody who reaches the host.
        prometheus: tell metrics at `/v1/prometheus`.
        max_body: the most bytes of a body; more is refused, as is all below, before anything is
            done.
        max_head: the most bytes of a request line and its headers.
        max_depth: the most objects and lists within each other in a body; at most 500.
        max_batch: the most rollouts, spans, keys or ids in a request.
        max_page: the most items in a reply; None for as many as were asked for. Our clients ask
            for the rest by themselves; those of 0.3 are told to ask for less.
        max_held: the most requests that wait at a time; others are told at once that there is
            nothing yet.

    Raises:
        InvalidRequestError: an argument makes no sense, or nobody would be kept out.
    """

    def __init__(  # noqa: PLR0913, PLR0917, the public signature
        self,
        store: LightningStore,
        host: str | None = None,
        port: int | None = None,
        cors_allow_origins: Sequence[str] | str | None = None,
        launch_mode: Literal["asyncio", "thread", "mp"] = "thread",
        launcher_args: Any = None,
        n_workers: int = 1,
        tracker: Any = None,
        *,
        token: str | None = None,
        insecure: bool = False,
        prometheus: bool = False,
        max_body: int = DEFAULT.body,
        max_head: int = DEFAULT.head,
        max_depth: int = DEFAULT.depth,
        max_batch: int = DEFAULT.batch,
        max_page: int | None = DEFAULT.page,
        max_held: int = DEFAULT.held,
    ) -> None:
        self.store = store
        self._host = host or "127.0.0.1"
        self._port = DEFAULT_PORT if port is None else port
        token = tokens.given(token)
        self._token = token
        self._origins = origins.named(cors_allow_origins)
        if launch_mode not in ("asyncio", "thread") or n_workers != 1:
            raise UnsupportedError(
                "several server processes: start one `agl-migrate serve` each over a store in"
                " PostgreSQL"
            )
        if not (token or insecure or _is_loopback(self._host)):
            raise InvalidRequestError(
                f"anybody who reaches {self._host} could use the store: give token=..., or"
                " insecure=True if the network keeps others out"
            )
        if not store.capabilities.get("async_safe"):
            raise InvalidRequestError(f"{type(store).__name__} says that it is not async safe")
        self._pid = os.getpid()
        self._thread: ServerThread | None = None
        self._stopping: ServerThread | None = None
        self._client: LightningStoreClient | None = None
        self._prometheus = prometheus
        self._limits = Limits(max_body, max_head, max_depth, max_batch, max_page, max_held)
        self.app = StoreApp(store, token=token, limits=self._limits)
        # Another application may stand in front of it, and pass on what is not its own.
        self.front: Any = None

    def __reduce__(self) -> Any:
        return partial(LightningStoreClient, self.endpoint, token=self._token), ()

    @property
    def endpoint(self) -> str:
        """The URL that this machine reaches the server by."""
        host = "127.0.0.1" if self._host in ("0.0.0.0", "::") else self._host
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self._port}"

    async def start(self) -> None:
        """Listen. Clients can connect when this returns.

        Raises:
            OSError: the address cannot be listened on.
            RuntimeError: it listens already.
        """
        if self._thread is not None:
            raise RuntimeError(f"the server listens already, at {self.endpoint}")
        listening = bound(self._host, self._port)
        self._port = listening.getsockname()[1]
        self._thread = ServerThread(self._whole(), listening, self._limits.head)

    def _whole(self) -> Any:
        app = self.front or self.app
        if self._prometheus:
            from agentlightning_compat.http.metrics import Metered

            app = Metered(app, self.app)
        return origins.CrossOrigin(app, self._origins) if self._origins else app

    async def stop(self) -> None:
        """Answer what is under way, and listen no more. The store stays open."""
        thread, self._thread = self._thread, None
        self._stopping = thread
        if thread is not None:
            thread.loop.call_soon_threadsafe(self.app.drop_held)
            await asyncio.to_thread(thread.stop)

    def hurry(self) -> None:
        """Have a stop that is under way, or comes, end at once, whoever waits for an answer."""
        thread = self._stopping or self._thread
        if thread is not None:
            thread.hurry()

    async def run_forever(self) -> None:
        """Listen until this is cancelled."""
        if self._thread is None:
            await self.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()

    async def __aenter__(self) -> LightningStoreServer:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    @property
    def capabilities(self) -> LightningStoreCapabilities:
        """What may be done with this store."""
        return {"thread_safe": True, "async_safe": True, "zero_copy": True, "otlp_traces": True}

    def otlp_traces_endpoint(self) -> str:
        """The URL that takes spans over OTLP."""
        return f"{self.endpoint}/v1/traces"

    async def statistics(self) -> LightningStoreStatistics:
        """How much is in the store."""
        if os.getpid() != self._pid:
            return await self._elsewhere().statistics()
        return await self._here(self.store.statistics())

    async def _perform(self, command: c.Command[R]) -> R:
        if os.getpid() != self._pid:
            return await self._elsewhere()._perform(command)
        return await self._here(performing.perform(self.store, command))

    async def _claim(self, command: c.Dequeue) -> Sequence[AttemptedRollout]:
        if os.getpid() != self._pid:
            return await self._elsewhere()._claim(command)
        return await self._here(performing.claim(self.store, command))

    async def _wait(self, command: c.WaitForRollouts) -> list[Rollout]:
        if os.getpid() != self._pid:
            return await self._elsewhere()._wait(command)
        return await self._here(performing.wait(self.store, command))

    async def _here(self, work: Coroutine[Any, Any, T]) -> T:
        thread = self._thread
        if thread is None or self.store.capabilities.get("thread_safe") or not thread.alive:
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, thread.loop))

    def _elsewhere(self) -> LightningStoreClient:
        """The client of a child that this object was copied into by fork."""
        if self._client is None:
            self._client = LightningStoreClient(self.endpoint, token=self._token)
        return self._client


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
