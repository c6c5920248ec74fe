"""Stores that were not written for threads, called from several."""

from __future__ import annotations

import asyncio
import threading

import pytest

from agentlightning_compat import InMemoryLightningStore, LightningStore, LightningStoreThreaded

SAFETY = 60.0


class Careless(LightningStore):
    """A store as a user may write one: an await between reading and writing."""

    def __init__(self) -> None:
        self.count = 0
        self.threads = set()
        self.gate = asyncio.Event()

    async def get_next_span_sequence_id(self, rollout_id, attempt_id):
        self.threads.add(threading.get_ident())
        count = self.count
        for _ in range(3):
            threading.Event().wait(0)  # another thread could come here
        self.count = count + 1
        return self.count

    async def dequeue_rollout(self, worker_id=None):
        await self.gate.wait()

    async def enqueue_rollout(self, *args, **kwargs):
        self.gate.set()

    async def get_latest_resources(self):
        raise LookupError("none")


def test_calls_of_many_threads_are_made_in_one() -> None:
    store = Careless()
    safe = LightningStoreThreaded(store)

    async def work() -> None:
        for _ in range(50):
            await safe.get_next_span_sequence_id("r", "a")

    threads = [threading.Thread(target=asyncio.run, args=(work(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SAFETY)
    assert store.count == 200
    assert len(store.threads) == 1
    safe.release()


def test_a_call_that_waits_holds_up_no_other() -> None:
    safe = LightningStoreThreaded(Careless())

    async def work() -> None:
        waiting = asyncio.create_task(safe.dequeue_rollout())
        await safe.enqueue_rollout({})
        await asyncio.wait_for(waiting, SAFETY)

    asyncio.run(work())
    safe.release()


def test_errors_come_through() -> None:
    safe = LightningStoreThreaded(Careless())
    with pytest.raises(LookupError, match="none"):
        asyncio.run(safe.get_latest_resources())
    with pytest.raises(NotImplementedError):
        asyncio.run(safe.get_rollout_by_id("x"))
    with pytest.raises(NotImplementedError):
        safe.otlp_traces_endpoint()
    safe.release()


def test_a_store_of_this_package_is_called_as_it_is() -> None:
    store = InMemoryLightningStore()
    safe = LightningStoreThreaded(LightningStoreThreaded(store))
    before = threading.active_count()
    rollout = asyncio.run(safe.enqueue_rollout(1))
    assert asyncio.run(store.get_rollout_by_id(rollout.rollout_id)) == rollout
    assert asyncio.run(safe.statistics())["total_rollouts"] == 1
    assert safe.capabilities["thread_safe"]
    assert threading.active_count() <= before
    safe.release()


def test_a_store_that_is_dropped_leaves_no_thread() -> None:
    safe = LightningStoreThreaded(Careless())
    asyncio.run(safe.get_next_span_sequence_id("r", "a"))
    [thread] = [thread for thread in threading.enumerate() if thread.name == "store calls"]
    del safe
    thread.join(SAFETY)
    assert not thread.is_alive()
