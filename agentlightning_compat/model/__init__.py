"""The values that cross a store's boundary.

Field names, defaults and JSON are those of agentlightning 0.3.0: what one side dumps, the other
loads.
"""

from __future__ import annotations

from agentlightning_compat.model.hooks import Dataset, Hook, ParallelWorkerBase
from agentlightning_compat.model.legacy import (
    GenericResponse,
    RolloutLegacy,
    RolloutRawResultLegacy,
    Task,
    TaskIfAny,
    Triplet,
)
from agentlightning_compat.model.otel import (
    Attributes,
    AttributeValue,
    Event,
    Link,
    OtelResource,
    SpanContext,
    StatusCode,
    TraceState,
    TraceStatus,
)
from agentlightning_compat.model.pages import (
    FilterField,
    FilterOptions,
    PaginatedResult,
    SortOptions,
)
from agentlightning_compat.model.resources import (
    LLM,
    NamedResources,
    PromptTemplate,
    ProxyLLM,
    Resource,
    ResourcesUpdate,
    ResourceUnion,
)
from agentlightning_compat.model.rollouts import (
    Attempt,
    AttemptedRollout,
    AttemptStatus,
    EnqueueRolloutRequest,
    Rollout,
    RolloutConfig,
    RolloutMode,
    RolloutStatus,
    TaskInput,
)
from agentlightning_compat.model.spans import (
    RolloutRawResult,
    Span,
    SpanAttributeNames,
    SpanCoreFields,
    SpanLike,
    SpanNames,
    SpanRecordingContext,
)
from agentlightning_compat.model.unset import UNSET, Unset
from agentlightning_compat.model.workers import Worker, WorkerStatus

__all__ = [
    "LLM",
    "UNSET",
    "Attempt",
    "AttemptStatus",
    "AttemptedRollout",
    "AttributeValue",
    "Attributes",
    "Dataset",
    "EnqueueRolloutRequest",
    "Event",
    "FilterField",
    "FilterOptions",
    "GenericResponse",
    "Hook",
    "Link",
    "NamedResources",
    "OtelResource",
    "PaginatedResult",
    "ParallelWorkerBase",
    "PromptTemplate",
    "ProxyLLM",
    "Resource",
    "ResourceUnion",
    "ResourcesUpdate",
    "Rollout",
    "RolloutConfig",
    "RolloutLegacy",
    "RolloutMode",
    "RolloutRawResult",
    "RolloutRawResultLegacy",
    "RolloutStatus",
    "SortOptions",
    "Span",
    "SpanAttributeNames",
    "SpanContext",
    "SpanCoreFields",
    "SpanLike",
    "SpanNames",
    "SpanRecordingContext",
    "StatusCode",
    "Task",
    "TaskIfAny",
    "TaskInput",
    "TraceState",
    "TraceStatus",
    "Triplet",
    "Unset",
    "Worker",
    "WorkerStatus",
]
