"""What the state machine works on: plain values that are never changed, only replaced.

They carry the fields of the models of the same name. Building one costs a tenth of building a
model, so stores keep these and make models only for their callers.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class ConfigRecord(NamedTuple):
    """When an attempt counts as lost, and how often the rollout is tried. Times in seconds."""

    timeout_seconds: float | None = None
    unresponsive_seconds: float | None = None
    max_attempts: int = 1
    retry_condition: tuple[str, ...] = ()


NO_LIMITS = ConfigRecord()


class RolloutRecord(NamedTuple):
    """A rollout. It is in the queue exactly while its status is queuing or requeuing.

    `attempts` is how many attempts it has had, which is the sequence id of the latest one.
    `check_at` is a time before which its latest attempt cannot be lost; None when it cannot be
    lost at all.
    """

    rollout_id: str
    input: Any
    start_time: float
    end_time: float | None = None
    mode: str | None = None
    resources_id: str | None = None
    status: str = "queuing"
    config: ConfigRecord = NO_LIMITS
    metadata: dict[str, Any] | None = None
    attempts: int = 0
    check_at: float | None = None


class AttemptRecord(NamedTuple):
    """An attempt; `sequence_id` counts from 1 within its rollout."""

    rollout_id: str
    attempt_id: str
    sequence_id: int
    start_time: float
    end_time: float | None = None
    status: str = "preparing"
    worker_id: str | None = None
    last_heartbeat_time: float | None = None
    metadata: dict[str, Any] | None = None


class WorkerRecord(NamedTuple):
    """A worker, as it was last heard of."""

    worker_id: str
    status: str = "unknown"
    heartbeat_stats: dict[str, Any] | None = None
    last_heartbeat_time: float | None = None
    last_dequeue_time: float | None = None
    last_busy_time: float | None = None
    last_idle_time: float | None = None
    current_rollout_id: str | None = None
    current_attempt_id: str | None = None


class Pair(NamedTuple):
    """A rollout and one of its attempts, before or after an event."""

    rollout: RolloutRecord
    attempt: AttemptRecord
