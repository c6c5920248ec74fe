"""Claiming, running many at once, and ending."""

from __future__ import annotations

import asyncio
import threading

import pytest

from agentlightning_compat import DummyTracer, InMemoryLightningStore, LitAgent, emit_annotation
from agentlightning_compat.errors import StorageCorruptError
from tests.runner.worker import failure, runner_for, statuses, stocked, until, within


class Held(LitAgent[int]):
    """Holds every rollout until the test lets it go; says how many it has."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.held: set[int] = set()
        self.most = 0

    async def rollout_async(self, task, resources, rollout):
        self.held.add(task)
        self.most = max(self.most, len(self.held))
        await self.let_go.wait()
        self.held.discard(task)
        return float(task)

    async def holds(self, count: int) -> None:
        await until(lambda: len(self.held) == count)


class HeldInThread(LitAgent[int]):
    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.started = threading.Event()

    def rollout(self, task, resources, rollout):
        self.started.set()
        self.let_go.wait(60)
        return float(task)


class Quick(LitAgent[int]):
    def __init__(self) -> None:
        self.seen: list[int] = []

    async def rollout_async(self, task, resources, rollout):
        self.seen.append(task)
        return 1.0


@pytest.mark.parametrize("concurrency", [1, 3, 64])
async def test_max_rollouts_is_exact(concurrency):
    store, _ = await stocked(20)
    agent = Quick()
    runner = runner_for(agent, store, max_rollouts=13, concurrency=concurrency)
    await within(runner.iter())
    assert sorted(agent.seen) == list(range(13))
    assert await statuses(store) == ["succeeded"] * 13 + ["queuing"] * 7
    assert (runner.tally.succeeded, runner.tally.running) == (13, 0)
    runner.teardown()


async def test_one_at_a_time_and_in_order_unless_told_otherwise():
    store, _ = await stocked(5)
    agent = Held()
    agent.let_go.set()
    runner = runner_for(agent, store, max_rollouts=5)
    await within(runner.iter())
    assert agent.most == 1
    runner.teardown()


async def test_concurrency_is_a_bound():
    store, _ = await stocked(10)
    agent = Held()
    runner = runner_for(agent, store, max_rollouts=10, concurrency=4)
    running = asyncio.ensure_future(runner.iter())
    await agent.holds(4)
    assert (await statuses(store)).count("queuing") == 6
    agent.let_go.set()
    await within(running)
    assert agent.most == 4
    assert await statuses(store) == ["succeeded"] * 10
    runner.teardown()


async def test_sync_agents_run_at_once_too():
    store, _ = await stocked(3)
    together = threading.Barrier(3, timeout=60)

    class Meeting(LitAgent[int]):
        def rollout(self, task, resources, rollout):
            return float(together.wait())

    runner = runner_for(Meeting(), store, max_rollouts=3, concurrency=3)
    await within(runner.iter())
    assert await statuses(store) == ["succeeded"] * 3
    runner.teardown()


async def test_sync_agents_stay_in_one_thread():
    store, _ = await stocked(5)
    threads = set()

    class Where(LitAgent[int]):
        def rollout(self, task, resources, rollout):
            threads.add(threading.current_thread())

    runner = runner_for(Where(), store, max_rollouts=5)
    await within(runner.iter())
    (thread,) = threads
    assert thread is not threading.main_thread()
    runner.teardown()
    await until(lambda: not thread.is_alive())


async def test_a_waiting_runner_is_woken():
    # With the poll interval of an hour, only the store's wake-up can have it claim in time.
    store, _ = await stocked(0)
    agent = Quick()
    runner = runner_for(agent, store, max_rollouts=1, poll_interval=3600.0)
    running = asyncio.ensure_future(runner.iter())
    await until(lambda: store._signals._claimants)
    await store.enqueue_rollout(5)
    await within(running)
    assert agent.seen == [5]
    runner.teardown()


class Polled(InMemoryLightningStore):
    """A store as 0.3 has them: its claimants come back with nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def dequeue_rollout(self, worker_id=None):
        self.asked += 1
        return await super().dequeue_rollout(worker_id)


async def test_other_stores_are_polled():
    store, _ = await stocked(0, Polled())
    runner = runner_for(Quick(), store, max_rollouts=1, poll_interval=0.02, interval_jitter=0.01)
    running = asyncio.ensure_future(runner.iter())
    await until(lambda: store.asked >= 3)
    await store.enqueue_rollout(5)
    await within(running)
    assert await statuses(store) == ["succeeded"]
    runner.teardown()


