"""What the tracers of this package share: contexts that record."""

from __future__ import annotations

import asyncio
import logging
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from typing import TYPE_CHECKING, Any

from agentlightning_compat.model import (
    Attributes,
    Span,
    SpanContext,
    SpanCoreFields,
    SpanRecordingContext,
    TraceStatus,
    ids,
)
from agentlightning_compat.tracer import recording as rec
from agentlightning_compat.tracer.base import Tracer, clear_active_tracer, set_active_tracer
from agentlightning_compat.tracer.operation import RecordedOperation
from agentlightning_compat.tracer.recording import Recording
from agentlightning_compat.tracer.writer import SpanWriter

if TYPE_CHECKING:
    from agentlightning_compat.store.base import LightningStore

_log = logging.getLogger(__name__)


class RecordingTracer(Tracer):
    """Keeps the spans of each context, and has them in the store when the context is left."""

    def trace_context(
        self,
        name: str | None = None,
        *,
        store: LightningStore | None = None,
        rollout_id: str | None = None,
        attempt_id: str | None = None,
    ) -> AbstractAsyncContextManager[Any]:
        """See `Tracer`."""
        if store is not None:
            warnings.warn(
                "store= of trace_context is deprecated: give it to init_worker()",
                DeprecationWarning,
                stacklevel=2,
            )
        return self._traced(name, store or self._store, rollout_id, attempt_id)

    @asynccontextmanager
    async def _traced(
        self,
        name: str | None,
        store: LightningStore | None,
        rollout_id: str | None,
        attempt_id: str | None,
    ) -> AsyncIterator[Any]:
        recording = Recording(self, name, _writer(store, rollout_id, attempt_id))
        recording.rollout_id, recording.attempt_id = rollout_id or "", attempt_id or ""
        failed = True
        try:
            with self._recorded(recording) as entered:
                yield entered
            failed = False
        finally:
            await self._close(recording, failed)

    async def _close(self, recording: Recording, failed: bool) -> None:
        try:
            await recording.close()
        except asyncio.CancelledError:
            # Whoever stops a rollout wants what it did: once more, and a second stop ends that.
            await recording.close()
            raise
        except Exception:
            if not failed:
                raise
            # What went wrong inside says more.
            _log.exception("spans of %s could not be stored", recording.rollout_id)

    @contextmanager
    def _recorded(self, recording: Recording) -> Iterator[Any]:
        set_active_tracer(self)
        rec.enter(recording)
        try:
            with self._observed(recording) as entered:
                yield entered
        finally:
            rec.leave(recording)
            clear_active_tracer()

    def _observed(self, recording: Recording) -> AbstractContextManager[Any]:
        """Where subclasses begin to watch what libraries do."""
        return nullcontext(self)

    def _trace_context_sync(
        self,
        name: str | None = None,
        *,
        rollout_id: str | None = None,
        attempt_id: str | None = None,
    ) -> AbstractContextManager[Any]:
        if rollout_id is not None or attempt_id is not None:
            raise ValueError("spans of an attempt are stored by `async with tracer.trace_context`")
        return self._recorded(Recording(self, name, None))

    def get_last_trace(self) -> list[Span]:
        """The spans of the context that is open here, or of the one that was left last."""
        recording = rec.last(self)
        return [] if recording is None else recording.spans

    def create_span(
        self,
        name: str,
        attributes: Attributes | None = None,
        timestamp: float | None = None,
        status: TraceStatus | None = None,
    ) -> SpanCoreFields:
        """See `Tracer`; the status is OK unless given."""
        at = time.time() if timestamp is None else timestamp
        core = SpanCoreFields(
            name=name,
            status=status or TraceStatus(status_code="OK"),
            attributes=dict(attributes or {}),
            start_time=at,
            end_time=at,
        )
        recording = rec.here(self)
        if recording is None:
            rec.lost(f"span {name!r}", self)
        else:
            recording.add(_child(recording, core, ids.span_id()))
        return core

    @contextmanager
    def operation_context(
        self,
        name: str,
        attributes: Attributes | None = None,
        start_time: float | None = None,
        end_time: float | None = None,
    ) -> Iterator[SpanRecordingContext]:
        """See `Tracer`."""
        operation = RecordedOperation(name, attributes, start_time)
        recording = rec.here(self)
        span_id = ids.span_id()
        above = rec.parent.get()
        if recording is None:
            rec.lost(f"operation {name!r}", self)
        else:
            rec.parent.set(_context(recording.trace_id, span_id))
        try:
            yield operation
        except BaseException as error:
            operation.record_exception(error)
            raise
        finally:
            rec.parent.set(above)
            operation.finalize(end_time)
            if recording is not None:
                recording.add(_child(recording, operation.get_recorded_span(), span_id))


def _child(recording: Recording, core: SpanCoreFields, span_id: str) -> Span:
    above = rec.parent.get()
    return Span.from_attributes(
        attributes=core.attributes,
        name=core.name,
        status=core.status,
        trace_id=recording.trace_id,
        span_id=span_id,
        parent_id=above.span_id if above and above.trace_id == recording.trace_id else None,
        start_time=core.start_time,
        end_time=core.end_time,
    )


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(trace_id=trace_id, span_id=span_id, is_remote=False, trace_state={})


def _writer(
    store: LightningStore | None, rollout_id: str | None, attempt_id: str | None
) -> SpanWriter | None:
    if (rollout_id is None) != (attempt_id is None):
        raise ValueError("rollout_id and attempt_id are given both or not at all")
    if rollout_id is None or attempt_id is None:
        return None
    if store is None:
        raise ValueError("spans of an attempt need a store: give it to init_worker()")
    return SpanWriter(store, rollout_id, attempt_id)
