"""Spans of the OpenTelemetry SDK with everything that a span may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import (
    Link,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

KINDS: dict[str, Any] = {
    "text": "é\n文",
    "empty": "",
    "flag": True,
    "whole": -3,
    "large": 2**62,
    "real": 0.1,
    "texts": ("a", ""),
    "flags": (True, False),
    "wholes": (1, 2),
    "reals": (0.5, -1.5),
    "none": (),
    "agentlightning.reward.0.value": 0.25,
}
ROLLOUT, ATTEMPT = "agentlightning.rollout_id", "agentlightning.attempt_id"
NUMBER = "agentlightning.span_sequence_id"


def place(rollout: Any) -> dict[str, str]:
    """Where the spans of a rollout belong, as attributes."""
    return {ROLLOUT: rollout.rollout_id, ATTEMPT: rollout.attempt.attempt_id}


def spans(about: Mapping[str, Any], more: Sequence[Mapping[str, Any]] = ()) -> list[ReadableSpan]:
    """A tree of spans with this resource, and a span for each of `more` attributes."""
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    tracer = provider.get_tracer("library", "1.2", schema_url="http://schema")
    elsewhere = SpanContext(5 << 100, 6 << 40, is_remote=True, trace_flags=TraceFlags(1))
    root = tracer.start_span(
        "root", attributes=KINDS, kind=SpanKind.SERVER, start_time=1_700_000_000_000_000_000
    )
    root.add_event("first", KINDS, timestamp=1_700_000_000_100_000_000)
    root.add_event("bare", timestamp=1_700_000_000_200_000_000)
    child = tracer.start_span(
        "child",
        context=set_span_in_context(root),
        links=[Link(elsewhere, {"why": "because"}), Link(root.get_span_context())],
        start_time=1_700_000_000_300_000_000,
    )
    child.set_status(Status(StatusCode.ERROR, "went wrong"))
    child.record_exception(LookupError("lost"), timestamp=1_700_000_000_350_000_000)
    child.end(1_700_000_000_400_000_000)
    root.set_status(Status(StatusCode.OK))
    root.end(1_700_000_000_500_000_000)
    made = [root, child]
    for number, attributes in enumerate(more):
        span = tracer.start_span(f"more {number}", attributes=attributes, start_time=10**18)
        span.end(10**18 + number)
        made.append(span)
    return [span for span in made if isinstance(span, ReadableSpan)]