async def test_a_stop_ends_the_pause_between_two_looks():
    store, _ = await stocked(0, Polled())
    runner = runner_for(Quick(), store, poll_interval=3600.0)
    running = asyncio.ensure_future(runner.iter())
    await until(lambda: store.asked == 1)
    runner.stop()
    await within(running)
    runner.teardown()


@pytest.mark.parametrize("by", ["event", "stop"])
async def test_a_stop_finishes_what_is_in_hand(by):
    store, _ = await stocked(4)
    agent, event = Held(), threading.Event()
    runner = runner_for(agent, store, concurrency=2)
    running = asyncio.ensure_future(runner.iter(event=event))
    await agent.holds(2)
    event.set() if by == "event" else runner.stop()
    # It is still held by its agents, and has not given up on them.
    done, _ = await asyncio.wait({running}, timeout=0.2)
    assert not done
    agent.let_go.set()
    await within(running)
    assert await statuses(store) == ["succeeded", "succeeded", "queuing", "queuing"]
    runner.teardown()


@pytest.mark.parametrize("first", ["event", "stop"])
async def test_a_second_stop_cancels_and_reports(first):
    store, rollouts = await stocked(3)
    agent, event = Held(), threading.Event()
    runner = runner_for(agent, store, concurrency=2)
    running = asyncio.ensure_future(runner.iter(event=event))
    await agent.holds(2)
    event.set() if first == "event" else runner.stop()
    runner.stop()
    await within(running)
    assert await statuses(store) == ["failed", "failed", "queuing"]
    assert await failure(store, rollouts[0]) == "CancelledError: it was cancelled"
    assert (runner.tally.failed, runner.tally.running) == (2, 0)
    runner.teardown()


async def test_a_stop_from_another_thread():
    store, _ = await stocked(0)
    runner = runner_for(Quick(), store)
    running = asyncio.ensure_future(runner.iter())
    await until(lambda: store._signals._claimants)
    thread = threading.Thread(target=runner.stop)
    thread.start()
    await within(running)
    thread.join()
    runner.stop()  # nothing runs any more: nothing happens
    runner.teardown()


async def test_an_event_that_is_set_already():
    store, _ = await stocked(1)
    event = threading.Event()
    event.set()
    runner = runner_for(Quick(), store)
    await within(runner.iter(event=event))
    assert await statuses(store) == ["queuing"]
    runner.teardown()


async def test_an_event_set_by_the_last_rollout_that_is_wanted():
    # The event is looked at before every claim, so that not one more is taken.
    store, _ = await stocked(5)
    event = threading.Event()

    class Enough(LitAgent[int]):
        async def rollout_async(self, task, resources, rollout):
            if task == 2:
                event.set()

    runner = runner_for(Enough(), store)
    await within(runner.iter(event=event))
    assert await statuses(store) == ["succeeded"] * 3 + ["queuing"] * 2
    runner.teardown()


@pytest.mark.parametrize("kind", [Held, HeldInThread])
async def test_cancelled_means_failed(kind):
    store, (rollout,) = await stocked(1)
    agent = kind()
    runner = runner_for(agent, store)
    running = asyncio.ensure_future(runner.iter())
    await (agent.holds(1) if kind is Held else until(agent.started.is_set))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await within(running)
    assert await statuses(store) == ["failed"]
    assert "cancelled" in await failure(store, rollout)
    agent.let_go.set()
    runner.teardown()


async def test_cancelled_while_it_waits_for_work():
    store, _ = await stocked(0)
    runner = runner_for(Quick(), store)
    running = asyncio.ensure_future(runner.iter())
    await until(lambda: store._signals._claimants)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await within(running)
    runner.teardown()


class SlowToHandOut(InMemoryLightningStore):
    """Hands out a rollout only when told to, after it has claimed it."""

    def __init__(self) -> None:
        super().__init__()
        self.claimed, self.hand_out = asyncio.Event(), asyncio.Event()

    async def dequeue_rollout(self, worker_id=None):
        rollout = await super().dequeue_rollout(worker_id)
        self.claimed.set()
        await self.hand_out.wait()
        return rollout


async def test_what_a_cancelled_claim_brings_is_reported():
    store, (rollout,) = await stocked(1, SlowToHandOut())
    agent = Quick()
    runner = runner_for(agent, store)
    running = asyncio.ensure_future(runner.iter())
    await within(store.claimed.wait())
    running.cancel()
    await asyncio.sleep(0)
    store.hand_out.set()
    with pytest.raises(asyncio.CancelledError):
        await within(running)
    assert agent.seen == []
    assert await statuses(store) == ["failed"]
    assert "cancelled" in await failure(store, rollout)
    assert (runner.tally.failed, runner.tally.running) == (1, 0)
    runner.teardown()


