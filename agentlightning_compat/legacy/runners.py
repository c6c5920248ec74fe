"""Runners put together by hand, as `AgentRunner` and `LegacyAgentRunner` were."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from agentlightning_compat.legacy import target


def make_runner(  # noqa: PLR0913
    agent: Any,
    store: Any,
    tracer: Any,
    *,
    worker_id: int | None = 0,
    max_rollouts: int | None = None,
    poll_interval: float = 5.0,
    hooks: Sequence[Any] | None = None,
) -> Any:
    """Return a `LitAgentRunner` for `agent` that takes its work from `store`.

    For a construction that stands inside an expression; elsewhere write the three statements:
    `LitAgentRunner(...)`, `init(agent=...)`, `init_worker(worker_id=..., store=...)`. As there,
    the tracer is initialised by it.

    Args:
        agent: the agent to run.
        store: any 0.3 store, or a client of one.
        tracer: the tracer of the runner.
        worker_id: the number of the worker; `None` counts as 0.
        max_rollouts: after how many rollouts `iter` ends; `None` is never.
        poll_interval: seconds between two looks into an empty queue.
        hooks: the hooks of the runner.
    """
    made = target.api("LitAgentRunner", store, tracer)(
        tracer=tracer, max_rollouts=max_rollouts, poll_interval=poll_interval
    )
    made.init(agent=agent, hooks=hooks)
    made.init_worker(worker_id=0 if worker_id is None else worker_id, store=store)
    return made


async def run_rollouts(runner: Any, limit: int | None = None) -> int:
    """Run a `LitAgentRunner` and return how many rollouts it ran, as the legacy `iter` did.

    Args:
        runner: a runner with its agent and store.
        limit: end after that many rollouts, 1 for the legacy `run`; `None` leaves the end to the
            runner's `max_rollouts`. A rollout without resources is not counted.
    """
    counter = _Counter(limit)
    hooks = runner._hooks
    runner._hooks = [*hooks, counter]
    try:
        await runner.iter(event=None if limit is None else counter.enough)
    finally:
        runner._hooks = hooks
    return counter.count


class _Counter:
    """A hook that counts rollouts and says when there were enough."""

    def __init__(self, limit: int | None) -> None:
        self.count = 0
        self.enough = threading.Event()
        self._limit = limit

    async def on_rollout_start(self, **_: Any) -> None:
        self.count += 1
        if self._limit is not None and self.count >= self._limit:
            self.enough.set()

    async def on_trace_start(self, **_: Any) -> None:
        """Do nothing."""

    async def on_trace_end(self, **_: Any) -> None:
        """Do nothing."""

    async def on_rollout_end(self, **_: Any) -> None:
        """Do nothing."""
