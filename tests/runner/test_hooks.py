"""Hooks: their order, what they are given, and that nothing they do reaches the rollout."""

from __future__ import annotations

import asyncio
import logging
from contextvars import ContextVar

import pytest

from agentlightning_compat import Hook, LitAgent
from tests.runner.worker import FlakyStore, failure, runner_for, statuses, stocked, within

NAMES = ("on_rollout_start", "on_trace_start", "on_trace_end", "on_rollout_end")


class Agent(LitAgent[int]):
    def __init__(self, log=None) -> None:
        self.log = log

    async def rollout_async(self, task, resources, rollout):
        if self.log is not None:
            self.log.append("agent")
        self.tracer.note("step", n=task)
        if task < 0:
            raise ValueError("below zero")
        return float(task)


def make(method, *names):
    """A hook class with this method under these names, called with the name first."""

    def bound(name):
        async def hook(self, **given):
            return await method(self, name, **given)

        return hook

    return type("Made", (Hook,), {name: bound(name) for name in names or NAMES})


def recording(log):
    async def record(self, name, **given):
        log.append((name, given))

    return make(record)()


async def run(store, agent, hooks, **options):
    runner = runner_for(agent, store, hooks=hooks, **options)
    await within(runner.iter())
    runner.teardown()
    return runner


async def test_order_and_arguments():
    store, (rollout,) = await stocked()
    log = []
    agent = Agent(log)
    runner = await run(store, agent, [recording(log)], max_rollouts=1)
    names = [entry if entry == "agent" else entry[0] for entry in log]
    assert names == [
        "on_rollout_start",
        "on_trace_start",
        "agent",
        "on_trace_end",
        "on_rollout_end",
    ]
    given = {entry[0]: entry[1] for entry in log if entry != "agent"}
    for name in NAMES:
        assert given[name]["agent"] is agent
        assert given[name]["runner"] is runner
        assert given[name]["rollout"].attempt.rollout_id == rollout.rollout_id
    common = {"agent", "runner", "rollout"}
    assert set(given["on_rollout_start"]) == common
    assert set(given["on_trace_start"]) == set(given["on_trace_end"]) == common | {"tracer"}
    assert set(given["on_rollout_end"]) == common | {"spans"}
    assert given["on_trace_start"]["tracer"] is runner.tracer


async def test_the_spans_at_the_end_are_those_stored():
    store, (rollout,) = await stocked()
    log = []
    await run(store, Agent(), [recording(log)], max_rollouts=1)
    spans = log[-1][1]["spans"]
    assert [span.name for span in spans] == ["step", "agentlightning.annotation"]
    assert list(spans) == list(await store.query_spans(rollout.rollout_id))


async def test_the_attempt_is_reported_after_its_last_hook():
    store, _ = await stocked()
    seen = []

    async def look(self, name, rollout, **given):
        seen.append((await store.get_rollout_by_id(rollout.rollout_id)).status)

    await run(store, Agent(), [make(look, "on_rollout_end")()], max_rollouts=1)
    assert seen == ["running"]
    assert await statuses(store) == ["succeeded"]


async def test_a_failing_agent_has_no_end_of_its_trace():
    store, _ = await stocked(0)
    await store.enqueue_rollout(-1)
    log = []
    await run(store, Agent(), [recording(log)], max_rollouts=1)
    assert [name for name, _ in log] == ["on_rollout_start", "on_trace_start", "on_rollout_end"]
    assert [span.name for span in log[-1][1]["spans"]] == ["step"]


@pytest.mark.parametrize("error", [ValueError("oh"), SystemExit(2), asyncio.CancelledError()])
@pytest.mark.parametrize("name", NAMES)
async def test_an_error_reaches_nobody_else(name, error, caplog):
    if isinstance(error, asyncio.CancelledError) and not hasattr(asyncio.Task, "cancelling"):
        pytest.skip("before 3.11 a task cannot tell whose cancellation it is")
    store, _ = await stocked()

    async def fail(self, name, **given):
        raise error

    log = []
    failing = make(fail, name)()
    with caplog.at_level(logging.ERROR):
        await run(store, Agent(), [failing, recording(log)], max_rollouts=1)
    assert [entry for entry, _ in log] == list(NAMES)
    assert await statuses(store) == ["succeeded"]
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{name} of tests.runner.test_hooks.Made ")
    assert record.exc_info is not None