async def test_an_agent_that_does_not_heed_its_cancellation(monkeypatch):
    monkeypatch.setattr("agentlightning_compat.runner.shift._COMING_BACK", 0.01)
    store, (rollout,) = await stocked(1)
    deaf, let_go = asyncio.Event(), asyncio.Event()

    class Deaf(LitAgent[int]):
        async def rollout_async(self, task, resources, rollout):
            while not let_go.is_set():
                try:
                    await let_go.wait()
                except asyncio.CancelledError:  # noqa: PERF203, deaf is what it is
                    deaf.set()

    runner = runner_for(Deaf(), store)
    running = asyncio.ensure_future(runner.iter())
    await until(lambda: runner.tally.running)
    await asyncio.sleep(0)
    runner.stop()
    runner.stop()
    await within(running)
    assert deaf.is_set()
    assert await statuses(store) == ["failed"]
    assert "cancelled" in await failure(store, rollout)
    let_go.set()
    await asyncio.sleep(0)
    runner.teardown()


async def test_a_broken_store_ends_it_after_what_is_in_hand():
    class Breaks(InMemoryLightningStore):
        broken = False

        async def dequeue_rollout(self, worker_id=None):
            if self.broken:
                raise StorageCorruptError("what is this?")
            return await super().dequeue_rollout(worker_id)

    store, _ = await stocked(1, Breaks())
    agent = Held()
    runner = runner_for(agent, store, concurrency=2, poll_interval=0.01, interval_jitter=0.0)
    running = asyncio.ensure_future(runner.iter())
    await agent.holds(1)
    store.broken = True
    done, _ = await asyncio.wait({running}, timeout=0.2)
    assert not done
    agent.let_go.set()
    with pytest.raises(StorageCorruptError):
        await within(running)
    assert await statuses(store) == ["succeeded"]
    runner.teardown()


async def test_step_runs_one_rollout_past_the_queue():
    store, _ = await stocked(1)
    seen = []

    class Sees(LitAgent[str]):
        def rollout(self, task, resources, rollout):
            seen.append((task, resources, rollout.mode, rollout.attempt.worker_id))
            return 0.25

    runner = runner_for(Sees(), store)
    finished = await within(runner.step("task", mode="val"))
    assert seen == [("task", {}, "val", "Worker-0")]
    assert finished.status == "succeeded"
    assert finished.attempt.status == "succeeded"
    assert await statuses(store) == ["queuing", "succeeded"]
    runner.teardown()


async def test_step_stores_the_resources_it_is_given():
    store = InMemoryLightningStore()
    runner = runner_for(Quick(), store)
    finished = await within(runner.step(1, resources={}))
    latest = await store.get_latest_resources()
    assert finished.resources_id == latest.resources_id
    runner.teardown()


async def test_a_cancelled_step_reports():
    store, _ = await stocked(0)
    agent = Held()
    runner = runner_for(agent, store)
    running = asyncio.ensure_future(runner.step(1))
    await agent.holds(1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await within(running)
    assert await statuses(store) == ["failed"]
    runner.teardown()


async def test_runners_in_threads_share_a_store():
    store, _ = await stocked(200)
    agent, tracer = Counts(), DummyTracer()
    runners = [runner_for(agent, store, tracer=tracer, concurrency=4) for _ in range(3)]
    threads = [threading.Thread(target=asyncio.run, args=(r.iter(),)) for r in runners]
    for thread in threads:
        thread.start()
    await until(lambda: sum(runner.tally.succeeded for runner in runners) == 200)
    for runner in runners:
        runner.stop()
    await until(lambda: not any(thread.is_alive() for thread in threads))
    assert await statuses(store) == ["succeeded"] * 200
    assert sorted(agent.seen) == list(range(200))
    for rollout in await store.query_rollouts():
        note, reward = await store.query_spans(rollout.rollout_id)
        assert note.attributes["n"] == rollout.input
        assert reward.attributes["agentlightning.reward.0.value"] == rollout.input
    for runner in runners:
        runner.teardown()


class Counts(LitAgent[int]):
    def __init__(self) -> None:
        self.seen: list[int] = []

    async def rollout_async(self, task, resources, rollout):
        await asyncio.sleep(0)
        emit_annotation({"n": task})
        self.seen.append(task)
        return float(task)
