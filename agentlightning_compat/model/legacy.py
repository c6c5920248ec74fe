"""The values of the legacy protocol: tasks that are polled for, results that are posted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from agentlightning_compat.model.rollouts import RolloutMode, TaskInput

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan


class Triplet(BaseModel):
    """One call of a model: what went in, what came out, what it was worth."""

    prompt: Any
    response: Any
    reward: float | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class Task(BaseModel):
    """A task as a legacy server hands it out. Times in seconds since 1970."""

    rollout_id: str
    input: TaskInput
    mode: RolloutMode | None = None
    resources_id: str | None = None
    create_time: float | None = None
    last_claim_time: float | None = None
    num_claims: int | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class TaskIfAny(BaseModel):
    """The answer to a poll."""

    is_available: bool
    task: Task | None = None


class RolloutLegacy(BaseModel):
    """The result of a task as a legacy client posts it."""

    rollout_id: str
    task: Task | None = None
    final_reward: float | None = None
    triplets: list[Triplet] | None = None
    trace: list[dict[str, Any]] | None = None
    logs: list[str] | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class GenericResponse(BaseModel):
    """What a legacy server answers to a post."""

    status: str = "success"
    message: str | None = None
    data: dict[str, Any] | None = None


RolloutRawResultLegacy = (
    float | list[Triplet] | list[dict[str, Any]] | list["ReadableSpan"] | RolloutLegacy | None
)
