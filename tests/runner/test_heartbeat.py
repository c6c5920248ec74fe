"""Heartbeats go on whatever the agent does, and a runner without one claims no more."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from agentlightning_compat import InMemoryLightningStore, LitAgent
from agentlightning_compat.errors import InternalError, StoreUnavailableError
from agentlightning_compat.runner.heartbeat import Heartbeat, from_any_thread
from agentlightning_compat.store.base import UNSET, LightningStore
from tests.runner.worker import runner_for, statuses, stocked, until, within

MODES = ("thread", "asyncio")


class Heard(InMemoryLightningStore):
    """Counts beats, from whatever thread; `fail` is raised instead when it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.beats = 0
        self.threads: set[int] = set()
        self.stats: list[dict] = []
        self.fail: BaseException | None = None

    async def update_worker(self, worker_id, heartbeat_stats=UNSET):
        self.beats += 1
        self.threads.add(threading.get_ident())
        if self.fail is not None:
            raise self.fail
        if heartbeat_stats is not UNSET:
            self.stats.append(heartbeat_stats)
        return await super().update_worker(worker_id, heartbeat_stats)


class Blocks(LitAgent[int]):
    """Blocks until it heard three more beats; not kindly, and not for ever."""

    def __init__(self, store) -> None:
        self.store = store
        self.heard = False

    def _block(self) -> float:
        before, never = self.store.beats, threading.Event()
        for _ in range(6000):
            if self.store.beats >= before + 3:
                self.heard = True
                break
            never.wait(0.01)
        return 1.0


class BlocksLoop(Blocks):
    async def rollout_async(self, task, resources, rollout):
        return self._block()


class BlocksThread(Blocks):
    def rollout(self, task, resources, rollout):
        return self._block()


@pytest.mark.parametrize(
    ("mode", "kind"), [("thread", BlocksLoop), ("thread", BlocksThread), ("asyncio", BlocksThread)]
)
async def test_an_agent_that_blocks_does_not_silence_it(mode, kind):
    store, _ = await stocked(1, Heard())
    agent = kind(store)
    runner = runner_for(
        agent,
        store,
        max_rollouts=1,
        heartbeat_interval=0.01,
        interval_jitter=0.0,
        heartbeat_launch_mode=mode,
    )
    await within(runner.iter())
    runner.teardown()
    assert agent.heard
    assert await statuses(store) == ["succeeded"]


def beat(store, mode="thread", **options):
    return Heartbeat(store, "Worker-0", interval=0.01, mode=mode, **options)


@pytest.mark.parametrize("mode", MODES)
async def test_it_beats_from_where_it_is_told_to(mode):
    store = Heard()
    heartbeat = beat(store, mode)
    heartbeat.start()
    await until(lambda: len(store.stats) >= 3)
    heartbeat.stop()
    assert (threading.get_ident() in store.threads) == (mode == "asyncio")
    assert len(store.threads) == 1
    assert {"timestamp", "cpu_usage_pct", "mem_used_gb"} <= set(store.stats[0])
    assert heartbeat.failure() is None


@pytest.mark.parametrize("mode", MODES)
async def test_it_ends_when_it_is_stopped(mode):
    store = Heard()
    heartbeat = beat(store, mode)
    heartbeat.start()
    await until(lambda: store.beats >= 1)
    heartbeat.stop()
    await asyncio.sleep(0)
    before = store.beats
    await asyncio.sleep(0.1)
    assert store.beats == before
    heartbeat.stop()


@pytest.mark.parametrize("mode", MODES)
async def test_a_store_that_is_away_is_called_again(mode, caplog):
    store = Heard()
    store.fail = StoreUnavailableError("gone")
    heartbeat = beat(store, mode)
    with caplog.at_level(logging.WARNING):
        heartbeat.start()
        await until(lambda: store.beats >= 3)
        assert heartbeat.failure() is None
        store.fail = None
        await until(lambda: store.stats)
    heartbeat.stop()
    # Once, and not at every beat.
    (record,) = caplog.records
    assert record.getMessage().startswith("the heartbeat of Worker-0 is not heard")


