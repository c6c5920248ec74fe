"""Operations: functions, blocks and functions that yield, as spans."""

from __future__ import annotations

import asyncio
import contextlib
import inspect

import pytest

from agentlightning_compat import (
    DummyTracer,
    OtelTracer,
    SpanRecordingContext,
    emit_message,
    get_active_tracer,
    operation,
)
from agentlightning_compat.emitter.yielding import MOST_VALUES

NAME = "agentlightning.operation"
OUTPUT = "agentlightning.operation.output"


@pytest.fixture(params=[DummyTracer, OtelTracer])
def tracer(request):
    made = request.param()
    with made.lifespan():
        yield made


def _by_name(spans):
    return {span.attributes.get(f"{NAME}.name", span.name): span for span in spans}


async def test_the_tracer_is_the_one_of_the_call(tracer):
    @operation  # no tracer is active here: 0.3.0 refuses
    def add(a, b):
        return a + b

    assert get_active_tracer() is None
    with pytest.raises(RuntimeError, match="No active tracer"):
        add(1, 2)
    async with tracer.trace_context():
        assert add(1, 2) == 3
    (span,) = tracer.get_last_trace()
    assert span.attributes == {
        f"{NAME}.name": "add",
        f"{NAME}.input.a": 1,
        f"{NAME}.input.b": 2,
        OUTPUT: 3,
    }
    other = DummyTracer()
    async with other.trace_context():
        add(3, 4)
    assert len(other.get_last_trace()) == 1
    assert tracer.get_last_trace() != other.get_last_trace()


async def test_what_happens_inside_is_below(tracer):
    @operation
    async def outer():
        emit_message("before")
        await asyncio.gather(inner(1), inner(2))

    @operation
    async def inner(n):
        await asyncio.sleep(0)
        emit_message(f"inside {n}")

    async with tracer.trace_context():
        await outer()
        emit_message("after")
    spans = tracer.get_last_trace()
    (top,) = [span for span in spans if span.attributes.get(f"{NAME}.name") == "outer"]
    inners = [span for span in spans if span.attributes.get(f"{NAME}.name") == "inner"]
    assert {span.parent_id for span in inners} == {top.span_id}
    below = {
        span.attributes["agentlightning.message.body"]: span.parent_id
        for span in spans
        if span.name == "agentlightning.message"
    }
    ids = {span.attributes[f"{NAME}.input.n"]: span.span_id for span in inners}
    assert below == {
        "before": top.span_id,
        "inside 1": ids[1],
        "inside 2": ids[2],
        "after": None,
    }
    assert len({span.trace_id for span in [top, *inners]}) == 1


def _raise(op):
    with pytest.raises(RuntimeError):
        op.span()  # not yet
    raise ValueError("bad")


async def test_an_operation_that_fails(tracer):
    async with tracer.trace_context():
        op = operation(user="me")
        with pytest.raises(ValueError, match="bad"), op:
            _raise(op)
    (span,) = tracer.get_last_trace()
    assert span.status.status_code == "ERROR"
    assert "bad" in span.status.description
    assert span.attributes["user"] == "me"
    assert len(span.events) <= 1  # 0.3.0 notes it twice
    assert op.span().status.status_code == "ERROR"


async def test_a_block_outside_of_which_nothing_can_be_set(tracer):
    async with tracer.trace_context():
        with operation() as op:
            op.set_input(1, key={"a": 2})
            op.set_output([{"b": 3}])
        for late in (op.set_input, op.set_output):
            with pytest.raises(RuntimeError):
                late(1)
    (span,) = tracer.get_last_trace()
    assert span.attributes == {
        f"{NAME}.input.args.0": 1,
        f"{NAME}.input.key.a": 2,
        f"{OUTPUT}.0.b": 3,
    }
    assert op.span().attributes == span.attributes


async def test_without_propagation_nothing_is_recorded(tracer):
    with operation(propagate=False) as op:  # needs no active tracer
        op.set_output(1)
    assert op.span().attributes == {OUTPUT: 1}
    async with tracer.trace_context():
        with operation(propagate=False):
            pass
    assert tracer.get_last_trace() == []


async def test_keys_that_are_no_text_are_kept_as_text(tracer):
    @operation
    def pairs(table):
        return table

    async with tracer.trace_context():
        pairs({1: "a"})
    (span,) = tracer.get_last_trace()
    assert span.attributes[OUTPUT] == "{1: 'a'}"


@pytest.mark.parametrize("wrong", ["text", 7])
def test_only_functions_are_operations(wrong):
    with pytest.raises(ValueError, match="function"):
        operation(wrong)


def test_a_name_is_given_once():
    with pytest.raises(ValueError, match="name"):
        operation(name="a", **{f"{NAME}.name": "b"})


