"""Agents, tracers and stores that misbehave: every attempt ends in the store, with a reason."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import asynccontextmanager
from functools import partial

import pytest

from agentlightning_compat import InMemoryLightningStore, LitAgent
from agentlightning_compat.clock import ManualClock
from agentlightning_compat.errors import StorageFullError
from agentlightning_compat.runner.patience import Patience
from tests.runner.worker import (
    BareTracer,
    FlakyStore,
    failure,
    runner_for,
    statuses,
    stocked,
    until,
    within,
)


def raising(error, sync):
    """An agent that raises this for task 0, and does all others."""

    def do(task):
        if task == 0:
            raise error
        return 1.0

    if sync:

        class Sync(LitAgent[int]):
            def rollout(self, task, resources, rollout):
                self.tracer.note("before")
                return do(task)

        return Sync()

    class Async(LitAgent[int]):
        async def rollout_async(self, task, resources, rollout):
            self.tracer.note("before")
            return do(task)

    return Async()


class Odd(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


class BaseOdd(BaseException):
    pass


ERRORS = [
    (ValueError("oh"), "ValueError: oh"),
    (SystemExit(3), "SystemExit: sys.exit(3)"),
    (StopIteration(1), "StopIteration"),
    (GeneratorExit(), "GeneratorExit"),
    (TimeoutError("mine"), "TimeoutError: mine"),
    (Odd(), "Odd"),
    (BaseOdd("base"), "BaseOdd: base"),
    (asyncio.CancelledError("inner"), "CancelledError: inner"),
]


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
@pytest.mark.parametrize(("error", "said"), ERRORS, ids=lambda value: type(value).__name__)
async def test_what_an_agent_raises_ends_its_attempt_only(error, said, sync):
    store, rollouts = await stocked(3)
    runner = runner_for(raising(error, sync), store, max_rollouts=3)
    await within(runner.iter())
    runner.teardown()
    assert await statuses(store) == ["failed", "succeeded", "succeeded"]
    assert said in await failure(store, rollouts[0])
    assert [s.name for s in await store.query_spans(rollouts[0].rollout_id)] == ["before"]


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
async def test_keyboard_interrupt_ends_the_runner_in_order(sync):
    store, rollouts = await stocked(3)
    runner = runner_for(raising(KeyboardInterrupt(), sync), store)
    with pytest.raises(KeyboardInterrupt):
        await within_here(runner.iter())
    runner.teardown()
    assert await statuses(store) == ["failed", "queuing", "queuing"]
    assert await failure(store, rollouts[0]) == "KeyboardInterrupt"


async def within_here(coroutine):
    """Awaited in this very task: another one would hand KeyboardInterrupt to the event loop."""
    return await coroutine


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
@pytest.mark.parametrize("error", [ValueError("oh"), SystemExit(3), KeyboardInterrupt()])
async def test_step_raises_what_the_agent_raised(error, sync):
    runner = runner_for(raising(error, sync), store := InMemoryLightningStore())
    with pytest.raises(type(error)) as raised:
        await within_here(runner.step(0, resources={}))
    runner.teardown()
    assert raised.value is error
    assert await statuses(store) == ["failed"]


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
async def test_an_agent_that_hangs_is_left_behind_when_its_time_is_over(sync):
    # The second rollout has no limit, so that only the first can time out.
    store, (hanging,) = await stocked(1, timeout_seconds=0.05)
    await store.enqueue_rollout(1)
    let_go, woken = threading.Event(), []

    class HangsSync(LitAgent[int]):
        def rollout(self, task, resources, rollout):
            if task == 0:
                let_go.wait(60)
            return 1.0

    class HangsAsync(LitAgent[int]):
        async def rollout_async(self, task, resources, rollout):
            if task == 0:
                try:
                    await asyncio.Event().wait()
                finally:
                    woken.append(task)
            return 1.0

    runner = runner_for(HangsSync() if sync else HangsAsync(), store, max_rollouts=2)
    await within(runner.iter())
    let_go.set()
    runner.teardown()
    assert await statuses(store) == ["failed", "succeeded"]
    attempt = await store.get_latest_attempt(hanging.rollout_id)
    assert attempt.status == "timeout"
    assert woken == ([] if sync else [0])


async def test_an_attempt_that_timed_out_is_tried_again():
    # By the store's clock no time goes by: it is the runner that ends the attempt.
    store, (rollout,) = await stocked(
        1,
        InMemoryLightningStore(clock=ManualClock()),
        timeout_seconds=0.05,
        max_attempts=2,
        retry_condition=["timeout"],
    )

    class OnceTooLate(LitAgent[int]):
        async def rollout_async(self, task, resources, rollout):
            if rollout.attempt.sequence_id == 1:
                await asyncio.Event().wait()
            return 1.0

    runner = runner_for(OnceTooLate(), store, max_rollouts=2)
    await within(runner.iter())
    runner.teardown()
    assert await statuses(store) == ["succeeded"]
    attempts = await store.query_attempts(rollout.rollout_id)
    assert [attempt.status for attempt in attempts] == ["timeout", "succeeded"]


async def test_an_agent_that_makes_another_error_of_its_timeout():
    store, (rollout,) = await stocked(1, timeout_seconds=0.05)

    class Translates(LitAgent[int]):
        async def rollout_async(self, task, resources, rollout):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise ConnectionError("the client was closed") from None

    runner = runner_for(Translates(), store, max_rollouts=1)
    await within(runner.iter())
    runner.teardown()
    assert (await store.get_latest_attempt(rollout.rollout_id)).status == "timeout"
    assert "the agent took longer than 0.05 s" in await failure(store, rollout)


@pytest.mark.parametrize("known", [True, False], ids=["unknown id", "none at all"])
async def test_missing_resources_fail_the_attempt(known):
    store = InMemoryLightningStore()
    rollout = await store.enqueue_rollout(0, resources_id="rs-gone" if known else None)
    runner = runner_for(raising(None, sync=True), store, max_rollouts=1)
    await within(runner.iter())
    runner.teardown()
    assert await statuses(store) == ["failed"]
    why = await failure(store, rollout)
    assert ("rs-gone" if known else "does not have resources") in why
    assert "add_resources({})" in why


async def test_missing_resources_in_a_step():
    runner = runner_for(raising(None, sync=True), store := InMemoryLightningStore())
    with pytest.raises(RuntimeError, match="does not have resources"):
        await within(runner.step(1))
    runner.teardown()
    assert await statuses(store) == ["failed"]


class Goes(LitAgent[int]):
    """Sends the store away, and comes back at once or fails."""

    def __init__(self, store, error=None) -> None:
        self.store = store
        self.error = error

    async def rollout_async(self, task, resources, rollout):
        self.tracer.note("before")
        self.store.away = True
        if self.error is not None:
            raise self.error
        return 1.0


class Late(BareTracer):
    """Stores nothing at the end of the context: the store is away."""

    def note(self, name, **attributes):
        pass


@pytest.mark.parametrize("error", [None, ValueError("oh")], ids=["succeeds", "fails"])
async def test_a_store_that_is_away_for_a_while_hears_the_result(error):
    store, (rollout,) = await stocked(1, FlakyStore())
    runner = runner_for(Goes(store, error), store, tracer=Late(), max_rollouts=1)
    running = asyncio.ensure_future(runner.iter())
    await until(lambda: len(store.noticed) >= 3)
    store.away = False
    await within(running)
    runner.teardown()
    if error is None:
        assert await statuses(store) == ["succeeded"]
        assert len(await store.query_spans(rollout.rollout_id)) == 1
    else:
        assert await statuses(store) == ["failed"]
        assert await failure(store, rollout) == "ValueError: oh"


async def test_a_store_that_is_away_is_claimed_from_when_it_is_back(caplog):
    store, _ = await stocked(1, FlakyStore())
    store.away = True
    runner = runner_for(raising(None, sync=True), store, max_rollouts=1)
    with caplog.at_level(logging.WARNING):
        running = asyncio.ensure_future(runner.iter())
        await until(lambda: store.noticed.count("Dequeue") >= 3)
        store.away = False
        await within(running)
    runner.teardown()
    assert len([r for r in caplog.records if "cannot claim" in r.getMessage()]) == 1
    assert runner.tally.done == 1


async def test_a_stop_while_the_store_is_away():
    store, _ = await stocked(1, FlakyStore())
    store.away = True
    runner = runner_for(raising(None, sync=True), store)
    running = asyncio.ensure_future(runner.iter())
    await within(store.met.wait())
    runner.stop()
    await within(running)
    runner.teardown()
    assert runner.tally.done == 0


async def test_a_store_that_never_comes_back_is_not_silence(caplog):
    store, (rollout,) = await stocked(1, FlakyStore())
    runner = runner_for(Goes(store), store, tracer=Late(), max_rollouts=1)
    runner._patience = partial(Patience, 0.01, pauses=(0.001,))
    with caplog.at_level(logging.ERROR):
        await within(runner.iter())
    runner.teardown()
    assert f"nobody knows that {rollout.rollout_id}" in caplog.text
    store.away = False
    assert await statuses(store) == ["preparing"]


async def test_a_store_that_refuses_spans_fails_the_attempt():
    class Full(InMemoryLightningStore):
        async def add_many_spans(self, spans):
            raise StorageFullError("no room")

    store, (rollout,) = await stocked(1, Full())
    runner = runner_for(Returns(), store, max_rollouts=1)
    await within(runner.iter())
    runner.teardown()
    assert await statuses(store) == ["failed"]
    assert await failure(store, rollout) == "StorageFullError: no room"


async def test_a_tracer_that_fails_at_the_end_fails_the_attempt():
    class Torn(BareTracer):
        @asynccontextmanager
        async def trace_context(self, name=None, **where):
            async with super().trace_context(name, **where):
                yield self
            raise StorageFullError("no room")

    store, (rollout,) = await stocked(1)
    runner = runner_for(Returns(), store, tracer=Torn(), max_rollouts=1)
    await within(runner.iter())
    runner.teardown()
    assert await failure(store, rollout) == "StorageFullError: no room"


class Returns(LitAgent[int]):
    async def rollout_async(self, task, resources, rollout):
        return 1.0


async def test_a_tracer_without_contexts_fails_every_attempt():
    class Bare(BareTracer):
        trace_context = property(lambda self: missing())

    def missing():
        raise NotImplementedError("Bare has no trace_context")

    store, (rollout,) = await stocked(1)
    runner = runner_for(Returns(), store, tracer=Bare(), max_rollouts=1)
    await within(runner.iter())
    runner.teardown()
    assert "Bare has no trace_context" in await failure(store, rollout)


async def test_what_an_attempt_knew_of_itself_is_kept_beside_the_reason():
    store, (rollout,) = await stocked(1)

    class Notes(LitAgent[int]):
        async def rollout_async(self, task, resources, rollout):
            key = (rollout.rollout_id, rollout.attempt.attempt_id)
            await store.update_attempt(*key, metadata={"mine": 1})
            raise ValueError("oh")

    runner = runner_for(Notes(), store, max_rollouts=1)
    await within(runner.iter())
    runner.teardown()
    attempt = await store.get_latest_attempt(rollout.rollout_id)
    assert attempt.metadata == {"mine": 1, "failure": "ValueError: oh"}


async def test_another_attempt_is_not_told_why_this_one_failed():
    store, (rollout,) = await stocked(1)

    class Overtaken(LitAgent[int]):
        async def rollout_async(self, task, resources, rollout):
            await store.start_attempt(rollout.rollout_id)
            raise ValueError("oh")

    runner = runner_for(Overtaken(), store, max_rollouts=1)
    await within(runner.iter())
    runner.teardown()
    first, second = await store.query_attempts(rollout.rollout_id)
    assert (first.status, first.metadata) == ("failed", None)
    assert (second.status, second.metadata) == ("preparing", None)


async def test_a_rollout_that_was_cancelled_meanwhile_stays_cancelled():
    store, (rollout,) = await stocked(1)

    class Cancelled(LitAgent[int]):
        async def rollout_async(self, task, resources, rollout):
            await store.update_rollout(rollout.rollout_id, status="cancelled")
            return 1.0

    runner = runner_for(Cancelled(), store, max_rollouts=1)
    await within(runner.iter())
    runner.teardown()
    assert await statuses(store) == ["cancelled"]
    assert (await store.get_latest_attempt(rollout.rollout_id)).status == "succeeded"


async def test_other_rollouts_go_on_beside_a_blocking_agent():
    store, _ = await stocked(3)
    done = threading.Event()

    class First(LitAgent[int]):
        def rollout(self, task, resources, rollout):
            if task == 0:
                done.wait(60)  # until both others are through
                return float(done.is_set())
            if task == 2:
                done.set()
            return 1.0

    runner = runner_for(First(), store, max_rollouts=3, concurrency=2)
    await within(runner.iter())
    runner.teardown()
    assert runner.tally.reward_sum == 3.0


async def test_a_result_that_takes_long_is_not_cut_short_by_the_cancellation():
    class Slow(InMemoryLightningStore):
        def __init__(self) -> None:
            super().__init__()
            self.writing, self.write = asyncio.Event(), asyncio.Event()

        async def update_attempt(self, *args, **kwargs):
            self.writing.set()
            await self.write.wait()
            return await super().update_attempt(*args, **kwargs)

    store, _ = await stocked(1, Slow())
    runner = runner_for(Returns(), store)
    running = asyncio.ensure_future(runner.iter())
    await within(store.writing.wait())
    running.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    store.write.set()
    with pytest.raises(asyncio.CancelledError):
        await within(running)
    runner.teardown()
    assert await statuses(store) == ["succeeded"]


def test_the_end_of_the_loop_does_not_cut_the_report_short():
    # What `asyncio.run` does with a program that ends: everything is cancelled, once.
    store = InMemoryLightningStore()
    held = threading.Event()

    class Holds(LitAgent[int]):
        async def rollout_async(self, task, resources, rollout):
            held.set()
            await asyncio.Event().wait()

    async def program():
        await stocked(1, store)
        runner = runner_for(Holds(), store)
        running = asyncio.ensure_future(runner.iter())
        while not held.is_set():
            await asyncio.sleep(0)
        return runner, running

    runner, _running = asyncio.run(program())
    runner.teardown()
    assert asyncio.run(statuses(store)) == ["failed"]
