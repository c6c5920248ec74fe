"""From `init` to `teardown`, and what the store knows of the worker meanwhile."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading

import pytest

from agentlightning_compat import InMemoryLightningStore, LitAgent, LitAgentRunner, Runner
from tests.runner.worker import BareTracer, runner_for, stocked, until, within


class MyAgent(LitAgent[dict]):
    def rollout(self, task, resources, rollout):
        return 0.5


def beating() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "heartbeat" in thread.name]


async def test_the_example_of_the_migration_guide():
    store, tracer = InMemoryLightningStore(), BareTracer()
    await store.add_resources({})
    rollouts = [await store.enqueue_rollout({"question": n}, mode="train") for n in range(100)]

    runner = LitAgentRunner[dict](tracer=tracer, max_rollouts=100)
    runner.init(agent=MyAgent())
    runner.init_worker(worker_id=0, store=store)
    await within(runner.iter())

    done = await store.query_rollouts(status_in=["succeeded"])
    assert {r.rollout_id for r in done} == {r.rollout_id for r in rollouts}
    runner.teardown_worker(0)
    runner.teardown()
    assert tracer.calls == ["init", ("init_worker", 0), ("teardown_worker", 0), "teardown"]


async def test_the_worker_is_registered_before_it_does_anything():
    store = InMemoryLightningStore()
    runner = runner_for(MyAgent(), store, heartbeat_interval=30.0)
    assert await store.get_worker_by_id("Worker-0") is not None
    runner.teardown()


def test_the_worker_is_registered_outside_of_any_loop():
    store = InMemoryLightningStore()
    runner = runner_for(MyAgent(), store, heartbeat_interval=30.0)
    assert asyncio.run(store.get_worker_by_id("Worker-0")) is not None
    runner.teardown_worker(0)


async def test_tearing_down_ends_the_heartbeat():
    runner = runner_for(MyAgent(), InMemoryLightningStore(), heartbeat_interval=30.0)
    assert beating() == ["Worker-0-heartbeat"]
    runner.teardown_worker(0)
    assert beating() == []
    runner.teardown_worker(0)
    runner.teardown()


async def test_a_runner_that_is_dropped_beats_no_more():
    runner = runner_for(MyAgent(), InMemoryLightningStore(), heartbeat_interval=30.0)
    assert beating()
    del runner
    gc.collect()
    await until(lambda: not beating())


async def test_a_runner_can_be_used_again():
    agent, runner = MyAgent(), LitAgentRunner[dict](BareTracer(), max_rollouts=1)
    for number in (1, 2):
        store, _ = await stocked()
        runner.init(agent=agent)
        runner.init_worker(worker_id=number, store=store)
        assert runner.get_worker_id() == f"Worker-{number}"
        await within(runner.iter())
        assert [w.worker_id for w in await store.query_workers()] == [f"Worker-{number}"]
        runner.teardown_worker(number)
        runner.teardown()
    assert runner.get_worker_id() == "Worker-Unknown"


async def test_what_was_not_initialised_says_so():
    runner = LitAgentRunner[dict](BareTracer())
    for call in (runner.get_agent, runner.get_store):
        with pytest.raises(ValueError, match="call init"):
            call()
    with pytest.raises(ValueError, match="has no agent"):
        await runner.iter()
    with pytest.raises(ValueError, match="has no agent"):
        await runner.step({})


def test_a_runner_is_not_run():
    with pytest.raises(RuntimeError, match="await iter"):
        LitAgentRunner[dict](BareTracer()).run()


@pytest.mark.parametrize(
    ("option", "value"), [("concurrency", 0), ("heartbeat_launch_mode", "process")]
)
def test_arguments_that_make_no_sense(option, value):
    with pytest.raises(ValueError, match=option):
        LitAgentRunner[dict](BareTracer(), **{option: value})


async def test_run_context_sets_up_and_tears_down():
    store, tracer, agent = InMemoryLightningStore(), BareTracer(), MyAgent()
    runner = LitAgentRunner[dict](tracer)
    with runner.run_context(agent=agent, store=store, worker_id=7) as inside:
        assert inside is runner
        assert agent.runner is runner
        assert agent.tracer is tracer
        assert runner.get_store() is store
        finished = await runner.step({"question": 1}, resources={})
        assert finished.status == "succeeded"
    assert tracer.calls == ["init", ("init_worker", 7), ("teardown_worker", 7), "teardown"]
    with pytest.raises(ValueError, match="has no agent"):
        runner.get_agent()


def test_run_context_keeps_the_error_and_logs_those_of_the_teardown(caplog):
    class Torn(BareTracer):
        def teardown_worker(self, worker_id, *args, **kwargs):
            raise OSError("torn")

    runner = LitAgentRunner[dict](Torn())
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(KeyError),
        runner.run_context(agent=MyAgent(), store=InMemoryLightningStore()),
    ):
        raise KeyError
    assert "teardown_worker of LitAgentRunner failed" in caplog.text
    assert runner.tracer.calls[-1] == "teardown"


def test_run_context_that_fails_half_way_tears_down_half():
    class Unready(BareTracer):
        def init_worker(self, worker_id, store=None, **kwargs):
            raise OSError("not ready")

    runner = LitAgentRunner[dict](Unready())
    with (
        pytest.raises(OSError, match="not ready"),
        runner.run_context(agent=MyAgent(), store=InMemoryLightningStore()),
    ):
        raise AssertionError("it was not set up")
    assert runner.tracer.calls == ["init", "teardown"]


async def test_the_contract_alone_does_nothing():
    bare = Runner[dict]()
    for call in (
        lambda: bare.init(MyAgent()),
        lambda: bare.init_worker(0, InMemoryLightningStore()),
        lambda: bare.teardown_worker(0),
        bare.teardown,
    ):
        with pytest.raises(NotImplementedError, match="Runner has no"):
            call()
    with pytest.raises(NotImplementedError):
        await bare.iter()
    with pytest.raises(NotImplementedError):
        await bare.step({})


async def test_a_method_of_0_1_is_warned_of_and_works():
    class Legacy(LitAgent[int]):
        def training_rollout(self, task, rollout_id, resources):
            self.seen = (task, rollout_id, resources)
            return 1.0

    agent = Legacy()
    store = InMemoryLightningStore()
    with pytest.warns(DeprecationWarning, match="signature of 0.1") as warned:
        runner = runner_for(agent, store)
    assert warned[0].filename == __file__
    finished = await runner.step(3, resources={}, mode="train")
    assert agent.seen == (3, finished.rollout_id, {})
    assert finished.status == "succeeded"
    runner.teardown()
