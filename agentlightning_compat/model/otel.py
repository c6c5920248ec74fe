"""The parts of a span, and how they are read from OpenTelemetry's own objects.

Nothing of OpenTelemetry is imported: its objects are only read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource as OtelSdkResource
    from opentelemetry.sdk.trace import Event as OtelEvent
    from opentelemetry.trace import Link as OtelLink
    from opentelemetry.trace import SpanContext as OtelSpanContext
    from opentelemetry.trace.status import Status as OtelStatus
    from typing_extensions import Self

AttributeValue = (
    str | bool | int | float | Sequence[str] | Sequence[bool] | Sequence[int] | Sequence[float]
)
Attributes = dict[str, AttributeValue]
TraceState = dict[str, str]
StatusCode = Literal["UNSET", "OK", "ERROR"]

# Seconds since 1970 stay below this for thirty thousand years; nanoseconds passed it in 1970.
_NANOSECONDS_FROM = 1e12


def seconds(timestamp: float | None) -> float | None:
    """A time in seconds, whether it came in seconds or nanoseconds; None when it is not set."""
    if not timestamp:
        return None
    return timestamp / 1_000_000_000 if timestamp > _NANOSECONDS_FROM else timestamp


def attributes_of(source: Any) -> Attributes:
    """A dict of the attributes of an OpenTelemetry object, empty when it has none."""
    return dict(source.attributes) if source.attributes else {}


class SpanContext(BaseModel):
    """Which span: the two ids as hexadecimal digits."""

    model_config = ConfigDict(extra="allow")

    trace_id: str
    span_id: str
    is_remote: bool
    trace_state: TraceState

    @classmethod
    def from_opentelemetry(cls, src: OtelSpanContext) -> Self:
        """Read an OpenTelemetry span context."""
        return cls(
            trace_id=f"{src.trace_id:032x}",
            span_id=f"{src.span_id:016x}",
            is_remote=src.is_remote,
            trace_state=dict(src.trace_state.items()) if src.trace_state else {},
        )


class TraceStatus(BaseModel):
    """How a span ended."""

    model_config = ConfigDict(extra="allow")

    status_code: StatusCode
    description: str | None = None

    @classmethod
    def from_opentelemetry(cls, src: OtelStatus) -> Self:
        """Read an OpenTelemetry status."""
        code: Any = src.status_code.name
        return cls(status_code=code, description=src.description)


class Event(BaseModel):
    """Something that happened within a span; the timestamp is in seconds."""

    model_config = ConfigDict(extra="allow")

    name: str
    attributes: Attributes
    timestamp: float | None = None

    @classmethod
    def from_opentelemetry(cls, src: OtelEvent) -> Self:
        """Read an OpenTelemetry event."""
        return cls(name=src.name, attributes=attributes_of(src), timestamp=seconds(src.timestamp))


class Link(BaseModel):
    """A reference from one span to another."""

    model_config = ConfigDict(extra="allow")

    context: SpanContext
    attributes: Attributes | None = None

    @classmethod
    def from_opentelemetry(cls, src: OtelLink) -> Self:
        """Read an OpenTelemetry link."""
        attributes = attributes_of(src) or None
        return cls(context=SpanContext.from_opentelemetry(src.context), attributes=attributes)


class OtelResource(BaseModel):
    """What produced a span: the service and its host."""

    attributes: Attributes
    schema_url: str

    @classmethod
    def from_opentelemetry(cls, src: OtelSdkResource) -> Self:
        """Read an OpenTelemetry resource."""
        return cls(attributes=attributes_of(src), schema_url=src.schema_url or "")
