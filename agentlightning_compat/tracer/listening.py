"""Listening to OpenTelemetry: which spans are ended, and which recording they belong to.

Nothing of OpenTelemetry is imported here, so that it is only where a tracer needs it.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

from agentlightning_compat.model import Span
from agentlightning_compat.span_attributes import sanitize_attributes
from agentlightning_compat.tracer import recording as rec
from agentlightning_compat.tracer.recording import Recording


class _Started:
    """Which recording the spans belong to that are not ended yet, by their ids."""

    def __init__(self) -> None:
        self._by_span: weakref.WeakValueDictionary[tuple[int, int], Recording] = (
            weakref.WeakValueDictionary()
        )
        self._by_trace: weakref.WeakValueDictionary[int, Recording] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def note(self, name: str, trace_id: int, span_id: int) -> None:
        """A span begins here."""
        found = rec.current()
        with self._lock:
            if found is None:
                found = self._by_trace.get(trace_id) or rec.only_one()
            if found is not None and found.tracer.listens_to_opentelemetry:
                self._by_span[trace_id, span_id] = found
                self._by_trace[trace_id] = found
        if found is None:
            rec.lost(f"span {name!r}")

    def take(self, trace_id: int, span_id: int) -> Recording | None:
        """A span ended: the recording that it belongs to."""
        with self._lock:
            return self._by_span.pop((trace_id, span_id), None)


class LightningSpanProcessor:
    """Listens to a tracer provider of OpenTelemetry's SDK, whose `SpanProcessor` it stands for."""

    def __init__(self) -> None:
        self._started = _Started()

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """A span begins: note for whom."""
        context = span.get_span_context()
        self._started.note(span.name, context.trace_id, context.span_id)

    def _on_ending(self, span: Any) -> None:
        """Called by the SDK before a span ends."""

    def on_end(self, span: Any) -> None:
        """A span ended: hand it to the recording that it belongs to."""
        context = span.get_span_context()
        recording = self._started.take(context.trace_id, context.span_id)
        if recording is not None and context.trace_flags.sampled:
            recording.add(_span_of(span))

    def shutdown(self) -> None:
        """Nothing is held back here."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Nothing is held back here."""
        return True


def _span_of(span: Any) -> Span:
    try:
        return Span.from_opentelemetry(span, "", "", 0)
    except ValueError:
        # Newer releases of OpenTelemetry also take bytes, None and dicts as attributes.
        return Span.from_opentelemetry(_Plain(span), "", "", 0)  # type: ignore[arg-type]


class _Plain:
    """A span of OpenTelemetry of which the attributes are such that they can be kept."""

    def __init__(self, span: Any) -> None:
        self._span = span
        self.attributes = sanitize_attributes(
            {
                key: list(value) if isinstance(value, tuple) else value
                for key, value in (span.attributes or {}).items()
            }
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._span, name)


_processors: weakref.WeakKeyDictionary[Any, LightningSpanProcessor] = weakref.WeakKeyDictionary()
_setup = threading.Lock()


def listen(provider: Any) -> None:
    """Have every span of the provider looked at, once."""
    with _setup:
        if provider not in _processors:
            processor = LightningSpanProcessor()
            provider.add_span_processor(processor)
            _processors[provider] = processor
