"""The contract of tracers, and which one is active."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from agentlightning_compat.model import (
    Attributes,
    ParallelWorkerBase,
    Span,
    SpanCoreFields,
    SpanRecordingContext,
    TraceStatus,
)

if TYPE_CHECKING:
    from agentlightning_compat.store.base import LightningStore

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Tracer(ParallelWorkerBase):
    """Turns what happens inside a `trace_context` into spans.

    In this order: `init`, once in a process; `init_worker`, with the store that spans go to;
    any number of contexts; `teardown_worker`, `teardown`. Contexts of several tasks and threads
    may be open at once: each has its own spans.
    """

    # Whether what OpenTelemetry ends in a context of it belongs to its spans.
    listens_to_opentelemetry = False
    _store: LightningStore | None = None

    def init_worker(
        self, worker_id: int, store: LightningStore | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Take the store. Without one, spans are only kept for `get_last_trace`."""
        super().init_worker(worker_id)
        self._store = store

    def trace_context(
        self,
        name: str | None = None,
        *,
        store: LightningStore | None = None,
        rollout_id: str | None = None,
        attempt_id: str | None = None,
    ) -> AbstractAsyncContextManager[Any]:
        """A context whose spans belong together, and with the two ids to an attempt.

        When it is left, its spans are in the store.

        Raises:
            ValueError: only one of the ids is given; there is no store for them; or a context is
                open here already.
        """
        raise NotImplementedError(f"{type(self).__name__} has no trace_context")

    def get_last_trace(self) -> list[Span]:
        """The spans of the context that is open here, or of the one that was left last."""
        raise NotImplementedError(f"{type(self).__name__} has no get_last_trace")

    def create_span(
        self,
        name: str,
        attributes: Attributes | None = None,
        timestamp: float | None = None,
        status: TraceStatus | None = None,
    ) -> SpanCoreFields:
        """A span of no duration, now or at `timestamp` (seconds since 1970)."""
        raise NotImplementedError(f"{type(self).__name__} has no create_span")

    def operation_context(
        self,
        name: str,
        attributes: Attributes | None = None,
        start_time: float | None = None,
        end_time: float | None = None,
    ) -> AbstractContextManager[SpanRecordingContext]:
        """A context that is one span; spans that are made inside are its children."""
        raise NotImplementedError(f"{type(self).__name__} has no operation_context")

    def trace_run(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function in a context of its own, which belongs to no attempt."""
        with self._trace_context_sync(name=_name(func)):
            return func(*args, **kwargs)

    async def trace_run_async(
        self, func: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any
    ) -> Any:
        """Await a function in a context of its own, which belongs to no attempt."""
        async with self.trace_context(name=_name(func)):
            return await func(*args, **kwargs)

    def get_langchain_handler(self) -> Any:
        """A callback for LangChain; None, and a log entry, where there is none."""
        _log.warning("%s has no callback for LangChain", type(self).__name__)
        return None

    @contextmanager
    def lifespan(self, store: LightningStore | None = None) -> Iterator[None]:
        """Set up as worker 0, and tear down again."""
        self.init()
        try:
            self.init_worker(0, store)
            try:
                yield
            finally:
                self.teardown_worker(0)
        finally:
            self.teardown()

    def _trace_context_sync(
        self,
        name: str | None = None,
        *,
        rollout_id: str | None = None,
        attempt_id: str | None = None,
    ) -> AbstractContextManager[Any]:
        raise NotImplementedError(f"{type(self).__name__} has no context for sync code")


_active: ContextVar[Tracer | None] = ContextVar("agentlightning_compat_active_tracer", default=None)
# Those that are active anywhere, for threads that know nothing of the context they work for.
_anywhere: list[Tracer] = []
_lock = threading.Lock()


def set_active_tracer(tracer: Tracer) -> None:
    """Make it the one that emitters use, in this context: this task, or this thread.

    Raises:
        ValueError: there is one already.
    """
    if _active.get() is not None:
        raise ValueError("another tracer is active here: leave its context first")
    _active.set(tracer)
    with _lock:
        _anywhere.append(tracer)


def clear_active_tracer() -> None:
    """Make none active in this context."""
    tracer = _active.get()
    _active.set(None)
    with _lock:
        if tracer in _anywhere:
            _anywhere.remove(tracer)


def get_active_tracer() -> Tracer | None:
    """The tracer that is active in this context.

    A thread that an agent started by itself has a context of its own, where none is. It gets the
    one that is active elsewhere in the process, if that is only one.
    """
    tracer = _active.get()
    if tracer is not None:
        return tracer
    with _lock:
        kinds = {id(item): item for item in _anywhere}
    return next(iter(kinds.values())) if len(kinds) == 1 else None


class _Activated(AbstractAsyncContextManager[T]):
    def __init__(self, tracer: Tracer, inner: AbstractAsyncContextManager[T]) -> None:
        self._tracer = tracer
        self._inner = inner

    async def __aenter__(self) -> T:
        set_active_tracer(self._tracer)
        try:
            return await self._inner.__aenter__()
        except BaseException:
            clear_active_tracer()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        try:
            return await self._inner.__aexit__(kind, error, traceback)
        finally:
            clear_active_tracer()


def with_active_tracer_context(
    func: Callable[..., AbstractAsyncContextManager[T]],
) -> Callable[..., AbstractAsyncContextManager[T]]:
    """Decorate a `trace_context` of your own: the tracer is active while it is open."""

    @functools.wraps(func)
    def activated(self: Tracer, *args: Any, **kwargs: Any) -> AbstractAsyncContextManager[T]:
        return _Activated(self, func(self, *args, **kwargs))

    return activated


def _name(func: Callable[..., Any]) -> str:
    return getattr(func, "__name__", type(func).__name__)
