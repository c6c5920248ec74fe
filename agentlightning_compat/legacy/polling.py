"""Waits for work, as `poll_next_task` did."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from agentlightning_compat.legacy.sync import wait


async def poll_rollout_async(
    store: Any,
    *,
    worker_id: str | None = "Worker-0",
    poll_interval: float = 5.0,
    timeout: float | None = None,
) -> Any | None:
    """Wait until a rollout can be claimed from `store` and claim it.

    The rollout is marked as running, because nothing else would do so before its result is
    reported: only spans that arrive earlier move it out of `preparing`.

    Args:
        store: any 0.3 store, or a client of one.
        worker_id: the worker under whose name the rollout is claimed.
        poll_interval: seconds between two looks into the queue.
        timeout: seconds after which to give up; `None` waits for ever, 0 looks once.

    Returns:
        The `AttemptedRollout`, or `None` when the time is over.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        claimed = await store.dequeue_rollout(worker_id=worker_id)
        if claimed is not None:
            return await _started(store, claimed)
        pause = poll_interval
        if deadline is not None:
            pause = min(pause, deadline - time.monotonic())
            if pause <= 0:
                return None
        await asyncio.sleep(pause)


def poll_rollout(
    store: Any,
    *,
    worker_id: str | None = "Worker-0",
    poll_interval: float = 5.0,
    timeout: float | None = None,
) -> Any | None:
    """Do what `poll_rollout_async` does, from code that is not async."""
    return wait(
        poll_rollout_async(store, worker_id=worker_id, poll_interval=poll_interval, timeout=timeout)
    )


async def _started(store: Any, claimed: Any) -> Any:
    attempt = await store.update_attempt(
        claimed.rollout_id, claimed.attempt.attempt_id, status="running"
    )
    # A store in memory goes on changing the attempt that it returned.
    return claimed.model_copy(update={"status": "running", "attempt": attempt.model_copy()})
