"""Rollouts, their attempts, and what is asked for when one is queued."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field, model_validator

TaskInput = Any
RolloutMode = Literal["train", "val", "test"]
RolloutStatus = Literal[
    "queuing", "preparing", "running", "failed", "succeeded", "cancelled", "requeuing"
]
AttemptStatus = Literal["preparing", "running", "failed", "succeeded", "unresponsive", "timeout"]

ROLLOUT_MODES = frozenset({"train", "val", "test"})
QUEUING = frozenset({"queuing", "requeuing"})
RUNNING = frozenset({"preparing", "running"})
FINISHED = frozenset({"failed", "succeeded", "cancelled"})
ROLLOUT_STATUSES = QUEUING | RUNNING | FINISHED
ATTEMPT_STATUSES = RUNNING | {"failed", "succeeded", "unresponsive", "timeout"}


class RolloutConfig(BaseModel):
    """When an attempt counts as lost, and how often the rollout is tried. Times in seconds."""

    timeout_seconds: float | None = None
    unresponsive_seconds: float | None = None
    max_attempts: int = Field(default=1, ge=1)
    retry_condition: list[AttemptStatus] = Field(default_factory=list)


class Rollout(BaseModel):
    """One task on its way from the queue to a result. Times in seconds since 1970."""

    rollout_id: str
    input: TaskInput
    start_time: float
    end_time: float | None = None
    mode: RolloutMode | None = None
    resources_id: str | None = None
    status: RolloutStatus = "queuing"
    config: RolloutConfig = Field(default_factory=RolloutConfig)
    metadata: dict[str, Any] | None = None


class Attempt(BaseModel):
    """One try at a rollout; `sequence_id` counts from 1 within the rollout."""

    rollout_id: str
    attempt_id: str
    sequence_id: int
    start_time: float
    end_time: float | None = None
    status: AttemptStatus = "preparing"
    worker_id: str | None = None
    last_heartbeat_time: float | None = None
    metadata: dict[str, Any] | None = None


class AttemptedRollout(Rollout):
    """A rollout together with one of its attempts, usually the latest."""

    attempt: Attempt

    @model_validator(mode="after")
    def _attempt_is_of_this_rollout(self) -> AttemptedRollout:
        if self.attempt.rollout_id != self.rollout_id:
            raise ValueError(
                f"the attempt is of rollout {self.attempt.rollout_id!r}, not {self.rollout_id!r}"
            )
        return self


class EnqueueRolloutRequest(BaseModel):
    """What `enqueue_many_rollouts` is given for each rollout."""

    input: TaskInput
    mode: RolloutMode | None = None
    resources_id: str | None = None
    config: RolloutConfig | None = None
    metadata: dict[str, Any] | None = None
