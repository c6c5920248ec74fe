"""`LegacyAgentRunner`: the legacy runner's interface over `LitAgentRunner` and a legacy server."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentlightning_compat import usage
from agentlightning_compat.legacy.caller_thread import CallerThread, run_here
from agentlightning_compat.legacy.client_store import LegacyClientStore
from agentlightning_compat.legacy.raw_results import to_report
from agentlightning_compat.legacy.reports import failed_report
from agentlightning_compat.legacy.tracing import adapt_tracer
from agentlightning_compat.model import (
    AttemptedRollout,
    ParallelWorkerBase,
    RolloutLegacy,
    Task,
)
from agentlightning_compat.runner.agent import LitAgentRunner
from agentlightning_compat.runner.attempt import Bench
from agentlightning_compat.runner.results import Result, Results

if TYPE_CHECKING:
    from agentlightning_compat.litagent.agent import LitAgent

_log = logging.getLogger(__name__)


class LegacyAgentRunner(ParallelWorkerBase):
    """Polls a legacy server for tasks, has an agent do them, and posts what came of each.

    It has no loop of its own: it is `LitAgentRunner` over `LegacyClientStore`. The tracer is set
    up and torn down by whoever made it, as before; one written for 0.1 works, too. The agent's
    own `on_rollout_start` and `on_rollout_end` are called. `run` and `iter` run a sync agent in
    the calling thread.

    `worker_id` is a number, `max_tasks` after how many tasks `iter` ends (None: never).
    `concurrency`: how many tasks of an async agent are worked on at once. `spool`: see
    `LegacyClientStore`.
    """

    def __init__(  # noqa: PLR0913, the legacy signature
        self,
        agent: LitAgent[Any],
        client: Any,
        tracer: Any,
        triplet_exporter: Any,
        worker_id: int | None = None,
        max_tasks: int | None = None,
        *,
        concurrency: int = 1,
        spool: str | Path | None = None,
    ) -> None:
        usage.note(
            "agentlightning.runner.legacy.LegacyAgentRunner", "LitAgentRunner over a store is it."
        )
        self.agent = agent
        self.client = client
        self.tracer = tracer
        self.triplet_exporter = triplet_exporter
        self.worker_id = worker_id
        self.max_tasks = max_tasks
        self._concurrency = concurrency
        self._spool = spool

    def run(self) -> bool:
        """Wait for one task and do it; whether it was done."""
        return run_here(lambda caller: self._work(1, caller)) > 0

    def iter(self) -> int:
        """Do tasks until there were `max_tasks`; how many there were."""
        return run_here(lambda caller: self._work(self.max_tasks, caller))

    async def run_async(self) -> bool:
        """Wait for one task and do it; whether it was done."""
        return await self._work(1, None) > 0

    async def iter_async(self) -> int:
        """Do tasks until there were `max_tasks`; how many there were."""
        return await self._work(self.max_tasks, None)

    async def _work(self, limit: int | None, caller: CallerThread | None) -> int:
        store = LegacyClientStore(self.client, adapter=self.triplet_exporter, spool=self._spool)
        runner = _TaskRunner(self, store, limit, caller)
        self.agent.set_runner(self)
        try:
            await runner.iter()
        finally:
            runner.let_go()
            await store.close()
        return runner.tally.done

    def _to_rollout_object(self, result: Any, rollout_id: str) -> RolloutLegacy:
        """The report for what the agent returned; subclasses may have rules of their own."""
        traced = self.tracer.get_last_trace() or () if self.tracer else ()
        # A tracer of today opens a span of its own, which says nothing about the agent.
        spans = [span for span in traced if not _is_session(span)]
        return to_report(result, rollout_id, spans, self._triplets)

    def _triplets(self, spans: list[Any]) -> Sequence[Any]:
        export: Callable[[list[Any]], Sequence[Any]] = getattr(
            self.triplet_exporter, "adapt", None
        ) or getattr(self.triplet_exporter, "export", self.triplet_exporter)
        return export(spans)


class _TaskRunner(LitAgentRunner[Any]):
    """The runner below; setting up the tracer is not its business."""

    def __init__(
        self,
        legacy: LegacyAgentRunner,
        store: LegacyClientStore,
        limit: int | None,
        caller: CallerThread | None,
    ) -> None:
        super().__init__(
            _fitting(legacy.tracer, legacy.worker_id or 0, store),
            max_rollouts=limit,
            heartbeat_interval=0,
            concurrency=legacy._concurrency,
        )
        self._legacy = legacy
        self._agent = legacy.agent
        self._store = store
        self._tasks = store
        self._caller = caller
        self.worker_id = legacy.worker_id or 0

    def let_go(self) -> None:
        """Give back the threads."""
        self._release()

    def _bench(self) -> Bench:
        bench = super()._bench()
        if self._caller is not None:
            bench.threads = self._caller  # type: ignore[assignment]
        self._hooks = [_AgentHooks(self._legacy, self._tasks, bench)]
        bench.results = self._results
        return bench

    def _results(self, *where: Any) -> Results:
        return _Reports(self._legacy, self._tasks, *where)


class _Reports(Results):
    """Turns what the agent returned into the report that is posted."""

    def __init__(self, legacy: LegacyAgentRunner, tasks: LegacyClientStore, *where: Any) -> None:
        super().__init__(*where)
        self._legacy = legacy
        self._tasks = tasks

    async def keep(self, returned: Any) -> Result:
        rollout_id, attempt_id = self._key
        report = self._legacy._to_rollout_object(returned, rollout_id)
        self._tasks.set_report(attempt_id, report)
        return Result((), report.final_reward)


class _AgentHooks:
    """Calls the agent's own hooks with what they were called with before."""

    def __init__(self, legacy: LegacyAgentRunner, tasks: LegacyClientStore, bench: Bench) -> None:
        self._legacy = legacy
        self._tasks = tasks
        self._bench = bench

    async def on_rollout_start(self, *, agent: Any, runner: Any, rollout: AttemptedRollout) -> None:
        task = self._task(rollout)
        # What is posted if the agent fails.
        self._tasks.set_report(rollout.attempt.attempt_id, failed_report(task))
        await self._call(agent.on_rollout_start, task)

    async def on_rollout_end(
        self, *, agent: Any, runner: Any, rollout: AttemptedRollout, spans: Any
    ) -> None:
        report = self._tasks.report(rollout.attempt.attempt_id)
        if report is not None:
            await self._call(agent.on_rollout_end, self._task(rollout), report)

    async def _call(self, method: Any, *what: Any) -> None:
        arguments = (*what, self._legacy, self._legacy.tracer)
        if inspect.iscoroutinefunction(method):
            await method(*arguments)
        elif not _is_base(method):
            await self._bench.threads.run(lambda: method(*arguments))

    def _task(self, rollout: AttemptedRollout) -> Task:
        task = self._tasks.task(rollout.rollout_id)
        assert task is not None, "a rollout in hand has its task"
        return task


def _is_session(span: Any) -> bool:
    name = getattr(span, "name", "")
    return name.endswith(".session") and getattr(span, "parent_id", None) is None


def _is_base(method: Any) -> bool:
    return getattr(method, "__module__", "") == "agentlightning_compat.litagent.agent"


def _fitting(tracer: Any, worker_id: int, store: LegacyClientStore) -> Any:
    """The tracer, made fit for the runner: ours is told of the store, one of 0.1 is adapted."""
    context = getattr(type(tracer), "trace_context", None)
    if "rollout_id" in inspect.signature(context).parameters if context else False:
        tracer.init_worker(worker_id, store)
        return tracer
    adapted = adapt_tracer(tracer)
    adapted._trace_store = store
    return adapted
