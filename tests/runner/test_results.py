"""What agents may return, and what becomes of it."""

from __future__ import annotations

import logging
import math

import pytest

from agentlightning_compat import (
    InMemoryLightningStore,
    LitAgent,
    Span,
    SpanCoreFields,
    TraceStatus,
)
from tests.runner.worker import failure, runner_for, statuses, stocked, within

ANNOTATION = "agentlightning.annotation"
NAME, REWARD = "agentlightning.reward.0.name", "agentlightning.reward.0.value"


class Returns(LitAgent[int]):
    def __init__(self, make) -> None:
        self.make = make

    async def rollout_async(self, task, resources, rollout):
        self.tracer.note("traced")
        return self.make(rollout) if callable(self.make) else self.make


async def returned(value):
    """The store, the rollout and its spans after an agent returned this (or what it makes)."""
    store, (rollout,) = await stocked()
    runner = runner_for(Returns(value), store, max_rollouts=1)
    await within(runner.iter())
    runner.teardown()
    return store, rollout, list(await store.query_spans(rollout.rollout_id))


def core(name="returned", **attributes) -> SpanCoreFields:
    return SpanCoreFields(
        name=name,
        status=TraceStatus(status_code="OK"),
        attributes=attributes,
        start_time=1.0,
        end_time=2.0,
    )


async def test_none_leaves_what_was_traced():
    store, _, spans = await returned(None)
    assert await statuses(store) == ["succeeded"]
    assert [span.name for span in spans] == ["traced"]


@pytest.mark.parametrize(("value", "reward"), [(0.5, 0.5), (2, 2.0), (True, 1.0), (False, 0.0)])
async def test_a_number_is_the_final_reward(value, reward, caplog):
    with caplog.at_level(logging.WARNING):
        store, _, spans = await returned(value)
    assert await statuses(store) == ["succeeded"]
    assert [span.name for span in spans] == ["traced", ANNOTATION]
    assert spans[1].attributes == {NAME: "primary", REWARD: reward}
    assert type(spans[1].attributes[REWARD]) is float
    assert [span.sequence_id for span in spans] == [1, 2]
    assert caplog.text == ""


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
async def test_a_reward_that_is_no_finite_number(value):
    store, rollout, spans = await returned(value)
    assert await statuses(store) == ["failed"]
    assert f"returned {value} as its reward" in await failure(store, rollout)
    assert [span.name for span in spans] == ["traced"]


async def test_an_empty_list_is_warned_of(caplog):
    with caplog.at_level(logging.WARNING):
        store, rollout, spans = await returned([])
    assert await statuses(store) == ["succeeded"]
    assert [span.name for span in spans] == ["traced"]
    assert f"empty list for {rollout.rollout_id}" in caplog.text


async def test_core_fields_are_numbered_and_stored():
    store, _, spans = await returned([core("a", x=1), core("b", **{NAME: "primary", REWARD: 0.5})])
    assert await statuses(store) == ["succeeded"]
    assert [(span.name, span.sequence_id) for span in spans] == [("traced", 1), ("a", 2), ("b", 3)]
    assert (spans[1].attributes, spans[1].start_time, spans[1].end_time) == ({"x": 1}, 1.0, 2.0)


async def test_spans_are_stored_as_they_are():
    def make(rollout):
        key = {"rollout_id": rollout.rollout_id, "attempt_id": rollout.attempt.attempt_id}
        return [Span.from_attributes(attributes={"x": 1}, sequence_id=9, name="mine", **key)]

    store, _, spans = await returned(make)
    assert await statuses(store) == ["succeeded"]
    assert [(span.name, span.sequence_id) for span in spans] == [("traced", 1), ("mine", 9)]


async def test_spans_of_nobody_are_of_this_attempt():
    store, _, spans = await returned(
        [Span.from_attributes(attributes={}, name=name) for name in ("a", "b")]
    )
    assert await statuses(store) == ["succeeded"]
    assert [(span.name, span.sequence_id) for span in spans] == [("traced", 1), ("a", 2), ("b", 3)]


async def test_spans_of_another_rollout_are_refused():
    def make(rollout):
        other = {"rollout_id": "ro-other", "attempt_id": rollout.attempt.attempt_id}
        return [Span.from_attributes(attributes={}, **other)]

    store, rollout, spans = await returned(make)
    assert await statuses(store) == ["failed"]
    assert "a span of ro-other" in await failure(store, rollout)
    assert [span.name for span in spans] == ["traced"]


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("text", "returned 'text' (builtins.str); accepted are None, a number"),
        ({"reward": 1.0}, "returned {'reward': 1.0} (builtins.dict)"),
        ((1.0,), "(builtins.tuple)"),
        (Unprintable(), "(tests.runner.test_results.Unprintable); accepted"),
        ([1.0, "x", 2.0], "returned a list of float, str; accepted are None, a number"),
        ([core(), 1.0], "returned a list of SpanCoreFields, float"),
        (b"x" * 10_000, "(builtins.bytes)"),
    ],
)
async def test_anything_else_fails_the_attempt(value, said):
    store, rollout, spans = await returned(value)
    assert await statuses(store) == ["failed"]
    why = await failure(store, rollout)
    assert said in why
    assert len(why) < 500
    assert [span.name for span in spans] == ["traced"]


@pytest.mark.parametrize(("value", "kind"), [("text", TypeError), ([1.0], ValueError)])
async def test_step_raises_it(value, kind):
    runner = runner_for(Returns(value), InMemoryLightningStore())
    with pytest.raises(kind, match="accepted are"):
        await within(runner.step(1, resources={}))
    runner.teardown()


async def test_a_sync_method_that_returns_a_coroutine():
    class Lazy(LitAgent[int]):
        def rollout(self, task, resources, rollout):
            async def later():
                return 0.5

            return later()

    store, (rollout,) = await stocked()
    runner = runner_for(Lazy(), store, max_rollouts=1)
    await within(runner.iter())
    runner.teardown()
    (span,) = await store.query_spans(rollout.rollout_id)
    assert span.attributes[REWARD] == 0.5


async def test_the_tally_has_the_rewards():
    store, _ = await stocked(4)

    class Some(LitAgent[int]):
        async def rollout_async(self, task, resources, rollout):
            return [None, 0.5, [core(**{NAME: "primary", REWARD: 1.5})], "no"][task]

    runner = runner_for(Some(), store, max_rollouts=4)
    assert runner.tally.mean_reward is None
    await within(runner.iter())
    assert str(runner.tally) == "3 succeeded, 1 failed, 0 running, mean reward 1"
    assert runner.tally.done == 4
    runner.teardown()


async def test_a_reward_that_is_half_written_is_stored_and_not_counted(caplog):
    with caplog.at_level(logging.WARNING):
        store, _, spans = await returned([core(**{REWARD: 1.5})])
    assert await statuses(store) == ["succeeded"]
    assert spans[1].attributes == {REWARD: 1.5}
    assert "looks like a reward" in caplog.text
