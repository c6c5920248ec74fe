"""What is special about the store in memory: bounds, sizes, indexes."""

from __future__ import annotations

import asyncio
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agentlightning_compat.model as names
from agentlightning_compat import errors
from agentlightning_compat.clock import ManualClock
from agentlightning_compat.store.memory import InMemoryLightningStore, drive
from agentlightning_compat.store.ordered import OrderedNumbers
from agentlightning_compat.store.span_codec import decode, encode
from tests.model.examples import spans as any_span
from tests.store.stage import Stage, refused


def bounded(eviction, safe, estimate=lambda span: 10) -> Stage:
    clock = ManualClock()
    store = InMemoryLightningStore(
        eviction_memory_threshold=eviction,
        safe_memory_threshold=safe,
        span_size_estimator=estimate,
        clock=clock,
    )
    return Stage(store, names, clock)


async def fill(stage, count, spans=3, finish=True):
    claimed = []
    for _ in range(count):
        one = await stage.claimed()
        stage.clock.advance(1)
        for number in range(1, spans + 1):
            await stage.add(one, number)
        if finish:
            await stage.report(one, "succeeded")
        claimed.append(one)
    return claimed


async def readable(stage, rollout) -> bool:
    try:
        return len(await stage.store.query_spans(rollout.rollout_id)) > 0
    except errors.SpansEvictedError:
        return False


async def test_the_oldest_spans_make_room():
    stage = bounded(100, 50)
    claimed = await fill(stage, 4)  # the fourth brings it from 90 to 120: 110 is too much
    assert [await readable(stage, one) for one in claimed] == [False, False, True, True]
    statistics = await stage.store.statistics()
    assert (statistics["total_spans"], statistics["total_span_bytes"]) == (6, 60)
    assert statistics["total_rollouts"] == statistics["total_attempts"] == 4
    assert statistics["eviction_threshold_bytes"] == 100
    assert statistics["safe_threshold_bytes"] == 50
    assert statistics["memory_capacity_bytes"] > 100


async def test_what_is_worked_on_is_dropped_last():
    stage = bounded(100, 50)
    (running,) = await fill(stage, 1, finish=False)
    done = await fill(stage, 3)
    assert await readable(stage, running)
    assert [await readable(stage, one) for one in done] == [False, False, True]


async def test_dropped_spans_are_not_an_empty_answer():
    stage = bounded(100, 0)
    (first,) = await fill(stage, 1, spans=11, finish=False)
    await refused(stage.store.query_spans(first.rollout_id), errors.SpansEvictedError)
    await refused(stage.store.query_spans(first.rollout_id), RuntimeError)
    # Later spans are heard, but what is left would not be all there was.
    assert await stage.add(first, 12) is not None
    await refused(stage.store.query_spans(first.rollout_id, "latest"), errors.SpansEvictedError)
    assert (await stage.store.statistics())["total_span_bytes"] == 0
    key = (first.rollout_id, first.attempt.attempt_id)
    assert await stage.store.get_next_span_sequence_id(*key) == 13


async def test_the_bounds_hold_whatever_comes():
    stage = bounded(200, 100, estimate=None)
    for _ in range(20):
        await fill(stage, 1)
        assert (await stage.store.statistics())["total_span_bytes"] <= 200


async def test_the_default_estimate_is_near_the_truth():
    store = InMemoryLightningStore()
    stage = Stage(store, names, ManualClock())
    claimed = await stage.claimed()
    before = sys.getallocatedblocks()
    for number in range(500):
        await stage.add(claimed, number, attributes={"text": "x" * 1000, "n": number})
    assert sys.getallocatedblocks() > before
    estimated = (await store.statistics())["total_span_bytes"] / 500
    assert 1300 < estimated < 2600


@pytest.mark.parametrize(
    ("eviction", "safe"),
    [(0, None), (-1, None), (1.5, None), (0.0, None), (100, 100), (100, -1), (0.2, 0.3), ("a", 1)],
)
def test_bounds_without_meaning(eviction, safe):
    with pytest.raises(ValueError):
        InMemoryLightningStore(eviction_memory_threshold=eviction, safe_memory_threshold=safe)


async def test_shares_of_the_memory():
    statistics = await InMemoryLightningStore(
        eviction_memory_threshold=0.5, safe_memory_threshold=0.25
    ).statistics()
    capacity = statistics["memory_capacity_bytes"]
    assert statistics["eviction_threshold_bytes"] == int(capacity * 0.5)
    assert statistics["safe_threshold_bytes"] == int(capacity * 0.25)
    statistics = await InMemoryLightningStore().statistics()
    assert statistics["eviction_threshold_bytes"] == int(capacity * 0.7)
    assert statistics["safe_threshold_bytes"] == int(int(capacity * 0.7) * 0.8)


@pytest.mark.parametrize("thread_safe", [True, False])
def test_capabilities_are_as_asked_for(thread_safe):
    assert InMemoryLightningStore(thread_safe=thread_safe).capabilities == {
        "thread_safe": thread_safe,
        "async_safe": True,
        "zero_copy": False,
        "otlp_traces": False,
    }


@given(any_span)
def test_a_span_comes_back_from_bytes(span):
    back = decode(span.rollout_id, span.attempt_id, span.sequence_id, encode(span))
    assert back == span
    assert back.model_dump_json() == span.model_dump_json()
    again = names.Span.model_validate(back.model_dump())
    assert again == span


class Odd(str):
    """Text of a class of its own, which marshal refuses."""

    __slots__ = ()


def test_spans_with_values_of_odd_classes():
    span = names.Span.from_attributes(attributes={"a": 1}, name="n")
    span.attributes["odd"] = Odd("x")
    back = decode("r", "a", 1, encode(span))
    assert back.attributes == {"a": 1, "odd": "x"}
    span.attributes["odd"] = lambda: None
    with pytest.raises(errors.UnstorableValueError):
        encode(span)


@given(st.lists(st.integers(0, 5000), unique=True), st.integers(0, 40), st.integers(-1, 40))
def test_ordered_numbers(numbers, offset, limit):
    ordered = OrderedNumbers()
    kept = set(range(2000, 4600))
    for number in range(2000, 4600):
        ordered.add(number)
    for number in numbers:
        (ordered.remove if number in kept else ordered.add)(number)
        kept ^= {number}
    assert list(ordered) == sorted(kept)
    assert len(ordered) == len(kept)
    end = None if limit < 0 else offset + limit
    assert ordered.part(offset, limit) == sorted(kept)[offset:end]


def test_numbers_that_are_all_taken_out():
    ordered = OrderedNumbers()
    for number in range(3000):
        ordered.add(number)
    for number in range(3000):
        ordered.remove(number)
    assert (list(ordered), ordered.part(0, -1)) == ([], [])
    ordered.add(7)
    assert list(ordered) == [7]


def test_an_operation_that_waits_is_a_mistake():
    async def waits() -> None:
        await asyncio.sleep(0)

    with pytest.raises(errors.InternalError):
        drive(waits())
