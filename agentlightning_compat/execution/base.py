"""The contract of execution strategies."""

from __future__ import annotations

from typing import Protocol

from agentlightning_compat.execution.events import ExecutionEvent
from agentlightning_compat.store.base import LightningStore


class AlgorithmBundle(Protocol):
    """The algorithm's side: runs until it is done, or until the event is set.

    One whose `ends_with_runners` is true is told to stop when all runners have ended.
    """

    async def __call__(self, store: LightningStore, event: ExecutionEvent) -> None:
        """Run against `store`."""
        ...


class RunnerBundle(Protocol):
    """The side of one runner: runs until it is done, or until the event is set."""

    async def __call__(self, store: LightningStore, worker_id: int, event: ExecutionEvent) -> None:
        """Run worker number `worker_id` against `store`."""
        ...


class ExecutionStrategy:
    """Runs one algorithm bundle and any number of runner bundles, and ends them in order."""

    def execute(
        self, algorithm: AlgorithmBundle, runner: RunnerBundle, store: LightningStore
    ) -> None:
        """Run both sides to their end.

        Returns normally after Ctrl-C.

        Raises:
            BaseException: what a bundle raised.
        """
        raise NotImplementedError(f"{type(self).__name__} has no execute")
