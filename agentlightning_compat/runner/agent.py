"""The runner of agents."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from agentlightning_compat.errors import InternalError, InvalidRequestError
from agentlightning_compat.litagent.calls import warn_of_legacy
from agentlightning_compat.model import NamedResources, Rollout, RolloutMode
from agentlightning_compat.runner.attempt import AttemptRun, Bench
from agentlightning_compat.runner.base import Runner, StopEvent, T_task
from agentlightning_compat.runner.heartbeat import MODES, Heartbeat, Mode
from agentlightning_compat.runner.hooks import HookCalls
from agentlightning_compat.runner.patience import Patience
from agentlightning_compat.runner.shift import Claims, Shift
from agentlightning_compat.runner.tally import Tally
from agentlightning_compat.runner.threads import AgentThreads

if TYPE_CHECKING:
    from agentlightning_compat.litagent.agent import LitAgent
    from agentlightning_compat.store.base import LightningStore

_log = logging.getLogger(__name__)


class LitAgentRunner(Runner[T_task]):
    """Claims rollouts from a store, has an agent do them, and reports what came of each.

    Args:
        tracer: what turns the agent's doings into spans.
        max_rollouts: after how many rollouts `iter` ends; None is never.
        poll_interval: seconds between two looks into an empty queue. Stores of this package wake
            a waiting runner, others are asked at this interval.
        heartbeat_interval: seconds between two heartbeats; 0 or less is none.
        interval_jitter: seconds by which both intervals vary.
        heartbeat_launch_mode: `thread` beats however busy the event loop is; `asyncio` in it.
        heartbeat_include_gpu: whether heartbeats tell of GPUs.
        concurrency: how many rollouts run at once.
        hook_timeout: seconds that one call of a hook may take; None is without bound.

    An async agent runs in the event loop, which it must not block. A sync one runs in a thread,
    one for each rollout at a time. An agent whose rollout has `timeout_seconds` is cancelled
    when they are over, and the attempt reported as timed out; a thread cannot be cancelled, and
    is left behind. An attempt that failed says why under `failure` in its metadata.

    Raises:
        ValueError: an argument makes no sense.
    """

    # How long the store is asked again when it is away.
    _patience: Callable[[], Patience] = Patience

    def __init__(  # noqa: PLR0913, PLR0917, the public signature
        self,
        tracer: Any,
        max_rollouts: int | None = None,
        poll_interval: float = 5.0,
        heartbeat_interval: float = 10.0,
        interval_jitter: float = 0.5,
        heartbeat_launch_mode: Mode = "thread",
        heartbeat_include_gpu: bool = False,
        *,
        concurrency: int = 1,
        hook_timeout: float | None = 300.0,
    ) -> None:
        super().__init__()
        if heartbeat_launch_mode not in MODES:
            raise InvalidRequestError(
                f"heartbeat_launch_mode {heartbeat_launch_mode!r} is none of {', '.join(MODES)}"
            )
        if concurrency < 1:
            raise InvalidRequestError(f"concurrency is at least 1, not {concurrency}")
        self._tracer = tracer
        self._max_rollouts = max_rollouts
        self._poll_interval = poll_interval
        self._interval_jitter = interval_jitter
        self._heartbeat_options: dict[str, Any] = {
            "interval": heartbeat_interval,
            "jitter": interval_jitter,
            "mode": heartbeat_launch_mode,
            "include_gpu": heartbeat_include_gpu,
        }
        self._concurrency = concurrency
        self._hook_timeout = hook_timeout
        self._agent: LitAgent[T_task] | None = None
        self._hooks: Sequence[Any] = []
        self._store: LightningStore | None = None
        self._heartbeat: Heartbeat | None = None
        self._threads: AgentThreads | None = None
        self._dropped: weakref.finalize[..., Any] | None = None
        self._shifts: set[Shift] = set()
        self.tally = Tally()

    def init(
        self, agent: LitAgent[T_task], *, hooks: Sequence[Any] | None = None, **kwargs: Any
    ) -> None:
        """Take the agent and the hooks, and initialise the tracer."""
        warn_of_legacy(agent)
        self._agent = agent
        agent.set_runner(self)
        self._hooks = [*(hooks or ())]
        self._tracer.init()

    def init_worker(self, worker_id: int, store: LightningStore, **kwargs: Any) -> None:
        """Take the store, and begin to beat: the worker is `Worker-` and its number there."""
        self._release()
        self._store = store
        self.worker_id = worker_id
        self._tracer.init_worker(worker_id, store)
        name = self.get_worker_id()
        self._threads = AgentThreads(name)
        self._heartbeat = Heartbeat(store, name, **self._heartbeat_options)
        # A runner that is dropped without a teardown beats no more.
        self._dropped = weakref.finalize(self, _let_go, self._heartbeat, self._threads, None)
        self._heartbeat.start()

    def teardown_worker(self, worker_id: int, *args: Any, **kwargs: Any) -> None:
        """Stop beating, and tear down the tracer's part in this worker."""
        self._release()
        self.worker_id = None
        self._tracer.teardown_worker(worker_id)

    def teardown(self, *args: Any, **kwargs: Any) -> None:
        """Let go of everything, and tear down the tracer."""
        self._release()
        self._agent = None
        self._store = None
        self.worker_id = None
        self._hooks = []
        self._tracer.teardown()

    @property
    def tracer(self) -> Any:
        """The tracer."""
        return self._tracer

    def get_agent(self) -> LitAgent[T_task]:
        """The agent.

        Raises:
            ValueError: there is none yet.
        """
        if self._agent is None:
            raise ValueError("the runner has no agent: call init(agent=...) first")
        return self._agent

    def get_store(self) -> LightningStore:
        """The store.

        Raises:
            ValueError: there is none yet.
        """
        if self._store is None:
            raise ValueError("the runner has no store: call init_worker(...) first")
        return self._store

    def get_worker_id(self) -> str:
        """The name of the worker in the store."""
        return "Worker-Unknown" if self.worker_id is None else f"Worker-{self.worker_id}"

    def stop(self) -> None:
        """End `iter`: what is in hand is finished and reported. Called again: what is in hand is
        cancelled and reported as failed. From any thread."""
        for shift in list(self._shifts):
            shift.stop()

    async def iter(self, *, event: StopEvent | None = None) -> None:
        """Claim and run rollouts: until `event` is set, `stop` is called, or there were
        `max_rollouts`. What an agent raises ends its attempt only.

        What is in hand when this is cancelled is cancelled too and reported as failed. An agent
        that raises KeyboardInterrupt ends it in the same way.

        Raises:
            ValueError: the runner was not initialised.
            InternalError: the heartbeat died, so that nobody would know that this worker lives.
            Exception: the store's, when it cannot be claimed from and will not come back.
        """
        bench = self._bench()
        name = self.get_worker_id()
        claims = Claims(bench.store, name, self._poll_interval, self._interval_jitter)
        shift = Shift(
            bench,
            claims,
            concurrency=self._concurrency,
            limit=self._max_rollouts,
            event=event,
            healthy=self._check_heartbeat,
        )
        self._shifts.add(shift)
        _log.info("%s begins, for %s rollouts", name, self._max_rollouts or "any number of")
        try:
            await shift.work()
        finally:
            self._shifts.discard(shift)
            _log.info("%s ends: %s", name, self.tally)

    async def step(
        self,
        input: T_task,
        *,
        resources: NamedResources | None = None,
        mode: RolloutMode | None = None,
        event: StopEvent | None = None,
    ) -> Rollout:
        """Run one rollout that never enters the queue, and return it as the store has it.

        `resources` are stored for it; without them it gets the latest. `event` is not looked at.

        Raises:
            ValueError: the runner was not initialised.
            BaseException: whatever the agent raised; the attempt is reported as failed then.
        """
        bench = self._bench()
        stored = None if resources is None else await bench.store.add_resources(resources)
        rollout = await bench.store.start_rollout(
            input=input,
            mode=mode,
            resources_id=None if stored is None else stored.resources_id,
            worker_id=self.get_worker_id(),
        )
        outcome = await AttemptRun(bench, rollout).run()
        error = outcome.interrupt or outcome.error
        if error is not None:
            raise error
        found = await bench.store.get_rollout_by_id(rollout.rollout_id)
        if found is None:
            raise RuntimeError(f"{rollout.rollout_id} is not in the store any more")
        return found

    def _bench(self) -> Bench:
        agent, store = self.get_agent(), self.get_store()
        if self._heartbeat is not None:
            self._heartbeat.ensure()
        if self._threads is None:
            self._threads = AgentThreads(self.get_worker_id())
        hooks = HookCalls(lambda: self._hooks, self._hook_timeout)
        threads, patience = self._threads, self._patience()
        return Bench(self, agent, store, self._tracer, hooks, threads, self.tally, patience)

    def _check_heartbeat(self) -> None:
        failure = None if self._heartbeat is None else self._heartbeat.failure()
        if failure is not None:
            raise InternalError(
                f"{self.get_worker_id()} claims no more: its heartbeat ended: {failure!r}"
            ) from failure

    def _release(self) -> None:
        if self._dropped is not None:
            self._dropped.detach()
        _let_go(self._heartbeat, self._threads, 5.0)
        self._heartbeat = self._threads = self._dropped = None


def _let_go(
    heartbeat: Heartbeat | None, threads: AgentThreads | None, timeout: float | None
) -> None:
    if heartbeat is not None:
        heartbeat.stop(timeout)
    if threads is not None:
        threads.close()
