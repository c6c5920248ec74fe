"""Functions that yield as operations: the span is open from the first value to the last.

Between two values the caller's code runs, which is no part of the operation. So the function runs
in a context of its own (see `contextvars`), and what the operation changes there stays there.
"""

from __future__ import annotations

import contextvars
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from agentlightning_compat.model import SpanRecordingContext

# An endless function must not fill the memory: that many of its values become the output.
MOST_VALUES = 256

Called = Callable[[tuple[Any, ...], dict[str, Any]], AbstractContextManager[SpanRecordingContext]]
Record = Callable[[SpanRecordingContext, list[Any]], None]


class _Apart:
    """A context in which an operation is open, and the values that it yielded so far."""

    def __init__(self) -> None:
        self._context = contextvars.copy_context()
        self._values: list[Any] = []

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        return self._context.run(function, *args)

    def keep(self, value: Any) -> Any:
        if len(self._values) < MOST_VALUES:
            self._values.append(value)
        return value

    @contextmanager
    def opened(
        self, operation: AbstractContextManager[SpanRecordingContext], record: Record
    ) -> Iterator[None]:
        recording = self.run(operation.__enter__)
        try:
            yield
        except GeneratorExit:  # the caller has enough: nothing failed
            record(recording, self._values)
            self.run(operation.__exit__, None, None, None)
            raise
        except BaseException as error:
            self.run(operation.__exit__, type(error), error, error.__traceback__)
            raise
        record(recording, self._values)
        self.run(operation.__exit__, None, None, None)


def generator(fn: Callable[..., Any], called: Called, record: Record) -> Callable[..., Any]:
    """Wrap a generator function."""

    @functools.wraps(fn)
    def yielded(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        apart = _Apart()
        with apart.opened(called(args, kwargs), record):
            inner = fn(*args, **kwargs)
            step, given = inner.send, None
            while True:
                try:
                    value = apart.keep(apart.run(step, given))
                except StopIteration as stop:
                    return stop.value
                try:
                    step, given = inner.send, (yield value)
                except GeneratorExit:
                    apart.run(inner.close)
                    raise
                except BaseException as error:
                    step, given = inner.throw, error

    return yielded


def async_generator(fn: Callable[..., Any], called: Called, record: Record) -> Callable[..., Any]:
    """Wrap an async generator function."""

    @functools.wraps(fn)
    async def yielded(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        apart = _Apart()
        with apart.opened(called(args, kwargs), record):
            inner = fn(*args, **kwargs)
            step, given = inner.asend, None
            while True:
                try:
                    value = apart.keep(await _Stepwise(apart, apart.run(step, given)))
                except StopAsyncIteration:
                    return
                try:
                    step, given = inner.asend, (yield value)
                except GeneratorExit:
                    await _Stepwise(apart, apart.run(inner.aclose))
                    raise
                except BaseException as error:
                    step, given = inner.athrow, error

    return yielded


class _Stepwise:
    """Awaits something, each step of it in the context."""

    def __init__(self, apart: _Apart, awaited: Awaitable[Any]) -> None:
        self._apart = apart
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, Any]:
        steps: Any = self._awaited.__await__()
        step, given = steps.send, None
        while True:
            try:
                waiting = self._apart.run(step, given)
            except StopIteration as stop:
                return stop.value
            try:
                step, given = steps.send, (yield waiting)
            except BaseException as error:
                step, given = steps.throw, error
