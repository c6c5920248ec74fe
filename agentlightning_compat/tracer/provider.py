"""The tracer provider of OpenTelemetry that tracers listen to."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from agentlightning_compat.errors import UnsupportedError

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_log = logging.getLogger(__name__)

# What spans of this runtime say that they were made by.
SCOPE = "agentlightning"
_setup = threading.Lock()


def get_tracer_provider(inspect: bool = True) -> Any:
    """The global tracer provider. `inspect` has no effect.

    Raises:
        RuntimeError: nothing has set one up yet, a tracer of this package for one.
    """
    from opentelemetry import trace

    found = trace.get_tracer_provider()
    if isinstance(found, trace.ProxyTracerProvider):
        raise RuntimeError("OpenTelemetry has no tracer provider yet: a tracer sets it up")
    return found


def get_tracer(use_active_span_processor: bool = True) -> Tracer:
    """OpenTelemetry's own tracer, to make spans with.

    Those of one without the active span processor are kept nowhere.

    Raises:
        RuntimeError: nothing has set a provider up yet.
    """
    provider = get_tracer_provider()
    if use_active_span_processor:
        found: Tracer = provider.get_tracer(SCOPE)
        return found
    from opentelemetry.sdk.trace import TracerProvider

    return TracerProvider().get_tracer(SCOPE)


def sdk_provider() -> Any:
    """The global tracer provider if it is one of the SDK; otherwise one is made.

    Raises:
        UnsupportedError: OpenTelemetry's SDK is not installed.
    """
    try:
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
    except ModuleNotFoundError as error:
        raise UnsupportedError(
            "OtelTracer needs OpenTelemetry: pip install 'agentlightning-compat[otel]'"
        ) from error
    with _setup:
        current = trace.get_tracer_provider()
        if isinstance(current, TracerProvider):
            return current
        made = TracerProvider()
        if isinstance(current, trace.ProxyTracerProvider):
            trace.set_tracer_provider(made)
        else:
            _log.warning(
                "the tracer provider of this process is a %s, whose spans cannot be taken:"
                " only what emitters are told is recorded",
                type(current).__qualname__,
            )
        return made