@pytest.mark.parametrize("name", NAMES)
async def test_a_hook_that_hangs_is_left_behind(name, caplog):
    store, _ = await stocked()

    async def hang(self, name, **given):
        await asyncio.Event().wait()

    log = []
    with caplog.at_level(logging.ERROR):
        hooks = [make(hang, name)(), recording(log)]
        await run(store, Agent(), hooks, max_rollouts=1, hook_timeout=0.02)
    assert [entry for entry, _ in log] == list(NAMES)
    assert await statuses(store) == ["succeeded"]
    assert "took longer than 0.02 s" in caplog.text


async def test_a_hook_that_hangs_does_not_keep_a_second_stop():
    store, _ = await stocked()
    hanging = asyncio.Event()

    async def hang(self, name, **given):
        hanging.set()
        await asyncio.Event().wait()

    runner = runner_for(Agent(), store, hooks=[make(hang, "on_rollout_end")()], hook_timeout=None)
    running = asyncio.ensure_future(runner.iter())
    await within(hanging.wait())
    runner.stop()
    runner.stop()
    await within(running)
    # The agent was through, and its result stored: that stands.
    assert await statuses(store) == ["succeeded"]
    runner.teardown()


async def test_objects_with_some_of_the_methods():
    store, _ = await stocked()
    log = []

    class Some:
        async def on_rollout_end(self, *, agent, runner, rollout, spans):
            log.append(len(spans))

    class Sync:
        def on_trace_start(self, *, agent, runner, tracer, rollout):
            log.append("sync")

    await run(store, Agent(), [Some(), Sync(), object()], max_rollouts=1)
    assert log == ["sync", 2]


async def test_a_hook_runs_in_the_context_of_its_rollout():
    store, _ = await stocked(8)
    mark: ContextVar[int] = ContextVar("mark")

    class Marks:
        async def on_trace_start(self, *, agent, runner, tracer, rollout):
            await asyncio.sleep(0)
            mark.set(rollout.input)
            tracer.note("by the hook", n=rollout.input)

    class Reads(LitAgent[int]):
        async def rollout_async(self, task, resources, rollout):
            await asyncio.sleep(0)
            return float(mark.get())

    runner = await run(store, Reads(), [Marks()], max_rollouts=8, concurrency=8)
    assert runner.tally.reward_sum == sum(range(8))
    for rollout in await store.query_rollouts():
        first, reward = await store.query_spans(rollout.rollout_id)
        assert first.attributes == {"n": rollout.input}
        assert reward.attributes["agentlightning.reward.0.value"] == rollout.input


async def test_without_resources_no_hook_is_called():
    store, (rollout,) = await stocked(1, None)
    await store.update_rollout(rollout.rollout_id, resources_id="rs-unknown")
    log = []
    await run(store, Agent(), [recording(log)], max_rollouts=1)
    assert log == []
    assert "rs-unknown" in await failure(store, rollout)


async def test_the_hooks_of_a_runner_may_be_replaced_while_it_runs():
    store, _ = await stocked(2)
    log = []

    async def replace(self, name, runner, **given):
        runner._hooks = [recording(log)]

    await run(store, Agent(), [make(replace, "on_rollout_end")()], max_rollouts=2)
    assert [name for name, _ in log] == list(NAMES)


async def test_spans_that_cannot_be_read_are_those_known():
    class Unreadable(FlakyStore):
        async def query_spans(self, *args, **kwargs):
            raise RuntimeError("no")

    store, _ = await stocked(1, Unreadable())
    log = []
    await run(store, Agent(), [recording(log)], max_rollouts=1)
    assert [span.name for span in log[-1][1]["spans"]] == ["step", "agentlightning.annotation"]
    assert await statuses(store) == ["succeeded"]
