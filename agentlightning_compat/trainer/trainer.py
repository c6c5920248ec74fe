"""The trainer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from agentlightning_compat.adapter.base import TraceAdapter
from agentlightning_compat.algorithm.base import Algorithm
from agentlightning_compat.algorithm.fast import Baseline, FastAlgorithm
from agentlightning_compat.errors import InvalidRequestError
from agentlightning_compat.execution.base import ExecutionStrategy
from agentlightning_compat.model import Dataset, NamedResources
from agentlightning_compat.model.unset import UNSET, Unset
from agentlightning_compat.runner.base import Runner
from agentlightning_compat.store.base import LightningStore
from agentlightning_compat.tracer.base import Tracer
from agentlightning_compat.trainer import choices, deprecated
from agentlightning_compat.trainer.choices import ComponentSpec
from agentlightning_compat.trainer.legacy import TrainerLegacy, is_backend
from agentlightning_compat.trainer.parts import AlgorithmPart, RunnerPart, Runners

if TYPE_CHECKING:
    from agentlightning_compat.litagent.agent import LitAgent

T = TypeVar("T")


class Trainer(TrainerLegacy):
    """Puts an algorithm, runners and a store together, and runs them until the algorithm is done.

    A component is given as an instance, a class, a function that makes it, the path of a class,
    an alias, a dictionary of a path (`type`) and arguments, or None for the default.

    Args:
        dev: deprecated; see `dev`.
        n_runners: how many runners; 1, or what the strategy says.
        max_rollouts: after how many rollouts each runner ends; None is never.
        initial_resources: what the algorithm begins with.
        tracer: by default AgentOps', OpenTelemetry's or a plain one, whichever is installed.
        adapter: makes data of spans; `TracerTraceToTriplet`.
        store: `InMemoryLightningStore`.
        runner: `LitAgentRunner`. Where several share a process, each worker has one of its own.
        strategy: `"cs"`, `ClientServerExecutionStrategy`; or `"shm"`, everything as threads.
        port: of the server of a client-server strategy.
        algorithm: without one, `fit` runs what is in the store or comes there.
        llm_proxy: what LLM calls go through: an object with `start`, `stop`, `is_running` and
            `set_store`.
        n_workers, max_tasks, triplet_exporter: old names of `n_runners`, `max_rollouts` and
            `adapter`.
        daemon: has no effect.
        hooks: one hook, or several.

    Raises:
        ValueError, TypeError, ImportError: a component cannot be made.
    """

    def __init__(  # noqa: PLR0913, the public signature
        self,
        *,
        dev: bool = False,
        n_runners: int | None = None,
        max_rollouts: int | None = None,
        initial_resources: NamedResources | None = None,
        tracer: ComponentSpec[Tracer] = None,
        adapter: ComponentSpec[TraceAdapter[Any]] = None,
        store: ComponentSpec[LightningStore] = None,
        runner: ComponentSpec[Runner[Any]] = None,
        strategy: ComponentSpec[ExecutionStrategy] = None,
        port: int | None = None,
        algorithm: ComponentSpec[Algorithm] = None,
        llm_proxy: ComponentSpec[Any] = None,
        n_workers: int | None = None,
        max_tasks: int | None = None,
        daemon: bool = True,
        triplet_exporter: ComponentSpec[TraceAdapter[Any]] = None,
        hooks: Any | Sequence[Any] | None = None,
    ) -> None:
        super().__init__()
        if dev:
            deprecated.dev_flag()
        self._dev = dev
        if not daemon:
            deprecated.no_effect("daemon", "only fit_v0() lets processes outlive it")
        self.daemon = daemon
        self.initial_resources = initial_resources
        self.port = port
        self.hooks: Sequence[Any] = _listed(hooks)
        self.max_rollouts = deprecated.renamed("max_tasks", max_tasks, "max_rollouts", max_rollouts)
        self.max_tasks = self.max_rollouts
        asked = deprecated.renamed("n_workers", n_workers, "n_runners", n_runners)
        self.tracer = choices.tracer(tracer)
        self.adapter = choices.adapter(
            deprecated.renamed("triplet_exporter", triplet_exporter, "adapter", adapter)
        )
        self.triplet_exporter = self.adapter
        self.algorithm = choices.algorithm(algorithm)
        self.strategy = choices.strategy(strategy, asked, port)
        self.n_runners = self.n_workers = choices.runner_count(self.strategy, asked)
        self.store = choices.store(store, self.strategy)
        make = choices.runner_maker(runner, self.tracer, self.max_rollouts)
        self.runner: Runner[Any] = make()
        self._make_runner = None if isinstance(runner, Runner) else make
        self.llm_proxy = choices.llm_proxy(llm_proxy, self.store)

    def fit(
        self,
        agent: LitAgent[T],
        train_dataset: Dataset[T] | None = None,
        *,
        val_dataset: Dataset[T] | None = None,
        train_data: Dataset[T] | Unset | None = UNSET,
        val_data: Dataset[T] | Unset | None = UNSET,
    ) -> None:
        """Run the algorithm, and the runners with the agent, until the algorithm is done.

        Without an algorithm, until the runners are done (after `max_rollouts`). Ctrl-C ends it in
        order and returns. `train_data` and `val_data` are other names of the datasets. The URL or
        the client of a legacy server in place of a dataset is deprecated: it is `fit_v0`.

        Raises:
            BaseException: what the algorithm or a runner raised. What an agent raises fails its
                rollout only.
            ValueError: a dataset is given twice.
        """
        if is_backend(train_dataset):
            deprecated.warn("Trainer.fit() with a legacy server is deprecated: call fit_v0()")
            self.fit_v0(agent, train_dataset)
            return
        datasets = (
            _one("train_dataset", train_dataset, "train_data", train_data),
            _one("val_dataset", val_dataset, "val_data", val_data),
        )
        self._execute(agent, self.algorithm, datasets)

    def dev(
        self,
        agent: LitAgent[T],
        train_dataset: Dataset[T] | None = None,
        *,
        val_dataset: Dataset[T] | None = None,
        train_data: Dataset[T] | Unset | None = UNSET,
        val_data: Dataset[T] | Unset | None = UNSET,
    ) -> None:
        """As `fit`, with an algorithm that ends soon: `Baseline`, if the trainer has none.

        Raises:
            TypeError: the trainer's algorithm is no `FastAlgorithm`.
            BaseException: as `fit`.
        """
        algorithm = Baseline() if self.algorithm is None else self.algorithm
        if not isinstance(algorithm, FastAlgorithm):
            raise TypeError(
                "Trainer.dev() takes an algorithm that inherits from FastAlgorithm, not"
                f" {type(algorithm).__name__}"
            )
        datasets = (
            _one("train_dataset", train_dataset, "train_data", train_data),
            _one("val_dataset", val_dataset, "val_data", val_data),
        )
        self._execute(agent, algorithm, datasets)

    def _execute(
        self,
        agent: Any,
        algorithm: Algorithm | None,
        datasets: tuple[Dataset[Any] | None, Dataset[Any] | None],
    ) -> None:
        for dataset in datasets:
            if isinstance(dataset, str):
                raise InvalidRequestError(
                    f"{dataset!r} is no dataset. For tasks of a legacy server call fit_v0(agent,"
                    " url); runners for a store server that runs elsewhere have its address in"
                    " Trainer(strategy=agentlightning_compat.legacy.runner_strategy(url))"
                )
        agent.set_trainer(self)
        algorithm_part = AlgorithmPart(
            algorithm,
            datasets,
            self._set_up(algorithm),
            # What nobody runs, Baseline need not wait for.
            ends_with_runners=algorithm is None or isinstance(algorithm, Baseline),
        )
        runners = Runners(self.runner, self._make_runner)
        runner_part = RunnerPart(runners, agent, self.hooks)
        self.strategy.execute(algorithm_part, runner_part, self.store)

    def _set_up(self, algorithm: Algorithm | None) -> Callable[[LightningStore], None]:
        def set_up(store: LightningStore) -> None:
            if algorithm is None:
                return
            algorithm.set_trainer(self)
            algorithm.set_store(store)
            algorithm.set_adapter(self.adapter)
            if self.initial_resources is not None:
                algorithm.set_initial_resources(self.initial_resources)
            if self.llm_proxy is not None:
                self.llm_proxy.set_store(store)
                algorithm.set_llm_proxy(self.llm_proxy)

        return set_up


def _listed(hooks: Any) -> Sequence[Any]:
    # A hook is any object with some of the methods; what can be gone through is several.
    if hooks is None:
        return ()
    return tuple(hooks) if hasattr(hooks, "__iter__") else (hooks,)


def _one(name: str, value: Any, other: str, other_value: Any) -> Any:
    if isinstance(other_value, Unset):
        return value
    if value is not None:
        raise InvalidRequestError(f"{name} and {other} are the same: give one of them")
    return other_value
