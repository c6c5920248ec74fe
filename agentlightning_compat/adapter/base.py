"""The contract of adapters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from agentlightning_compat.model import Span, SpanLike, Triplet

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

S = TypeVar("S")
T = TypeVar("T")


class Adapter(Generic[S, T]):
    """Converts one thing into another; calling it is calling `adapt`."""

    def __call__(self, source: S, /) -> T:
        """See `adapt`."""
        return self.adapt(source)

    def adapt(self, source: S, /) -> T:
        """Convert; a subclass says how."""
        raise NotImplementedError(f"{type(self).__name__} has no adapt")


class OtelTraceAdapter(Adapter[Sequence["ReadableSpan"], T]):
    """Converts spans of OpenTelemetry's SDK."""


class TraceAdapter(Adapter[Sequence[Span], T]):
    """Converts spans as the store keeps them."""


class TraceToTripletBase(TraceAdapter[list[Triplet]]):
    """Converts spans to triplets: what was asked, what came back, and the reward."""


def as_spans(source: Sequence[SpanLike]) -> list[Span]:
    """All of them as `Span`s; those of OpenTelemetry's SDK belong to no attempt."""
    return [
        span if isinstance(span, Span) else Span.from_opentelemetry(span, "dummy", "dummy", 0)
        for span in source
    ]
