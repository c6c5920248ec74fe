"""Tracers in code that was written for sync tracing, and sync tracers under 0.3."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


@contextmanager
def trace_context(tracer: Any, name: str | None = None, **where: Any) -> Iterator[Any]:
    """Open `tracer.trace_context(name)` by a plain `with`.

    In async code `async with tracer.trace_context(name)` does the same. Emitters work inside, and
    the body runs in the caller's context, so OpenTelemetry's current span is the caller's.

    Args:
        tracer: a tracer of 0.3, or one whose `trace_context` is sync.
        name: the name of the trace.
        **where: `rollout_id` and `attempt_id` to store the spans for.

    Raises:
        RuntimeError: the tracer really has to wait to open or close its context.
        ValueError: another trace is open; 0.3 has one per process.
    """
    context = tracer.trace_context(name, **where)
    if hasattr(context, "__enter__"):
        with context as entered:
            yield entered
        return
    entered = _run(context.__aenter__())
    try:
        yield entered
    except BaseException as error:
        if not _run(context.__aexit__(type(error), error, error.__traceback__)):
            raise
    else:
        _run(context.__aexit__(None, None, None))


def trace_run(tracer: Any, func: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call a sync function inside a trace named after it, as `tracer.trace_run` did."""
    with trace_context(tracer, getattr(func, "__name__", None)):
        return func(*args, **kwargs)


def adapt_tracer(legacy_tracer: Any) -> Any:
    """Return a tracer of 0.3 over one written for 0.1's `BaseTracer`.

    That is one with a sync `trace_context(name)`, `init_worker(worker_id)` and `get_last_trace()`
    that returns OpenTelemetry spans. These are stored when the context of a rollout closes.
    Emitters work inside it.
    """
    from agentlightning_compat.legacy.adapted_tracer import adapted_tracer_class

    return adapted_tracer_class(legacy_tracer)(legacy_tracer)


def _run(step: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine that never waits.

    An event loop would run it in a context of its own, and what the tracer sets as current there
    would be lost to the caller; nor could a loop be used where one is running already.
    """
    try:
        step.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    step.close()
    raise RuntimeError(
        "this tracer waits for something to open or close its context; make the function async and"
        " use `async with tracer.trace_context(...)`"
    )
