"""`emit_exception`."""

from __future__ import annotations

from typing import Any

from agentlightning_compat.emitter.active import further, tracer_for
from agentlightning_compat.model import TraceStatus
from agentlightning_compat.semconv import AGL_EXCEPTION
from agentlightning_compat.span_attributes import format_exception_attributes


def emit_exception(
    exception: BaseException, attributes: dict[str, Any] | None = None, propagate: bool = True
) -> None:
    """Record an exception that was dealt with: the span itself is no error.

    Raises:
        TypeError: it is no exception.
        RuntimeError: no tracer is active.
    """
    if not isinstance(exception, BaseException):
        raise TypeError(f"{exception!r} is no exception")
    tracer_for("an exception", propagate).create_span(
        AGL_EXCEPTION,
        attributes={**format_exception_attributes(exception), **further(attributes)},
        status=TraceStatus(status_code="OK"),
    )
