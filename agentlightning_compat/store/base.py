"""The contract of all stores: the public methods, with the signatures of agentlightning 0.3."""

from __future__ import annotations

from typing import TypedDict

from agentlightning_compat.errors import UnsupportedError
from agentlightning_compat.model.unset import UNSET, Unset
from agentlightning_compat.store.contract.attempts import AttemptMethods
from agentlightning_compat.store.contract.resources import ResourceMethods, WorkerMethods
from agentlightning_compat.store.contract.rollouts import RolloutMethods
from agentlightning_compat.store.contract.spans import SpanMethods

__all__ = [
    "UNSET",
    "LightningStore",
    "LightningStoreCapabilities",
    "LightningStoreStatistics",
    "Unset",
]


class LightningStoreCapabilities(TypedDict, total=False):
    """What may be done with a store.

    `thread_safe`: called from several threads. `async_safe`: from several tasks. `zero_copy`:
    pickled, and the copy is the same store. `otlp_traces`: sent spans over OTLP.
    """

    thread_safe: bool
    async_safe: bool
    zero_copy: bool
    otlp_traces: bool


class LightningStoreStatistics(TypedDict, total=False):
    """How much is in a store; `uptime` in seconds, sizes in bytes."""

    name: str
    total_rollouts: int
    total_attempts: int
    total_spans: int
    total_resources: int
    total_workers: int
    uptime: float
    total_span_bytes: int
    eviction_threshold_bytes: int
    safe_threshold_bytes: int
    memory_capacity_bytes: int


class LightningStore(RolloutMethods, AttemptMethods, SpanMethods, ResourceMethods, WorkerMethods):
    """Where algorithms and runners meet: a queue of rollouts, their attempts and spans, the
    resources, and the workers.

    Each call happens as a whole or not at all. Values that are handed out are snapshots: they do
    not change any more, and changing them changes nothing in the store. Whoever has a store may
    call it from many tasks; `capabilities` tells what else may be done.

    A store of your own overrides the public methods, or answers commands in `_perform`.
    """

    @property
    def capabilities(self) -> LightningStoreCapabilities:
        """What may be done with this store."""
        return {
            "thread_safe": False,
            "async_safe": False,
            "zero_copy": False,
            "otlp_traces": False,
        }

    async def statistics(self) -> LightningStoreStatistics:
        """How much is in this store."""
        return {"name": type(self).__name__}

    def otlp_traces_endpoint(self) -> str:
        """The URL that takes spans over OTLP.

        Raises:
            UnsupportedError: this store has none.
        """
        raise UnsupportedError(f"{type(self).__name__} takes no spans over OTLP")
