"""Workers, as the store sees them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

WorkerStatus = Literal["idle", "busy", "unknown"]
WORKER_STATUSES = frozenset({"idle", "busy", "unknown"})


class Worker(BaseModel):
    """Who claims rollouts: what it works on and when it was last heard. Times in seconds."""

    worker_id: str
    status: WorkerStatus = "unknown"
    heartbeat_stats: dict[str, Any] | None = None
    last_heartbeat_time: float | None = None
    last_dequeue_time: float | None = None
    last_busy_time: float | None = None
    last_idle_time: float | None = None
    current_rollout_id: str | None = None
    current_attempt_id: str | None = None