async def test_a_store_that_never_answers_is_called_again():
    called = []

    class Mute(InMemoryLightningStore):
        async def update_worker(self, worker_id, heartbeat_stats=None):
            called.append(worker_id)
            await asyncio.Event().wait()

    heartbeat = beat(Mute())
    heartbeat.start()
    await until(lambda: len(called) >= 2)
    heartbeat.stop()


async def test_a_snapshot_that_fails_is_still_a_beat(monkeypatch, caplog):
    def fail(include_gpu):
        raise OSError("no /proc")

    monkeypatch.setattr("agentlightning_compat.runner.heartbeat.system_snapshot", fail)
    store = Heard()
    heartbeat = beat(store)
    with caplog.at_level(logging.WARNING):
        heartbeat.start()
        await until(lambda: store.beats >= 3)
    heartbeat.stop()
    assert "no snapshot" in caplog.text
    assert store.stats == []
    assert await store.get_worker_by_id("Worker-0") is not None


async def test_the_gpu_is_asked_for_only_when_wanted(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "agentlightning_compat.runner.heartbeat.system_snapshot",
        lambda include_gpu: asked.append(include_gpu) or {},
    )
    for wanted in (True, False):
        heartbeat = beat(Heard(), include_gpu=wanted)
        heartbeat.start()
        await until(lambda wanted=wanted: wanted in asked)
        heartbeat.stop()
    assert (asked[0], asked[-1]) == (True, False)


@pytest.mark.parametrize("interval", [0.0, -1.0])
async def test_without_an_interval_there_is_none(interval):
    store = Heard()
    heartbeat = Heartbeat(store, "Worker-0", interval=interval)
    heartbeat.start()
    heartbeat.ensure()
    assert heartbeat.failure() is None
    heartbeat.stop()
    assert store.beats == 0


@pytest.mark.parametrize("mode", MODES)
async def test_a_runner_whose_heartbeat_died_claims_no_more(mode, monkeypatch):
    store, _ = await stocked(3, Heard())
    let_go, held = asyncio.Event(), asyncio.Event()

    class Holds(LitAgent[int]):
        async def rollout_async(self, task, resources, rollout):
            held.set()
            await let_go.wait()

    runner = runner_for(
        Holds(),
        store,
        heartbeat_interval=0.01,
        interval_jitter=0.0,
        heartbeat_launch_mode=mode,
    )
    running = asyncio.ensure_future(runner.iter())
    await within(held.wait())
    monkeypatch.setattr("agentlightning_compat.runner.heartbeat.Pulse.pause", lambda self: 1 / 0)
    await until(lambda: runner._heartbeat.failure() is not None)
    let_go.set()
    with pytest.raises(InternalError, match="Worker-0 claims no more: its heartbeat ended"):
        await within(running)
    # What it had in hand was finished and reported.
    assert await statuses(store) == ["succeeded", "queuing", "queuing"]
    runner.teardown()


def test_outside_of_a_loop_it_waits_for_one():
    store = Heard()
    heartbeat = beat(store, "asyncio")
    heartbeat.start()
    assert store.beats == 0

    async def inside():
        heartbeat.ensure()
        heartbeat.ensure()
        await until(lambda: store.beats >= 2)
        assert heartbeat.failure() is None

    asyncio.run(inside())
    asyncio.run(inside())  # another loop: it begins again
    assert len(store.threads) == 1


class Foreign(LightningStore):
    def __init__(self, safe: bool) -> None:
        self.safe = safe
        self.threads: set[int] = set()

    @property
    def capabilities(self):
        return {"thread_safe": self.safe}

    async def update_worker(self, worker_id, heartbeat_stats=None):
        self.threads.add(threading.get_ident())


@pytest.mark.parametrize("safe", [True, False])
async def test_a_store_for_one_thread_is_called_from_the_loop(safe):
    store = Foreign(safe)
    assert from_any_thread(store) == safe
    heartbeat = beat(store)
    heartbeat.start()
    await until(lambda: store.threads)
    heartbeat.stop()
    assert (threading.get_ident() in store.threads) == (not safe)
