"""Emitters, beyond what the comparison with the release shows."""

from __future__ import annotations

import asyncio
import json
import math
import warnings

import pytest

import agentlightning_compat
from agentlightning_compat import (
    DummyTracer,
    OtelTracer,
    Span,
    emit_annotation,
    emit_exception,
    emit_message,
    emit_object,
    emit_reward,
    find_final_reward,
    find_reward_spans,
    get_message_value,
    get_object_value,
    get_reward_value,
    get_rewards_from_span,
    is_reward_span,
    reward,
)


@pytest.fixture(params=[DummyTracer, OtelTracer])
def tracer(request):
    made = request.param()
    with made.lifespan():
        yield made


@pytest.mark.parametrize(
    "emit",
    [
        lambda **given: emit_reward(1.0, **given),
        lambda **given: emit_annotation({"a": 1}, **given),
        lambda **given: emit_message("a", **given),
        lambda **given: emit_object([1], **given),
        lambda **given: emit_exception(ValueError("a"), **given),
    ],
)
async def test_a_tracer_has_to_be_active_unless_nothing_is_to_be_kept(emit, tracer):
    with pytest.raises(RuntimeError, match="No active tracer"):
        emit()
    emit(propagate=False)
    async with tracer.trace_context():
        emit(propagate=False)
        assert tracer.get_last_trace() == []
        emit()
    assert len(tracer.get_last_trace()) == 1


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_reward_is_finite(value):
    with pytest.raises(ValueError, match="finite"):
        emit_reward(value, propagate=False)
    with pytest.raises(ValueError, match="finite"):
        emit_reward({"a": 1.0, "b": value}, primary_key="a", propagate=False)


@pytest.mark.parametrize(
    "value", ["text", "", 7, -1, 0.5, True, False, b"\x00\xff", None, [1, {"a": None}], {"a": [1]}]
)
async def test_an_object_is_read_as_it_was(value, tracer):
    async with tracer.trace_context():
        emit_object(value)
    (span,) = tracer.get_last_trace()
    found = get_object_value(span)
    assert found == value
    assert type(found) is type(value)


def _span(name: str = "other", **attributes) -> Span:
    return Span.from_attributes(
        name=name, attributes={key.replace("__", "."): value for key, value in attributes.items()}
    )


@pytest.mark.parametrize(
    ("span", "value"),
    [
        (_span(agentlightning__reward__0__name="a", agentlightning__reward__0__value=2), 2.0),
        (_span("agentlightning.annotation", reward=0.5), 0.5),
        (_span("agentlightning.annotation", reward=1), 1.0),
        (_span("agentlightning.annotation", reward="much"), None),
        (_span("another", reward=0.5), None),
        (_span(agentops__task__output='{"type": "reward", "value": 0.5}'), 0.5),
        (_span(agentops__entity__output='{"type": "reward", "value": 1}'), 1.0),
        (_span(agentops__entity__output='{"type": "reward", "value": null}'), None),
        (_span(agentops__entity__output='{"type": "reward"'), None),
        (_span(agentops__entity__output="[1]"), None),
        # It begins like one, and is none: 0.3.0 fails on it.
        (_span(agentlightning__rewarded=1.0), None),
        (_span(), None),
    ],
)
def test_a_reward_is_read_in_every_form(span, value):
    assert get_reward_value(span) == value
    assert is_reward_span(span) is (value is not None)
    assert find_reward_spans([_span(), span]) == ([] if value is None else [span])
    assert find_final_reward([span, _span()]) == value


def test_the_dimensions_of_a_reward():
    core = emit_reward({"a": 1, "b": 0.5}, primary_key="b", propagate=False)
    assert [(one.name, one.value) for one in get_rewards_from_span(core)] == [("b", 0.5), ("a", 1)]
    assert get_reward_value(core) == 0.5
    assert get_rewards_from_span(_span()) == []
    assert find_final_reward([]) is None


def test_what_is_no_message_or_object():
    assert get_message_value(_span()) is None
    assert get_object_value(_span()) is None
    with pytest.raises(TypeError):
        get_message_value(_span(agentlightning__message__body=7))
    with pytest.raises(RuntimeError):
        get_object_value(_span(agentlightning__object__json="{broken"))
    with pytest.raises(RuntimeError):
        get_object_value(
            _span(agentlightning__object__type="Strange", agentlightning__object__literal="x")
        )


async def _halved(answer):
    await asyncio.sleep(0)
    return answer / 2


async def test_the_old_decorator_emits_and_warns_at_the_users_line(tracer):
    with pytest.warns(DeprecationWarning, match="emit_reward") as caught:
        right = reward(lambda answer: float(answer == 4))
    assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="emit_reward"):
        later = reward(_halved)
    async with tracer.trace_context():
        assert right(4) == 1.0
        assert await later(1) == 0.5
    assert later.__name__ == "_halved"
    assert [get_reward_value(span) for span in tracer.get_last_trace()] == [1.0, 0.5]


async def test_the_old_decorator_leaves_what_is_no_number_alone(tracer):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        nothing, text = reward(lambda: None), reward(lambda: "text")
    async with tracer.trace_context():
        assert nothing() is None
        with pytest.warns(UserWarning, match="no number"):
            assert text() == "text"
    assert tracer.get_last_trace() == []


async def test_an_exception_that_was_dealt_with_is_no_error(tracer):
    async with tracer.trace_context():
        try:
            raise ValueError("bad")
        except ValueError as error:
            emit_exception(error, attributes={"step": {"n": 1}})
    (span,) = tracer.get_last_trace()
    assert span.status.status_code == "OK"
    assert span.attributes["exception.type"] == "ValueError"
    assert span.attributes["step.n"] == 1
    assert "test_an_exception_that_was" in span.attributes["exception.stacktrace"]


def test_all_names_of_the_group_are_public():
    names = (
        "reward operation emit_reward get_reward_value get_rewards_from_span is_reward_span"
        " find_reward_spans find_final_reward emit_message emit_object emit_exception"
        " emit_annotation get_message_value get_object_value"
    ).split()
    assert len(names) == 14
    assert all(callable(getattr(agentlightning_compat, name)) for name in names)


async def test_what_is_emitted_can_be_written_as_json(tracer):
    async with tracer.trace_context():
        emit_annotation({"a": [1, 2], "b": {"c": "x"}})
    (span,) = tracer.get_last_trace()
    assert json.loads(span.model_dump_json())["attributes"] == {"a": [1, 2], "b.c": "x"}
