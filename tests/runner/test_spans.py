"""A thousand rollouts, 64 at once: no span in the wrong rollout, none lost."""

from __future__ import annotations

import asyncio
import threading

import pytest

from agentlightning_compat import (
    DummyTracer,
    InMemoryLightningStore,
    LitAgent,
    LitAgentRunner,
    OtelTracer,
    emit_annotation,
    emit_message,
    operation,
)
from tests.runner.worker import statuses, stocked, within

COUNT = 1000


class Async(LitAgent[int]):
    async def rollout_async(self, task, resources, rollout):
        emit_annotation({"n": task, "step": 1})
        await asyncio.sleep(0)
        with operation(name="think", n=task):
            await asyncio.sleep(0.001 * (task % 3))
            emit_annotation({"n": task, "step": 2})
        # A task of its own is in the context of its rollout.
        await asyncio.create_task(self.later(task))
        return float(task)

    async def later(self, task):
        await asyncio.sleep(0)
        emit_message(f"message of {task}")


class Sync(LitAgent[int]):
    def rollout(self, task, resources, rollout):
        emit_annotation({"n": task, "step": 1})
        with operation(name="think", n=task):
            threading.Event().wait(0.001 * (task % 3))
            emit_annotation({"n": task, "step": 2})
        emit_message(f"message of {task}")
        return float(task)


def said(span) -> object:
    """What a span says of its rollout."""
    found = {k: v for k, v in span.attributes.items() if k.rpartition(".")[2] == "n"}
    if found:
        return set(found.values()).pop()
    if "agentlightning.message.body" in span.attributes:
        return int(span.attributes["agentlightning.message.body"].rpartition(" ")[2])
    return int(span.attributes["agentlightning.reward.0.value"])


@pytest.mark.parametrize("tracer", [DummyTracer, OtelTracer])
@pytest.mark.parametrize("agent", [Async, Sync])
async def test_every_span_is_where_it_belongs(agent, tracer):
    store, rollouts = await stocked(COUNT, InMemoryLightningStore())
    runner = LitAgentRunner[int](tracer(), max_rollouts=COUNT, concurrency=64)
    with runner.run_context(agent=agent(), store=store):
        await within(runner.iter())
    assert await statuses(store) == ["succeeded"] * COUNT
    assert runner.tally.reward_sum == sum(range(COUNT))
    for rollout in rollouts:
        spans = await store.query_spans(rollout.rollout_id)
        assert [said(span) for span in spans] == [rollout.input] * 5
        assert [span.sequence_id for span in spans] == [1, 2, 3, 4, 5]
        by_step = {span.attributes.get("step"): span for span in spans}
        (think,) = [span for span in spans if span.name == "agentlightning.operation"]
        assert by_step[2].parent_id == think.span_id
        assert len({span.span_id for span in spans}) == 5
