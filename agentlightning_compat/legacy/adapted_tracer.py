"""The class behind `adapt_tracer`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from importlib import import_module
from typing import Any

from agentlightning_compat.legacy import target
from agentlightning_compat.legacy.shapes import is_readable_span
from agentlightning_compat.legacy.tracing import trace_run

_LANGCHAIN = ("get_langchain_handler", "get_langchain_callback_handler")


def adapted_tracer_class(legacy_tracer: Any) -> type[Any]:
    """Return the class for the package that `legacy_tracer` is used with."""
    return _class_over(target.api("Tracer", legacy_tracer))


@cache
def _class_over(tracer_class: type[Any]) -> type[Any]:
    return type("AdaptedTracer", (_AdaptedTracer, tracer_class), {"__module__": __name__})


class _AdaptedTracer:
    """Maps 0.3's tracer calls to a legacy tracer; what emitters make is kept beside its spans."""

    def __init__(self, legacy_tracer: Any) -> None:
        super().__init__()
        self._legacy = legacy_tracer
        self._emitted: list[Any] = []
        self._trace_store: Any = None
        self._plain = target.api("DummyTracer", self)()

    def __getattr__(self, name: str) -> Any:
        # Agents and setups reach for methods of their own tracer class.
        if name.startswith("__") or name == "_legacy":
            raise AttributeError(name)
        return getattr(self._legacy, name)

    def init(self, *args: Any, **kwargs: Any) -> None:
        """Set the legacy tracer up in the main process."""
        self._legacy.init(*args, **kwargs)

    def init_worker(self, worker_id: int, store: Any = None) -> None:
        """Set the legacy tracer up in a worker; it was never told of a store."""
        self._trace_store = store
        self._legacy.init_worker(worker_id)

    def teardown_worker(self, worker_id: int, *args: Any, **kwargs: Any) -> None:
        """Undo `init_worker`."""
        self._legacy.teardown_worker(worker_id)

    def teardown(self, *args: Any, **kwargs: Any) -> None:
        """Undo `init`."""
        self._legacy.teardown()

    def trace_context(self, name: str | None = None, **where: Any) -> Any:
        """Return the async context of a trace; `where` says for which attempt to store it."""
        return self._traced(name, **where)

    def trace_run(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a sync function inside a trace of its own."""
        return trace_run(self, func, *args, **kwargs)

    def get_last_trace(self) -> list[Any]:
        """Return the spans of the last trace as `Span`s."""
        return self._spans("", "")

    def create_span(self, *args: Any, **kwargs: Any) -> Any:
        """Keep what an emitter made."""
        span = self._plain.create_span(*args, **kwargs)
        self._emitted.append(span)
        return span

    @contextmanager
    def operation_context(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Keep the span of an operation that is recorded while the context is open."""
        recording: Any = None
        try:
            with self._plain.operation_context(*args, **kwargs) as recording:
                yield recording
        finally:
            if recording is not None:
                self._emitted.append(recording.get_recorded_span())

    def get_langchain_handler(self, *args: Any, **kwargs: Any) -> Any:
        """Return the legacy tracer's handler for LangChain, under whichever name it has it."""
        for name in _LANGCHAIN:
            method = getattr(self._legacy, name, None)
            if method is not None:
                return method(*args, **kwargs)
        return None

    @asynccontextmanager
    async def _traced(
        self,
        name: str | None,
        *,
        store: Any = None,
        rollout_id: str | None = None,
        attempt_id: str | None = None,
    ) -> AsyncIterator[Any]:
        active = _active_tracer_module(self)
        active.set_active_tracer(self)
        self._emitted.clear()
        try:
            async with _opened(self._legacy.trace_context(name)) as entered:
                yield entered
        finally:
            active.clear_active_tracer()
            store = store if store is not None else self._trace_store
            if store is not None and rollout_id is not None and attempt_id is not None:
                await self._write(store, rollout_id, attempt_id)

    async def _write(self, store: Any, rollout_id: str, attempt_id: str) -> None:
        spans = self._spans(rollout_id, attempt_id)
        if not spans:
            return
        numbers = await store.get_many_span_sequence_ids([(rollout_id, attempt_id)] * len(spans))
        await store.add_many_spans(
            [
                span.model_copy(update={"sequence_id": number})
                for span, number in zip(spans, numbers, strict=True)
            ]
        )

    def _spans(self, rollout_id: str, attempt_id: str) -> list[Any]:
        span_class = target.api("Span", self)
        owner = {"rollout_id": rollout_id, "attempt_id": attempt_id}
        traced = [
            span_class.from_opentelemetry(span, sequence_id=0, **owner)
            if is_readable_span(span)
            else span.model_copy(update=owner)
            for span in self._legacy.get_last_trace() or ()
        ]
        traced += [span_class.from_core_fields(span, **owner) for span in self._emitted]
        return sorted(traced, key=lambda span: span.start_time or 0.0)


@asynccontextmanager
async def _opened(context: Any) -> AsyncIterator[Any]:
    if hasattr(context, "__aenter__"):
        async with context as entered:
            yield entered
    else:
        with context as entered:
            yield entered


def _active_tracer_module(tracer: Any) -> Any:
    root = target.root_of(tracer) or target.REAL
    return import_module(f"{root}.tracer.base")
