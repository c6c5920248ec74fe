"""The contract of runners."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from agentlightning_compat.model import NamedResources, ParallelWorkerBase, Rollout, RolloutMode

if TYPE_CHECKING:
    from typing_extensions import Self

    from agentlightning_compat.litagent.agent import LitAgent
    from agentlightning_compat.store.base import LightningStore

T_task = TypeVar("T_task")

_log = logging.getLogger(__name__)


class StopEvent(Protocol):
    """What tells a runner to stop: an event of `threading` or of `multiprocessing` will do."""

    def is_set(self) -> bool:
        """Whether it shall stop."""
        ...


class Runner(ParallelWorkerBase, Generic[T_task]):
    """Runs an agent on rollouts.

    In this order: `init`, `init_worker`, then `iter` or `step`, `teardown_worker`, `teardown`.
    """

    def init(self, agent: LitAgent[T_task], **kwargs: Any) -> None:
        """Take the agent; once, whatever the number of workers."""
        raise NotImplementedError(f"{type(self).__name__} has no init")

    def init_worker(self, worker_id: int, store: LightningStore, **kwargs: Any) -> None:
        """Take the store; in each worker."""
        raise NotImplementedError(f"{type(self).__name__} has no init_worker")

    def run(self, *args: Any, **kwargs: Any) -> None:
        """Not for runners.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("a runner has no run(): await iter() or step()")

    def teardown(self, *args: Any, **kwargs: Any) -> None:
        """Undo `init`."""
        raise NotImplementedError(f"{type(self).__name__} has no teardown")

    def teardown_worker(self, worker_id: int, *args: Any, **kwargs: Any) -> None:
        """Undo `init_worker`."""
        raise NotImplementedError(f"{type(self).__name__} has no teardown_worker")

    @contextmanager
    def run_context(
        self,
        *,
        agent: LitAgent[T_task],
        store: LightningStore,
        hooks: Sequence[Any] | None = None,
        worker_id: int | None = None,
    ) -> Iterator[Self]:
        """Set up, hand out this runner, and tear down: for tests and notebooks.

        The worker is number 0 unless told otherwise. An error of the teardown is only logged.
        """
        number = 0 if worker_id is None else worker_id
        self.init(agent=agent, hooks=hooks)
        try:
            self.init_worker(worker_id=number, store=store)
            try:
                yield self
            finally:
                self._quietly("teardown_worker", number)
        finally:
            self._quietly("teardown")

    async def iter(self, *, event: StopEvent | None = None) -> None:
        """Claim and run rollouts until `event` is set."""
        raise NotImplementedError(f"{type(self).__name__} has no iter")

    async def step(
        self,
        input: T_task,
        *,
        resources: NamedResources | None = None,
        mode: RolloutMode | None = None,
        event: StopEvent | None = None,
    ) -> Rollout:
        """Run one rollout that never enters the queue, and return it."""
        raise NotImplementedError(f"{type(self).__name__} has no step")

    def _quietly(self, name: str, *arguments: Any) -> None:
        try:
            getattr(self, name)(*arguments)
        except Exception:
            _log.exception("%s of %s failed", name, type(self).__name__)
