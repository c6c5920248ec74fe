"""The tracer that takes its spans from OpenTelemetry."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agentlightning_compat.model import (
    Attributes,
    Span,
    SpanCoreFields,
    SpanRecordingContext,
    StatusCode,
    TraceStatus,
)
from agentlightning_compat.model.otel import attributes_of, seconds
from agentlightning_compat.tracer.listening import listen
from agentlightning_compat.tracer.provider import SCOPE, sdk_provider
from agentlightning_compat.tracer.recording import Recording
from agentlightning_compat.tracer.recording_tracer import RecordingTracer

if TYPE_CHECKING:
    from agentlightning_compat.store.base import LightningStore

_log = logging.getLogger(__name__)


class OtelTracer(RecordingTracer):
    """Takes every span that OpenTelemetry ends in a context, whoever made it.

    The global tracer provider is used if it is one of the SDK, so a program that has its own
    keeps it; otherwise one is made. Any number of contexts may be open at once. Threads and tasks
    that do not know which context they work for are told by the parent of their span.

    Raises:
        UnsupportedError: OpenTelemetry's SDK is not installed (`agentlightning-compat[otel]`).
    """

    listens_to_opentelemetry = True
    _provider: Any = None

    def init_worker(
        self, worker_id: int, store: LightningStore | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Take the store, and begin to listen to OpenTelemetry."""
        super().init_worker(worker_id, store)
        self._provider = self._listened_to()

    def _listened_to(self) -> Any:
        provider = sdk_provider()
        listen(provider)
        return provider

    @contextmanager
    def _observed(self, recording: Recording) -> Iterator[Any]:
        provider = self._ready()
        from opentelemetry import context

        # What goes on around the context is no parent of what goes on in it.
        token = context.attach(context.Context())
        try:
            yield provider.get_tracer(SCOPE)
        finally:
            context.detach(token)

    def _ready(self) -> Any:
        if self._provider is None:
            raise RuntimeError(f"{type(self).__name__} is not set up: call init_worker() first")
        return self._provider

    def get_last_trace(self) -> list[Span]:
        """The spans of the context that is open here, or of the one that was left last.

        Raises:
            RuntimeError: `init_worker` was not called.
        """
        self._ready()
        return super().get_last_trace()

    def create_span(
        self,
        name: str,
        attributes: Attributes | None = None,
        timestamp: float | None = None,
        status: TraceStatus | None = None,
    ) -> SpanCoreFields:
        """See `Tracer`; the status is UNSET unless given.

        Raises:
            RuntimeError: `init_worker` was not called.
        """
        at = None if timestamp is None else _nanoseconds(timestamp)
        span = (
            self._ready().get_tracer(SCOPE).start_span(name, attributes=attributes, start_time=at)
        )
        if status is not None:
            _set_status(span, status.status_code, status.description)
        span.end(at)
        return _core_fields(span)

    @contextmanager
    def operation_context(
        self,
        name: str,
        attributes: Attributes | None = None,
        start_time: float | None = None,
        end_time: float | None = None,
    ) -> Iterator[SpanRecordingContext]:
        """See `Tracer`.

        Raises:
            RuntimeError: `init_worker` was not called.
        """
        tracer = self._ready().get_tracer(SCOPE)
        from opentelemetry.trace import use_span

        span = tracer.start_span(
            name,
            attributes=attributes,
            start_time=None if start_time is None else _nanoseconds(start_time),
        )
        operation = OtelOperation(span)
        try:
            with use_span(span, record_exception=False, set_status_on_exception=False):
                yield operation
        except BaseException as error:
            operation.record_exception(error)
            operation.record_status("ERROR", f"{type(error).__name__}: {error}")
            raise
        finally:
            span.end(None if end_time is None else _nanoseconds(end_time))


class OtelOperation:
    """What the code inside an operation writes to; see `SpanRecordingContext`."""

    def __init__(self, span: Any) -> None:
        self._span = span

    def record_exception(self, exception: BaseException) -> None:
        """The operation failed with it."""
        self._span.record_exception(exception)
        self.record_status("ERROR", str(exception))

    def record_attributes(self, attributes: Attributes) -> None:
        """Add attributes."""
        self._span.set_attributes(attributes)

    def record_status(self, status_code: StatusCode, description: str | None = None) -> None:
        """Set the status."""
        _set_status(self._span, status_code, description)

    def get_otel_span(self) -> Any:
        """OpenTelemetry's own span."""
        return self._span

    def get_recorded_span(self) -> SpanCoreFields:
        """The span as it is now."""
        return _core_fields(self._span)


def _set_status(span: Any, status_code: StatusCode, description: str | None) -> None:
    from opentelemetry import trace

    code = trace.StatusCode[status_code]
    # OpenTelemetry takes a description for errors only.
    span.set_status(code, description if code is trace.StatusCode.ERROR else None)


def _core_fields(span: Any) -> SpanCoreFields:
    if not hasattr(span, "attributes"):  # it was not sampled
        return SpanCoreFields(
            name=getattr(span, "name", ""),
            status=TraceStatus(status_code="UNSET"),
            attributes={},
            start_time=None,
            end_time=None,
        )
    return SpanCoreFields(
        name=span.name,
        status=TraceStatus.from_opentelemetry(span.status),
        attributes=attributes_of(span),
        start_time=seconds(span.start_time),
        end_time=seconds(span.end_time),
    )


def _nanoseconds(at: float) -> int:
    return int(at * 1_000_000_000)
