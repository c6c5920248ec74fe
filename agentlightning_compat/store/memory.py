"""A store in the memory of this process."""

from __future__ import annotations

import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from agentlightning_compat.clock import Clock
from agentlightning_compat.errors import InternalError
from agentlightning_compat.store.base import (
    LightningStoreCapabilities,
    LightningStoreStatistics,
)
from agentlightning_compat.store.commands import Command
from agentlightning_compat.store.local import LocalStore
from agentlightning_compat.store.memory_spans import Estimator, SpanMemory, bounds
from agentlightning_compat.store.memory_tables import MemoryTables
from agentlightning_compat.store.operations.operation import Run
from agentlightning_compat.store.transaction import Effects

R = TypeVar("R")


def drive(work: Coroutine[Any, Any, R]) -> R:
    """Run to its end what never has to wait.

    Raises:
        InternalError: it waited.
    """
    try:
        work.send(None)
    except StopIteration as done:
        result: R = done.value
        return result
    work.close()
    raise InternalError("an operation of a store in memory waited for something")


class InMemoryLightningStore(LocalStore):
    """Fast, and gone with the process.

    Spans are bounded: when they take more than `eviction_memory_threshold`, those of whole
    rollouts are dropped, finished ones and oldest first, until they take no more than
    `safe_memory_threshold`. A float is a share of the machine's memory, an int is bytes; the
    default is 0.7 of the memory, and 0.8 of that. `span_size_estimator` says how many bytes a
    span takes; without it the store knows.

    `thread_safe` is what `capabilities` says: the store may be called from any thread anyway.
    `scan_debounce_seconds` is there for callers of agentlightning; this store knows when the
    next attempt can be overdue and looks neither earlier nor later.

    Raises:
        InvalidRequestError: the thresholds make no sense.
    """

    def __init__(  # noqa: PLR0913, the public signature
        self,
        *,
        thread_safe: bool = False,
        eviction_memory_threshold: float | int | None = None,
        safe_memory_threshold: float | int | None = None,
        span_size_estimator: Estimator | None = None,
        tracker: object | None = None,
        scan_debounce_seconds: float = 10.0,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(clock=clock)
        limits = bounds(eviction_memory_threshold, safe_memory_threshold)
        self._thread_safe = thread_safe
        self._tables = MemoryTables(SpanMemory(limits, span_size_estimator))
        self._lock = threading.Lock()

    @property
    def capabilities(self) -> LightningStoreCapabilities:
        """What may be done with this store."""
        return {
            "thread_safe": self._thread_safe,
            "async_safe": True,
            "zero_copy": False,
            "otlp_traces": False,
        }

    async def statistics(self) -> LightningStoreStatistics:
        """How much is in this store, and how far its spans are from their bounds."""
        spans = self._tables.spans
        return {
            **await super().statistics(),
            "total_span_bytes": spans.total_bytes,
            "eviction_threshold_bytes": spans.limits.eviction,
            "safe_threshold_bytes": spans.limits.safe,
            "memory_capacity_bytes": spans.limits.capacity,
        }

    async def _transact(self, run: Run, command: Command[Any], now: float) -> tuple[Any, Effects]:
        work = run(self._tables, command, now)
        with self._lock:  # no await inside: an operation here never waits
            result = drive(work)
            return result, self._tables.take_effects()

    def sweep_now(self) -> float | None:
        """Deal with what is overdue; seconds until the next look."""
        return drive(self._sweep())
