"""`AgentLightningServer`: the legacy server's interface over a store."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from agentlightning_compat import usage
from agentlightning_compat.errors import AttemptNotFoundError, RolloutNotFoundError
from agentlightning_compat.http.app import StoreApp
from agentlightning_compat.http.launching import ServerThread, bound
from agentlightning_compat.legacy.asgi import LegacyApp
from agentlightning_compat.legacy.completed import (
    CompletedRollout,
    drain_completed,
    take_completed,
    was_taken,
)
from agentlightning_compat.legacy.routes import LegacyRoutes
from agentlightning_compat.model import NamedResources, RolloutLegacy, RolloutMode, Task
from agentlightning_compat.store.base import LightningStore
from agentlightning_compat.store.memory import InMemoryLightningStore

# How long the end of a rollout is waited for at a time, in seconds; a stop is noticed then.
_SLICE = 5.0


class AgentLightningServer:
    """Hands out tasks to legacy clients and collects their results; the same port also serves the
    store, so that runners of the store API share the queue.

    Its methods are coroutines that may be awaited in any event loop. `task_timeout_seconds` is
    how long a task may take before it is handed out again. Port 0 is any free one.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8000,
        task_timeout_seconds: float = 300.0,
        *,
        store: LightningStore | None = None,
    ) -> None:
        usage.note("agentlightning.server.AgentLightningServer", "Use LightningStoreServer.")
        self.host = host
        self.port = port
        self.startup_event = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._given = store
        self._task_timeout_seconds = task_timeout_seconds
        self._store: LightningStore | None = None
        self._thread: ServerThread | None = None
        self._app: StoreApp | None = None
        # What legacy clients posted for an attempt, as they posted it, until somebody takes it; and
        # what they posted for ids that the store does not know.
        self._posted: dict[str, tuple[str, RolloutLegacy]] = {}
        self._strangers: dict[str, RolloutLegacy] = {}

    @property
    def endpoint(self) -> str:
        """The URL for clients."""
        return f"http://{self.host}:{self.port}"

    async def start(self) -> None:
        """Listen. Clients can connect when this returns.

        Raises:
            OSError: the address cannot be listened on.
            RuntimeError: it listens already.
        """
        if self._thread is not None:
            raise RuntimeError(f"the server listens already, at {self.endpoint}")
        listening = bound(self.host, self.port)
        self.port = listening.getsockname()[1]
        self._store = self._given or InMemoryLightningStore(thread_safe=True)
        kept = (self._posted, self._strangers)
        routes = _Posted(self._store, self._task_timeout_seconds, *kept)
        self._app = StoreApp(self._store)
        self._thread = ServerThread(LegacyApp(routes, self._app), listening)
        self.loop = asyncio.get_running_loop()
        self.startup_event.set()

    async def stop(self) -> None:
        """Listen no more. A store that was not given is gone with what it holds."""
        thread, self._thread = self._thread, None
        if thread is None or self._app is None:
            return
        thread.loop.call_soon_threadsafe(self._app.drop_held)
        await asyncio.to_thread(thread.stop)
        if self._given is None and isinstance(self._store, InMemoryLightningStore):
            await self._store.close()
        self._store = None
        self._posted.clear()
        self._strangers.clear()
        self.startup_event.clear()
        self.loop = None

    async def run_forever(self) -> None:
        """Listen until this is cancelled."""
        await self.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()

    async def queue_task(
        self,
        sample: Any,
        mode: RolloutMode | None = None,
        resources_id: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> str:
        """Queue a task; its id.

        Raises:
            RuntimeError: the server does not run.
        """
        rollout = await self._running().enqueue_rollout(
            sample, mode=mode, resources_id=resources_id, metadata=metadata
        )
        return rollout.rollout_id

    async def update_resources(self, resources: NamedResources) -> str:
        """Make these the latest resources; their id.

        Raises:
            RuntimeError: the server does not run.
        """
        return (await self._running().add_resources(resources)).resources_id

    async def get_completed_rollout(self, rollout_id: str) -> RolloutLegacy | None:
        """The result of a task, once; None when there is none yet, or it was taken before.

        Raises:
            RuntimeError: the server does not run.
        """
        found = await take_completed(self._running(), rollout_id)
        return self._strangers.pop(rollout_id, None) if found is None else self._taken(found)

    async def poll_completed_rollout(
        self, rollout_id: str, timeout: float | None = None
    ) -> RolloutLegacy | None:
        """Wait for the result of a task: `timeout` seconds, for ever if it is None or 0.

        Raises:
            RuntimeError: the server does not run.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout if timeout else None
        while True:
            found = await self.get_completed_rollout(rollout_id)
            left = _SLICE if end is None else min(end - loop.time(), _SLICE)
            if found is not None or left <= 0:
                return found
            await self._running().wait_for_rollouts(rollout_ids=[rollout_id], timeout=left)

    async def retrieve_completed_rollouts(self) -> list[RolloutLegacy]:
        """All results that were not taken yet.

        Raises:
            RuntimeError: the server does not run.
        """
        ended = await drain_completed(self._running())
        taken = [self._taken(item) for item in ended]
        return taken + [self._strangers.pop(key) for key in list(self._strangers)]

    def _taken(self, completed: CompletedRollout) -> RolloutLegacy:
        attempt_id, posted = self._posted.pop(completed.rollout_id, (None, None))
        last = getattr(completed.rollout, "attempt", None)
        if posted is None or (last is not None and last.attempt_id != attempt_id):
            return _report(completed)
        return posted

    def _running(self) -> LightningStore:
        if self._store is None:
            raise RuntimeError("the server does not run: await start() first")
        return self._store


class _Posted(LegacyRoutes):
    """Keeps what is posted: whoever waits for it is woken when the store has it."""

    def __init__(
        self,
        store: LightningStore,
        timeout: float,
        posted: dict[str, tuple[str, RolloutLegacy]],
        strangers: dict[str, RolloutLegacy],
    ) -> None:
        super().__init__(store, timeout)
        self._posted = posted
        self._strangers = strangers

    async def take_report(self, report: RolloutLegacy) -> None:
        try:
            await super().take_report(report)
        except (RolloutNotFoundError, AttemptNotFoundError):
            # As a server did that had given this id to nobody.
            self._strangers[report.rollout_id] = report

    async def _keep(self, report: RolloutLegacy, attempt_id: str) -> None:
        rollout_id = report.rollout_id
        if was_taken(self._store, rollout_id):  # nobody will ask for it again
            await super()._keep(report, attempt_id)
            return
        before = self._posted.get(rollout_id)
        self._posted[rollout_id] = (attempt_id, report)
        try:
            await super()._keep(report, attempt_id)
        except BaseException:
            del self._posted[rollout_id]
            if before is not None:
                self._posted[rollout_id] = before
            raise


def _report(completed: CompletedRollout) -> RolloutLegacy:
    """The result of a rollout that a runner of the store API did."""
    task = Task(
        rollout_id=completed.rollout_id,
        input=completed.input,
        mode=completed.mode,  # type: ignore[arg-type]
        resources_id=completed.resources_id,
    )
    return RolloutLegacy(
        rollout_id=completed.rollout_id,
        task=task,
        final_reward=completed.final_reward,
        triplets=completed.triplets,
        trace=completed.trace,
        logs=completed.logs,
        metadata=completed.metadata,
    )
