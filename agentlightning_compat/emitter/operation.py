"""`operation`: a function or a block of code as a span, with what went in and what came out."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, TypeVar, overload

from agentlightning_compat.emitter.active import tracer_for
from agentlightning_compat.emitter.yielding import Called, async_generator, generator
from agentlightning_compat.model import Attributes, SpanCoreFields, SpanRecordingContext
from agentlightning_compat.semconv import AGL_OPERATION, LightningSpanAttributes
from agentlightning_compat.span_attributes import flatten_attributes, sanitize_attributes

F = TypeVar("F", bound=Callable[..., Any])

_NAME = LightningSpanAttributes.OPERATION_NAME.value
_INPUT = LightningSpanAttributes.OPERATION_INPUT.value
_OUTPUT = LightningSpanAttributes.OPERATION_OUTPUT.value


class OperationContext:
    """Use it in `with`, then `span` has the outcome; or as a decorator.

    The tracer is the one that is active when the block is entered, or the function called.
    """

    def __init__(self, name: str, attributes: dict[str, Any], propagate: bool = True) -> None:
        self.name = name
        self.initial_attributes = flatten_attributes(attributes)
        self.propagate = propagate
        self._context: AbstractContextManager[SpanRecordingContext] | None = None
        self._recording: SpanRecordingContext | None = None
        self._span: SpanCoreFields | None = None

    def __enter__(self) -> OperationContext:
        self._context = self._opened(self.initial_attributes)
        self._recording = self._context.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        context, recording = self._context, self._recording
        self._context = self._recording = None
        try:
            if context is not None:
                context.__exit__(kind, error, traceback)
        finally:
            if recording is not None:
                self._span = recording.get_recorded_span()

    def span(self) -> SpanCoreFields:
        """The span.

        Raises:
            RuntimeError: the block is not left yet.
        """
        if self._span is None:
            raise RuntimeError("the span of an operation is there when its block was left")
        return self._span

    def set_input(self, *args: Any, **kwargs: Any) -> None:
        """Record what went in.

        Raises:
            RuntimeError: outside of the block.
        """
        positional = {f"args.{index}": value for index, value in enumerate(args)}
        self._inside("set_input").record_attributes(_under(_INPUT, {**positional, **kwargs}))

    def set_output(self, output: Any) -> None:
        """Record what came out.

        Raises:
            RuntimeError: outside of the block.
        """
        _record_output(self._inside("set_output"), output)

    def __call__(self, fn: F) -> F:
        """Decorate a function: sync, async, or one that yields."""
        attributes = {_NAME: fn.__name__, **self.initial_attributes}
        inputs = _Inputs(fn)

        @contextmanager
        def called(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[SpanRecordingContext]:
            with self._opened(attributes) as recording:
                recording.record_attributes(inputs.of(args, kwargs))
                yield recording

        wrapped: F = _wrapped(fn, called)
        return wrapped

    def _opened(self, attributes: dict[str, Any]) -> AbstractContextManager[SpanRecordingContext]:
        tracer = tracer_for("an operation", self.propagate)
        return tracer.operation_context(self.name, attributes=sanitize_attributes(attributes))

    def _inside(self, what: str) -> SpanRecordingContext:
        if self._recording is None:
            raise RuntimeError(f"{what}() is for the inside of a `with operation(...)` block")
        return self._recording


class _Inputs:
    """What a function was called with, by the names of its parameters."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self._signature = inspect.signature(fn)
        kinds = self._signature.parameters.items()
        self._rest = {name for name, p in kinds if p.kind is inspect.Parameter.VAR_POSITIONAL}

    def of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Attributes:
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError:  # the call will raise it, where the user sees it
            positional = {f"args.{index}": value for index, value in enumerate(args)}
            return _under(_INPUT, {**positional, **({"kwargs": kwargs} if kwargs else {})})
        bound.apply_defaults()
        named: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            if name in self._rest:
                named.update({f"{name}.{index}": item for index, item in enumerate(value)})
            else:
                named[name] = value
        return _under(_INPUT, named)


def _wrapped(fn: Any, called: Called) -> Any:
    if inspect.isasyncgenfunction(fn):
        return async_generator(fn, called, _record_output)
    if inspect.isgeneratorfunction(fn):
        return generator(fn, called, _record_output)
    if inspect.iscoroutinefunction(fn):

        @functools.wraps(fn)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            with called(args, kwargs) as recording:
                result = await fn(*args, **kwargs)
                _record_output(recording, result)
                return result

        return awaited

    @functools.wraps(fn)
    def returned(*args: Any, **kwargs: Any) -> Any:
        with called(args, kwargs) as recording:
            result = fn(*args, **kwargs)
            _record_output(recording, result)
            return result

    return returned


def _under(prefix: str, named: dict[str, Any]) -> Attributes:
    flat: dict[str, Any] = {}
    for name, value in named.items():
        flat.update(_flat(f"{prefix}.{name}", value))
    return sanitize_attributes(flat)


def _record_output(recording: SpanRecordingContext, result: Any) -> None:
    recording.record_attributes(sanitize_attributes(_flat(_OUTPUT, result)))


def _flat(name: str, value: Any) -> dict[str, Any]:
    try:
        return flatten_attributes({name: value})
    except ValueError:  # a dict with keys that are no text
        return {name: str(value)}


@overload
def operation(
    fn: F, *, propagate: bool = True, name: str | None = None, **additional_attributes: Any
) -> F: ...


@overload
def operation(
    *, propagate: bool = True, name: str | None = None, **additional_attributes: Any
) -> OperationContext: ...


def operation(
    fn: Any = None,
    *,
    propagate: bool = True,
    name: str | None = None,
    **additional_attributes: Any,
) -> Any:
    """A span for a function (`@operation`, `@operation(key=value)`) or a block of code
    (`with operation(key=value) as op`), with attributes of your own.

    `name` is what the span calls the operation; without it, the name of the function.

    Raises:
        ValueError: the name is given twice; or `fn` is no function.
        RuntimeError: when it is entered or called, no tracer is active.
    """
    if name is not None:
        if _NAME in additional_attributes:
            raise ValueError(f"name and {_NAME} say the same: give one of them")
        additional_attributes[_NAME] = name
    context = OperationContext(AGL_OPERATION, additional_attributes, propagate=propagate)
    if fn is None:
        return context
    if not callable(fn):
        raise ValueError(f"an operation is a function, not {fn!r}; its name is given as name=")
    return context(fn)
