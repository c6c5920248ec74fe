"""A tracer without OpenTelemetry."""

from __future__ import annotations

from agentlightning_compat.tracer.recording_tracer import RecordingTracer


class DummyTracer(RecordingTracer):
    """Records what emitters are told, and nothing else: no library is instrumented.

    Inside a `trace_context` of it these spans are kept, and stored if it belongs to an attempt.
    Outside of one they are made and forgotten.
    """
