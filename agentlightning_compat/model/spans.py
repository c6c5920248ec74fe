"""Spans as the store keeps them, and the few fields that tracers work with."""

from __future__ import annotations

import time
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, Union, runtime_checkable

from pydantic import BaseModel, ConfigDict

from agentlightning_compat.model import ids
from agentlightning_compat.model.otel import (
    Attributes,
    Event,
    Link,
    OtelResource,
    SpanContext,
    StatusCode,
    TraceStatus,
    attributes_of,
    seconds,
)

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from typing_extensions import Self


class SpanNames(str, Enum):
    """Names of spans, and of the attributes that tie a span to an attempt."""

    REWARD = "agentlightning.reward"
    MESSAGE = "agentlightning.message"
    OBJECT = "agentlightning.object"
    EXCEPTION = "agentlightning.exception"
    VIRTUAL = "agentlightning.virtual"
    ROLLOUT_ID = "agentlightning.rollout_id"
    ATTEMPT_ID = "agentlightning.attempt_id"
    SPAN_SEQUENCE_ID = "agentlightning.span_sequence_id"


class SpanAttributeNames(str, Enum):
    """Attribute names that 0.2's emitters used."""

    MESSAGE = "message"
    OBJECT = "object"


class SpanCoreFields(BaseModel):
    """A span before it belongs to an attempt. Times in seconds since 1970."""

    name: str
    status: TraceStatus
    attributes: Attributes
    start_time: float | None
    end_time: float | None


@runtime_checkable
class SpanRecordingContext(Protocol):
    """What an open operation offers to the code inside it."""

    def record_exception(self, exception: BaseException) -> None: ...

    def record_attributes(self, attributes: Attributes) -> None: ...

    def record_status(self, status_code: StatusCode, description: str | None = None) -> None: ...

    def get_recorded_span(self) -> SpanCoreFields: ...


class Span(BaseModel):
    """A span of an attempt; further fields are kept as they come. Times in seconds."""

    model_config = ConfigDict(extra="allow")

    rollout_id: str
    attempt_id: str
    sequence_id: int
    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    status: TraceStatus
    attributes: Attributes
    events: list[Event]
    links: list[Link]
    start_time: float | None
    end_time: float | None
    context: SpanContext | None
    parent: SpanContext | None
    resource: OtelResource

    @classmethod
    def from_opentelemetry(
        cls, src: ReadableSpan, rollout_id: str, attempt_id: str, sequence_id: int
    ) -> Self:
        """Read a span of the OpenTelemetry SDK.

        Raises:
            ValueError: the span has no context, so it has no ids.
        """
        here: Any = src.get_span_context()
        if here is None:
            raise ValueError(f"span {src.name!r} has no context")
        context = SpanContext.from_opentelemetry(here)
        parent = SpanContext.from_opentelemetry(src.parent) if src.parent else None
        return cls(
            rollout_id=rollout_id,
            attempt_id=attempt_id,
            sequence_id=sequence_id,
            trace_id=context.trace_id,
            span_id=context.span_id,
            parent_id=parent.span_id if parent else None,
            name=src.name,
            status=TraceStatus.from_opentelemetry(src.status),
            attributes=attributes_of(src),
            events=[Event.from_opentelemetry(event) for event in src.events],
            links=[Link.from_opentelemetry(link) for link in src.links],
            start_time=seconds(src.start_time),
            end_time=seconds(src.end_time),
            context=context,
            parent=parent,
            resource=OtelResource.from_opentelemetry(src.resource),
            **_kept(src),
        )

    @classmethod
    def from_attributes(  # noqa: PLR0913, the public signature
        cls,
        *,
        attributes: Attributes,
        rollout_id: str | None = None,
        attempt_id: str | None = None,
        sequence_id: int | None = None,
        name: str | None = None,
        trace_id: str | None = None,
        span_id: str | None = None,
        parent_id: str | None = None,
        start_time: float | None = None,
        end_time: float | None = None,
        resource: OtelResource | None = None,
        status: TraceStatus | None = None,
    ) -> Self:
        """A span of which little more than the attributes is known; ids are made up.

        Without a `name` it is `agentlightning.virtual`, without a `status` it is OK.
        """
        trace_id = trace_id or ids.trace_id()
        span_id = span_id or ids.span_id()
        return cls(
            rollout_id=rollout_id or "",
            attempt_id=attempt_id or "",
            sequence_id=sequence_id or 0,
            trace_id=trace_id,
            span_id=span_id,
            parent_id=parent_id,
            name=name or SpanNames.VIRTUAL.value,
            status=status or TraceStatus(status_code="OK"),
            attributes=attributes,
            events=[],
            links=[],
            start_time=start_time,
            end_time=end_time,
            context=_local(trace_id, span_id),
            parent=_local(trace_id, parent_id) if parent_id else None,
            resource=resource or OtelResource(attributes={}, schema_url=""),
        )

    @classmethod
    def from_core_fields(
        cls,
        core: SpanCoreFields,
        *,
        rollout_id: str | None = None,
        attempt_id: str | None = None,
        sequence_id: int | None = None,
    ) -> Self:
        """Give the fields an attempt to belong to; a missing start time becomes now."""
        return cls.from_attributes(
            attributes=core.attributes,
            rollout_id=rollout_id,
            attempt_id=attempt_id,
            sequence_id=sequence_id,
            name=core.name,
            start_time=core.start_time or time.time(),
            end_time=core.end_time,
            status=core.status,
        )


def _local(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(trace_id=trace_id, span_id=span_id, is_remote=False, trace_state={})


def _kept(src: ReadableSpan) -> dict[str, str]:
    # 0.3.0 keeps the text of every private attribute of the SDK's object, locks included.
    # These two say something about the span.
    scope: Any = getattr(src, "instrumentation_scope", None)
    kept = {"kind": str(src.kind)}
    return kept if scope is None else {**kept, "instrumentation_scope": str(scope)}


SpanLike = Union["ReadableSpan", Span]
RolloutRawResult = float | list["ReadableSpan"] | list[Span] | list[SpanCoreFields] | None
