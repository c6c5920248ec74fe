"""`emit_annotation`."""

from __future__ import annotations

from typing import Any

from agentlightning_compat.emitter.active import tracer_for
from agentlightning_compat.model import SpanCoreFields, TraceStatus
from agentlightning_compat.semconv import AGL_ANNOTATION
from agentlightning_compat.span_attributes import (
    check_attributes_sanity,
    flatten_attributes,
    sanitize_attributes,
)


def emit_annotation(annotation: dict[str, Any], propagate: bool = True) -> SpanCoreFields:
    """Note something about the rollout: plain values, or dicts and lists of such.

    Raises:
        ValueError: a value is not plain.
        RuntimeError: no tracer is active.
    """
    attributes = flatten_attributes(annotation)
    check_attributes_sanity(attributes)
    return tracer_for("an annotation", propagate).create_span(
        AGL_ANNOTATION,
        attributes=sanitize_attributes(attributes),
        status=TraceStatus(status_code="OK"),
    )
