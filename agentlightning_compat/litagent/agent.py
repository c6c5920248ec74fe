"""The base class of agents."""

from __future__ import annotations

import warnings
import weakref
from typing import Any, Generic, TypeVar

from agentlightning_compat.model import NamedResources, Rollout, RolloutRawResult, Task

T = TypeVar("T")

# What is bound to the process, and stays behind when an agent is copied into another one.
_BOUND = ("_trainer_ref", "_runner_ref")


class LitAgent(Generic[T]):
    """An agent: override `rollout`, or `rollout_async`, or the forms for training and validation.

    A runner calls `training_rollout` for rollouts of mode `train` and `validation_rollout` for all
    others; both call `rollout` unless they are overridden. Every rollout method is given the task,
    the resources by name, and the rollout with its attempt. It returns None when what was traced
    says everything, the final reward as a number, or a list of spans: of OpenTelemetry, of `Span`
    or of `SpanCoreFields`.
    """

    # On the class, so that a subclass need not call this class's constructor.
    trained_agents: str | None = None
    _trainer_ref: weakref.ReferenceType[Any] | None = None
    _runner_ref: weakref.ReferenceType[Any] | None = None

    def __init__(self, *, trained_agents: str | None = None) -> None:
        if trained_agents is not None:
            warnings.warn(
                "trained_agents is deprecated: give agent_match to the adapter instead",
                DeprecationWarning,
                stacklevel=2,
            )
        self.trained_agents = trained_agents

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in _BOUND}

    def is_async(self) -> bool:
        """Whether a runner calls the `_async` forms: here, when one of them is overridden."""
        names = ("training_rollout_async", "validation_rollout_async", "rollout_async")
        return any(getattr(type(self), name) is not getattr(LitAgent, name) for name in names)

    def set_trainer(self, trainer: Any) -> None:
        """Note who trains it; the trainer is not kept alive."""
        self._trainer_ref = weakref.ref(trainer)

    def get_trainer(self) -> Any:
        """Who trains it.

        Raises:
            ValueError: nobody does, or the trainer is gone.
        """
        return _referred("trainer", self._trainer_ref)

    @property
    def trainer(self) -> Any:
        """Who trains it; see `get_trainer`."""
        return self.get_trainer()

    def set_runner(self, runner: Any) -> None:
        """Note who runs it; the runner is not kept alive."""
        self._runner_ref = weakref.ref(runner)

    def get_runner(self) -> Any:
        """Who runs it.

        Raises:
            ValueError: nobody does, or the runner is gone.
        """
        return _referred("runner", self._runner_ref)

    @property
    def runner(self) -> Any:
        """Who runs it; see `get_runner`."""
        return self.get_runner()

    def get_tracer(self) -> Any:
        """The tracer of its runner, or of its trainer if the runner has none.

        Raises:
            ValueError: it has no runner.
        """
        runner = self.get_runner()
        return runner.tracer if hasattr(runner, "tracer") else self.get_trainer().tracer

    @property
    def tracer(self) -> Any:
        """The tracer that it runs under; see `get_tracer`."""
        return self.get_tracer()

    def on_rollout_start(self, task: Task, runner: Any, tracer: Any) -> None:
        """Not called by runners any more: give them a `Hook`."""

    def on_rollout_end(self, task: Task, rollout: Rollout, runner: Any, tracer: Any) -> None:
        """Not called by runners any more: give them a `Hook`."""

    def rollout(self, task: T, resources: NamedResources, rollout: Rollout) -> RolloutRawResult:
        """Do the task, in whatever mode. Runs in a thread, where it may block."""
        raise NotImplementedError(f"{type(self).__name__} has no rollout method")

    async def rollout_async(
        self, task: T, resources: NamedResources, rollout: Rollout
    ) -> RolloutRawResult:
        """Do the task, in whatever mode. Runs in the event loop, which it must not block."""
        raise NotImplementedError(f"{type(self).__name__} has no rollout_async method")

    def training_rollout(
        self, task: T, resources: NamedResources, rollout: Rollout
    ) -> RolloutRawResult:
        """Do the task to learn from it; here, as `rollout` does."""
        return self.rollout(task, resources, rollout)

    def validation_rollout(
        self, task: T, resources: NamedResources, rollout: Rollout
    ) -> RolloutRawResult:
        """Do the task to see how well it goes; here, as `rollout` does."""
        return self.rollout(task, resources, rollout)

    async def training_rollout_async(
        self, task: T, resources: NamedResources, rollout: Rollout
    ) -> RolloutRawResult:
        """Do the task to learn from it; here, as `rollout_async` does."""
        return await self.rollout_async(task, resources, rollout)

    async def validation_rollout_async(
        self, task: T, resources: NamedResources, rollout: Rollout
    ) -> RolloutRawResult:
        """Do the task to see how well it goes; here, as `rollout_async` does."""
        return await self.rollout_async(task, resources, rollout)


def _referred(what: str, reference: weakref.ReferenceType[Any] | None) -> Any:
    if reference is None:
        raise ValueError(f"this agent has no {what}: nobody called set_{what}() on it")
    found = reference()
    if found is None:
        raise ValueError(f"the {what} of this agent is gone: keep a reference to it")
    return found
