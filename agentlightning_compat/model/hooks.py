"""What users subclass: hooks around a rollout, the life cycle of a worker, data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, SupportsIndex, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentlightning_compat.model.rollouts import Rollout

T_co = TypeVar("T_co", covariant=True)


class Dataset(Protocol[T_co]):
    """Anything with a length and items by number."""

    def __getitem__(self, index: SupportsIndex, /) -> T_co: ...

    def __len__(self) -> int: ...


class ParallelWorkerBase:
    """Set-up and tear-down, once for a process and once for each worker in it."""

    worker_id: int | None = None

    def init(self, *args: Any, **kwargs: Any) -> None:
        """Prepare what all workers share."""

    def init_worker(self, worker_id: int, *args: Any, **kwargs: Any) -> None:
        """Prepare this worker."""
        self.worker_id = worker_id

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Do the work."""

    def teardown_worker(self, worker_id: int, *args: Any, **kwargs: Any) -> None:
        """Undo `init_worker`."""

    def teardown(self, *args: Any, **kwargs: Any) -> None:
        """Undo `init`."""


class Hook(ParallelWorkerBase):
    """Called around each rollout; what it raises is logged and stops nothing."""

    async def on_trace_start(
        self, *, agent: Any, runner: Any, tracer: Any, rollout: Rollout
    ) -> None:
        """After tracing began, before the agent is called."""

    async def on_trace_end(self, *, agent: Any, runner: Any, tracer: Any, rollout: Rollout) -> None:
        """After the agent came back, before tracing ends."""

    async def on_rollout_start(self, *, agent: Any, runner: Any, rollout: Rollout) -> None:
        """Before anything is done for the rollout."""

    async def on_rollout_end(
        self, *, agent: Any, runner: Any, rollout: Rollout, spans: Sequence[Any]
    ) -> None:
        """After the agent is done; `spans` are those of this attempt."""
