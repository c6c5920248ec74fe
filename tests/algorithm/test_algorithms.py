"""Algorithms: what they are given, functions as algorithms, and the baseline."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

import agentlightning_compat as agl
from agentlightning_compat.adapter import TraceAdapter

SAFETY = 60.0
NAMES = ["trainer", "adapter", "llm_proxy"]


class Thing:
    """Anything that can be referred to weakly."""


@pytest.mark.parametrize("name", NAMES)
def test_what_it_is_given_is_not_kept_alive(name) -> None:
    algorithm = agl.Algorithm()
    thing = Thing()
    getattr(algorithm, f"set_{name}")(thing)
    assert getattr(algorithm, f"get_{name}")() is thing
    del thing
    gc.collect()
    with pytest.raises(ValueError, match=f"the {name} of this algorithm is gone"):
        getattr(algorithm, f"get_{name}")()


@pytest.mark.parametrize("name", ["trainer", "adapter", "store"])
def test_what_it_was_not_given_is_an_error(name) -> None:
    with pytest.raises(ValueError, match=f"set_{name}"):
        getattr(agl.Algorithm(), f"get_{name}")()


def test_what_may_be_missing() -> None:
    algorithm = agl.Algorithm()
    assert algorithm.get_llm_proxy() is None
    assert algorithm.get_initial_resources() is None
    algorithm.set_llm_proxy(None)
    assert algorithm.get_llm_proxy() is None
    with pytest.raises(NotImplementedError, match="no client"):
        algorithm.get_client()
    with pytest.raises(NotImplementedError, match="has no run"):
        algorithm()


def test_a_function_gets_what_it_has_parameters_for() -> None:
    given = {}

    @agl.algo
    def learn(*, store, adapter, initial_resources, llm_proxy, train_dataset, val_dataset):
        """Learns."""
        given.update(
            store=store,
            adapter=adapter,
            initial_resources=initial_resources,
            llm_proxy=llm_proxy,
            train_dataset=train_dataset,
            val_dataset=val_dataset,
        )
        return "ignored"

    store, adapter = agl.InMemoryLightningStore(), Thing()
    learn.set_store(store)
    learn.set_adapter(adapter)
    learn.set_initial_resources({})
    assert learn.is_async() is False
    assert learn.run([1], [2]) is None
    assert given == {
        "store": store,
        "adapter": adapter,
        "initial_resources": {},
        "llm_proxy": None,
        "train_dataset": [1],
        "val_dataset": [2],
    }
    assert (learn.__name__, learn.__doc__) == ("learn", "Learns.")


def test_a_function_can_be_called_as_written() -> None:
    @agl.algo
    async def learn(number):
        return number + 1

    assert learn.is_async()
    assert asyncio.run(learn(1)) == 2


@pytest.mark.parametrize("name", ["train_dataset", "val_dataset"])
def test_a_dataset_that_the_function_does_not_take(name) -> None:
    @agl.algo
    def learn(*, store) -> None: ...

    learn.set_store(agl.InMemoryLightningStore())
    with pytest.raises(TypeError, match=f"{name} is given, but"):
        learn.run(**{name: [1]})


class Collected(TraceAdapter):
    """Notes what it is given."""

    def __init__(self) -> None:
        self.seen = []

    def adapt(self, source, /):
        self.seen.append([span.name for span in source])


async def serve(store, status="succeeded") -> None:
    """Do what is queued, until cancelled."""
    while True:
        claimed = await store.dequeue_rollout(worker_id="w", wait=SAFETY)
        if claimed is None:
            continue
        key = claimed.rollout_id, claimed.attempt.attempt_id
        await store.add_span(
            agl.Span.from_attributes(
                attributes={"k": 1},
                name="note",
                rollout_id=key[0],
                attempt_id=key[1],
                sequence_id=1,
            )
        )
        await store.update_attempt(*key, status=status)


async def baseline(store, adapter=None, *datasets, **settings):
    algorithm = agl.Baseline(**settings)
    algorithm.set_store(store)
    if adapter is not None:
        algorithm.set_adapter(adapter)
    server = asyncio.create_task(serve(store))
    try:
        await asyncio.wait_for(algorithm.run(*datasets), SAFETY)
    finally:
        server.cancel()
    return await store.query_rollouts()


async def test_the_baseline_runs_every_sample_in_its_mode() -> None:
    adapter = Collected()
    found = await baseline(agl.InMemoryLightningStore(), adapter, ["a", "b"], ["c"], n_epochs=2)
    assert [(one.input, one.mode) for one in found] == [
        ("a", "train"),
        ("b", "train"),
        ("c", "val"),
    ] * 2
    assert {one.status for one in found} == {"succeeded"}
    assert adapter.seen == [["note"]] * 6


async def test_the_baseline_keeps_the_queue_short() -> None:
    class Watched(agl.InMemoryLightningStore):
        longest = 0

        async def enqueue_rollout(self, *args, **kwargs):
            made = await super().enqueue_rollout(*args, **kwargs)
            queued = await self.query_rollouts(status_in=["queuing"])
            self.longest = max(self.longest, len(queued))
            return made

    store = Watched()
    assert len(await baseline(store, None, list(range(40)), max_queue_length=2)) == 40
    assert 1 <= store.longest <= 3


async def test_the_baseline_publishes_the_resources_first() -> None:
    store = agl.InMemoryLightningStore()
    algorithm = agl.Baseline()
    algorithm.set_store(store)
    algorithm.set_initial_resources({"llm": agl.LLM(endpoint="http://x", model="m")})
    server = asyncio.create_task(serve(store))
    await asyncio.wait_for(algorithm.run([1]), SAFETY)
    server.cancel()
    [one] = await store.query_rollouts()
    assert one.resources_id == "default"
    assert (await store.get_resources_by_id("default")).resources["llm"].model == "m"


async def test_the_baseline_without_resources_publishes_none_at_all_only_if_there_are_none() -> (
    None
):
    store = agl.InMemoryLightningStore()
    [one] = await baseline(store, None, [1])
    assert one.resources_id == "default"
    assert (await store.get_latest_resources()).resources == {}
    other = agl.InMemoryLightningStore()
    latest = await other.add_resources({"llm": agl.LLM(endpoint="http://x", model="m")})
    [one] = await baseline(other, None, [1])
    assert one.resources_id == latest.resources_id


async def test_the_baseline_has_nothing_to_do_without_samples(caplog) -> None:
    assert len(await baseline(agl.InMemoryLightningStore(), None, [], None)) == 0
    assert "nothing to run" in caplog.text


@pytest.mark.parametrize(
    ("verbosity", "seen", "unseen"),
    [("keys", "['k']", "{'k': 1}"), ("key_values", "{'k': 1}", "['k']"), ("none", "", "note")],
)
async def test_how_much_of_a_span_is_logged(caplog, verbosity, seen, unseen) -> None:
    caplog.set_level(logging.INFO)
    await baseline(agl.InMemoryLightningStore(), None, [1], span_verbosity=verbosity)
    assert seen in caplog.text
    assert unseen not in caplog.text
    assert "no adapter" in caplog.text


@pytest.mark.parametrize("split", [0.0, 1.0, -1])
def test_a_split_that_makes_no_sense(split) -> None:
    with pytest.raises(ValueError, match="train_split"):
        agl.Baseline(train_split=split)


class Proxy:
    def __init__(self, running) -> None:
        self.running, self.calls = running, []

    def is_running(self):
        return self.running

    async def start(self):
        self.calls.append("start")

    async def stop(self):
        self.calls.append("stop")


@pytest.mark.parametrize(("running", "calls"), [(False, ["start", "stop"]), (True, [])])
async def test_the_baseline_starts_a_proxy_that_does_not_run(running, calls) -> None:
    proxy, store = Proxy(running), agl.InMemoryLightningStore()
    algorithm = agl.Baseline()
    algorithm.set_store(store)
    algorithm.set_llm_proxy(proxy)
    server = asyncio.create_task(serve(store))
    await asyncio.wait_for(algorithm.run([1]), SAFETY)
    server.cancel()
    assert proxy.calls == calls


async def test_a_baseline_that_is_cancelled_leaves_no_task(caplog) -> None:
    store = agl.InMemoryLightningStore()
    algorithm = agl.Baseline()
    algorithm.set_store(store)
    running = asyncio.create_task(algorithm.run([1, 2]))
    while len(await store.query_rollouts()) < 2:
        await asyncio.sleep(0)
    before = asyncio.current_task()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert asyncio.all_tasks() == {before}
    assert "0 of 2 samples were run" in caplog.text
