"""The two sides of a client-server run; each may be in the main process or in another one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pickle
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.context import BaseContext
from typing import Any, TypeVar
from urllib.parse import urlsplit

from agentlightning_compat.errors import UnsupportedError
from agentlightning_compat.execution.base import AlgorithmBundle, RunnerBundle
from agentlightning_compat.execution.events import ExecutionEvent
from agentlightning_compat.execution.interrupts import Interrupts
from agentlightning_compat.execution.supervised import Supervised, run_in_own_loop
from agentlightning_compat.store.base import LightningStore

_log = logging.getLogger(__name__)

_LOOK = 0.02


class Address:
    """Where the store server is, known to all processes as soon as it listens."""

    def __init__(self, host: str, port: int, ctx: BaseContext, *, known: bool) -> None:
        self.host = host
        self.port = port
        self._found: Any = ctx.RawValue("i", port if known else -1)

    def found(self, port: int) -> None:
        """The server listens on this port."""
        self._found.value = port

    async def url(self, event: ExecutionEvent) -> str | None:
        """Of the server, once it listens; None if a stop is asked for before."""
        while self._found.value < 0:
            if event.is_set():
                return None
            await asyncio.sleep(_LOOK)
        return f"http://{self.host}:{self._found.value}"


@dataclass
class Site:
    """What both sides have to know; all of it can be handed to another process.

    `event` asks all to stop, `hurry` to drop what they have in hand. `graceful` and `terminate`
    are seconds.
    """

    address: Address
    event: ExecutionEvent
    hurry: ExecutionEvent
    managed: bool
    graceful: float
    terminate: float

    def supervised(self, name: str, also: Callable[[], object]) -> Supervised:
        """For the bundle called `name`; `also` is called at each look at the event."""
        return Supervised(name, self.event, self.graceful, self.terminate, also=also)

    async def algorithm(
        self,
        side: Supervised,
        algorithm: AlgorithmBundle,
        store: LightningStore,
        others_ended: Callable[[], Awaitable[None]],
    ) -> None:
        """Serve the store and run the algorithm; the server is there until the others ended."""
        try:
            async with self._served(store) as served:
                try:
                    await side.supervise(algorithm(served, self.event))
                finally:
                    self.event.set()
                    await others_ended()
        finally:
            self.event.set()

    async def runner(
        self,
        side: Supervised,
        runner: RunnerBundle,
        worker_id: int,
        store: LightningStore | None,
    ) -> None:
        """Run a runner, against the server if the store is managed."""
        try:
            async with self._connected(store) as connected:
                if connected is not None:
                    await side.supervise(runner(connected, worker_id, self.event))
        except BaseException:
            self.event.set()
            raise

    @contextlib.asynccontextmanager
    async def _served(self, store: LightningStore) -> AsyncIterator[LightningStore]:
        if not self.managed:
            self.address.found(self.address.port)
            yield store
            return
        server = over_http("LightningStoreServer")(
            store, host=self.address.host, port=self.address.port
        )
        await server.start()
        try:
            port = urlsplit(server.endpoint).port or self.address.port
            _log.info("the store is served on %s:%s", self.address.host, port)
            self.address.found(port)
            yield server if isinstance(server, LightningStore) else store
        finally:
            await server.stop()

    @contextlib.asynccontextmanager
    async def _connected(
        self, store: LightningStore | None
    ) -> AsyncIterator[LightningStore | None]:
        url = await self.address.url(self.event)
        if url is None or not self.managed:
            yield None if url is None else store
            return
        client = over_http("LightningStoreClient")(url)
        try:
            yield client
        finally:
            await client.close()


def over_http(name: str) -> Any:
    """The client or the server of stores.

    Raises:
        UnsupportedError: what they need is not installed.
    """
    try:
        return getattr(import_module("agentlightning_compat"), name)
    except (AttributeError, ImportError) as error:
        raise UnsupportedError(
            f"runners in processes of their own need {name}: pip install"
            " 'agentlightning-compat[http]'; Trainer(strategy='shm') runs them as threads"
        ) from error


S = TypeVar("S", bound="LightningStore | None")


def of_this_process(store: S) -> S:
    """The store as a process that was started may use it.

    A forked process has the connections of the other one, but not the threads that serve them.
    """
    if store is None or not store.capabilities.get("zero_copy"):
        return store
    copied: S = pickle.loads(pickle.dumps(store))
    return copied


def in_this_process(site: Site, work: Coroutine[Any, Any, None]) -> None:
    """Run a side here. An interrupt ends it, and asks the others to stop."""
    try:
        run_in_own_loop(work, lambda: site.graceful + 4 * site.terminate)
    except KeyboardInterrupt:
        site.event.set()
        raise


def in_child(
    site: Site, name: str, work: Callable[[Supervised], Coroutine[Any, Any, None]]
) -> None:
    """Run a side in a process that was started for it.

    It ends with the process that started it, however that one ends.
    """
    parent = os.getppid()

    def watch() -> None:
        if os.getppid() != parent and not site.event.is_set():
            _log.error("%s: the process that started it is gone, so it stops", name)
            site.event.set()
        if site.hurry.is_set():
            side.drop()

    side = site.supervised(name, watch)
    # What was inherited is the parent's handler.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Interrupts(site.event.set, site.hurry.set):
        try:
            in_this_process(site, work(side))
        except KeyboardInterrupt:
            _log.warning("%s was interrupted", name)
