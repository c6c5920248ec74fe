"""What the tests of runners are made of: a bare tracer, a store that can be away, a queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

from agentlightning_compat import (
    InMemoryLightningStore,
    LitAgentRunner,
    Rollout,
    RolloutConfig,
    Span,
)
from agentlightning_compat.errors import StoreUnavailableError
from agentlightning_compat.model import ParallelWorkerBase

# Tests wait for what they have caused; this only ends those that would wait for ever.
SAFETY = 60.0


class BareTracer(ParallelWorkerBase):
    """A tracer as a user may write one: it notes its calls, and stores what `note` is given."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self._trace: ContextVar[list[Span]] = ContextVar("trace")
        self._key: ContextVar[tuple[str, str]] = ContextVar("key")
        self.store: Any = None

    def init(self, *args: Any, **kwargs: Any) -> None:
        self.calls.append("init")

    def init_worker(self, worker_id: int, store: Any = None, **kwargs: Any) -> None:
        self.calls.append(("init_worker", worker_id))
        self.store = store

    def teardown_worker(self, worker_id: int, *args: Any, **kwargs: Any) -> None:
        self.calls.append(("teardown_worker", worker_id))

    def teardown(self, *args: Any, **kwargs: Any) -> None:
        self.calls.append("teardown")

    @asynccontextmanager
    async def trace_context(
        self,
        name: str | None = None,
        *,
        store: Any = None,
        rollout_id: str | None = None,
        attempt_id: str | None = None,
    ) -> AsyncIterator[BareTracer]:
        trace: list[Span] = []
        self._trace.set(trace)
        self._key.set((rollout_id or "", attempt_id or ""))
        try:
            yield self
        finally:
            if trace:
                await self.store.add_many_spans(trace)

    def note(self, name: str, **attributes: Any) -> None:
        """A span of the rollout that is being traced here."""
        rollout_id, attempt_id = self._key.get()
        trace = self._trace.get()
        trace.append(
            Span.from_attributes(
                attributes=attributes,
                rollout_id=rollout_id,
                attempt_id=attempt_id,
                sequence_id=len(trace) + 1,
                name=name,
            )
        )

    def get_last_trace(self) -> list[Span]:
        return list(self._trace.get([]))


class FlakyStore(InMemoryLightningStore):
    """A store that is away while `away` is set; `met` is set once somebody noticed."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.noticed: list[str] = []
        self.met = asyncio.Event()

    async def _perform(self, command: Any) -> Any:
        if self.away:
            self.noticed.append(type(command).__name__)
            self.met.set()
            raise StoreUnavailableError("gone for lunch")
        return await super()._perform(command)


def runner_for(
    agent: Any,
    store: Any,
    *,
    hooks: Any = None,
    tracer: Any = None,
    heartbeat_interval: float = 0.0,
    **options: Any,
) -> LitAgentRunner[Any]:
    """A runner that is ready; it does not beat unless it is told to."""
    runner = LitAgentRunner[Any](
        tracer or BareTracer(), heartbeat_interval=heartbeat_interval, **options
    )
    runner.init(agent=agent, hooks=hooks)
    runner.init_worker(worker_id=0, store=store)
    return runner


async def stocked(count: int = 1, store: Any = None, **config: Any) -> tuple[Any, list[Rollout]]:
    """A store with resources and so many rollouts; their inputs are their numbers."""
    store = store or InMemoryLightningStore()
    await store.add_resources({})
    limits = RolloutConfig(**config) if config else None
    rollouts = [await store.enqueue_rollout(number, config=limits) for number in range(count)]
    return store, rollouts


async def statuses(store: Any) -> list[str]:
    """Of all rollouts, in the order in which they came."""
    return [rollout.status for rollout in await store.query_rollouts()]


async def failure(store: Any, rollout: Rollout) -> str:
    """Why the latest attempt failed."""
    attempt = await store.get_latest_attempt(rollout.rollout_id)
    return str((attempt.metadata or {})["failure"])


async def within(awaitable: Any) -> Any:
    """Await it, but not for ever."""
    return await asyncio.wait_for(awaitable, SAFETY)


async def until(condition: Callable[[], Any]) -> None:
    """Wait for something that another thread or process makes true."""

    async def true() -> None:
        while not condition():
            await asyncio.sleep(0.01)

    await within(true())
