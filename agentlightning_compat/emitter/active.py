"""Which tracer an emitter writes to."""

from __future__ import annotations

from agentlightning_compat.model import Attributes
from agentlightning_compat.span_attributes import flatten_attributes, sanitize_attributes
from agentlightning_compat.tracer.base import Tracer, get_active_tracer
from agentlightning_compat.tracer.dummy import DummyTracer

_nowhere = DummyTracer()


def tracer_for(what: str, propagate: bool) -> Tracer:
    """The active tracer; one that forgets everything unless `propagate`.

    Raises:
        RuntimeError: none is active.
    """
    if not propagate:
        return _nowhere
    tracer = get_active_tracer()
    if tracer is None:
        raise RuntimeError(
            f"No active tracer found for {what}: emit inside a rollout or a trace_context, or"
            " with propagate=False. In a thread of your own, run the function by"
            " contextvars.copy_context().run"
        )
    return tracer


def further(attributes: dict[str, object] | None) -> Attributes:
    """Attributes that a user gives in addition, in a form that can be kept."""
    return sanitize_attributes(flatten_attributes(attributes)) if attributes else {}