async def test_a_generator_is_open_from_its_first_value_to_its_last(tracer):
    @operation
    def count(n):
        for index in range(n):
            emit_message(f"inside {index}")
            yield index
        return "done"

    assert inspect.isgeneratorfunction(count)
    async with tracer.trace_context():
        values = []
        for value in count(3):
            emit_message(f"outside {value}")
            values.append(value)
    assert values == [0, 1, 2]
    spans = tracer.get_last_trace()
    top = _by_name(spans)["count"]
    assert list(top.attributes[OUTPUT]) == [0, 1, 2]
    assert top.status.status_code != "ERROR"
    for span in spans:
        body = span.attributes.get("agentlightning.message.body", "")
        if body:
            expected = top.span_id if body.startswith("inside") else None
            assert span.parent_id == expected, body


async def test_a_generator_takes_what_it_is_sent(tracer):
    @operation
    def echo():
        got = yield "first"
        try:
            yield got
        except KeyError as error:
            yield repr(error)
        return "result"

    def whole():
        return (yield from echo())

    async with tracer.trace_context():
        steps = whole()
        assert next(steps) == "first"
        assert steps.send("x") == "x"
        assert steps.throw(KeyError("k")) == "KeyError('k')"
        with pytest.raises(StopIteration) as stopped:
            next(steps)
    assert stopped.value.value == "result"
    (span,) = tracer.get_last_trace()
    assert list(span.attributes[OUTPUT]) == ["first", "x", "KeyError('k')"]


async def test_a_generator_that_is_left_early_or_fails(tracer):
    closed = []

    @operation
    def endless():
        try:
            while True:
                yield 1
        finally:
            closed.append(True)

    @operation
    def fails():
        yield 1
        raise ValueError("bad")

    async with tracer.trace_context():
        with contextlib.closing(endless()) as steps:
            for _ in range(MOST_VALUES + 10):
                next(steps)
        with pytest.raises(ValueError, match="bad"):
            list(fails())
    assert closed == [True]
    named = _by_name(tracer.get_last_trace())
    assert named["endless"].status.status_code != "ERROR"
    assert len(named["endless"].attributes[OUTPUT]) == MOST_VALUES
    assert named["fails"].status.status_code == "ERROR"


async def test_an_async_generator(tracer):
    closed = []

    @operation
    async def count(n):
        try:
            for index in range(n):
                await asyncio.sleep(0)
                emit_message(f"inside {index}")
                yield index
        finally:
            await asyncio.sleep(0)
            closed.append(n)

    @operation
    async def echo():
        got = yield "first"
        try:
            yield got
        except KeyError:
            yield "caught"

    assert inspect.isasyncgenfunction(count)
    async with tracer.trace_context():
        values = []
        async for value in count(3):
            emit_message(f"outside {value}")
            values.append(value)
        async with contextlib.aclosing(count(100)) as steps:
            assert await anext(steps) == 0
        said = echo()
        assert [await anext(said), await said.asend("x"), await said.athrow(KeyError("k"))] == [
            "first",
            "x",
            "caught",
        ]
        assert await anext(said, "end") == "end"
    assert (values, closed) == ([0, 1, 2], [3, 100])
    spans = tracer.get_last_trace()
    tops = [span for span in spans if span.attributes.get(f"{NAME}.name") == "count"]
    assert [list(span.attributes[OUTPUT]) for span in tops] == [[0, 1, 2], [0]]
    assert all(span.status.status_code != "ERROR" for span in tops)
    outside = [s for s in spans if "outside" in str(s.attributes)]
    assert {span.parent_id for span in outside} == {None}
    inside = [s for s in spans if "inside" in str(s.attributes)]
    assert {span.parent_id for span in inside} == {span.span_id for span in tops}


async def test_an_async_generator_that_waits_with_a_deadline_and_fails(tracer):
    @operation
    async def slow():
        yield 1
        await asyncio.wait_for(asyncio.Event().wait(), 0.01)

    async with tracer.trace_context():
        with pytest.raises(asyncio.TimeoutError):
            async for _ in slow():
                pass
    (span,) = tracer.get_last_trace()
    assert span.status.status_code == "ERROR"


async def test_a_context_records_by_the_protocol(tracer):
    start, end = 1_700_000_000.0, 1_700_000_001.5
    async with tracer.trace_context():
        with tracer.operation_context("mine", {"a": 1}, start_time=start, end_time=end) as op:
            assert isinstance(op, SpanRecordingContext)
            op.record_attributes({"b": 2})
            op.record_status("ERROR", "why")
    (span,) = tracer.get_last_trace()
    assert (span.name, span.attributes) == ("mine", {"a": 1, "b": 2})
    assert (span.start_time, span.end_time) == (start, end)
    assert (span.status.status_code, span.status.description) == ("ERROR", "why")
    assert op.get_recorded_span().attributes == {"a": 1, "b": 2}
