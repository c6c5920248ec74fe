"""Connections that break in the middle of any operation: what was asked for happens once, or the
caller is told; and nobody is kept waiting by others who are slow, gone, or too many."""

from __future__ import annotations

import pytest

from agentlightning_compat import InMemoryLightningStore, Span
from agentlightning_compat.errors import StoreUnavailableError
from agentlightning_compat.http.app import StoreApp
from agentlightning_compat.http.client import LightningStoreClient
from agentlightning_compat.http.wire import BY_COMMAND
from agentlightning_compat.store import commands as c
from tests.http import toxic
from tests.http.served import stage
from tests.store.processes import until

AGAIN = (0.01, *(0.1,) * 100)


def span(claimed, number):
    return Span.from_attributes(
        attributes={"n": number},
        rollout_id=claimed.rollout_id,
        attempt_id=claimed.attempt.attempt_id,
        sequence_id=number,
    )


class World:
    """What is in a store before the call that breaks: something to read, change and claim."""

    async def fill(self, store) -> World:
        self.running = await store.start_rollout("running", worker_id="w")
        self.done = await store.start_rollout("done")
        self.attempt = self.done.attempt.attempt_id
        await store.add_many_spans([span(self.running, n) for n in (1, 2, 3)])
        await store.update_attempt(self.done.rollout_id, self.attempt, status="succeeded")
        self.resources = await store.update_resources("set", {})
        await store.enqueue_rollout("queued")
        await store.enqueue_rollout("queued too")
        return self


# One call for each operation, with what a store and a world give it.
CALLS = {
    c.EnqueueRollouts: lambda s, w: s.enqueue_rollout({"new": 1}),
    c.Dequeue: lambda s, w: s.dequeue_rollout("v"),
    c.StartRollout: lambda s, w: s.start_rollout("started", worker_id="v"),
    c.StartAttempt: lambda s, w: s.start_attempt(w.done.rollout_id),
    c.GetRollout: lambda s, w: s.get_rollout_by_id(w.done.rollout_id),
    c.QueryRollouts: lambda s, w: s.query_rollouts(),
    c.UpdateRollout: lambda s, w: s.update_rollout(w.running.rollout_id, metadata={"k": 1}),
    c.WaitForRollouts: lambda s, w: s.wait_for_rollouts(
        rollout_ids=[w.done.rollout_id], timeout=20
    ),
    c.QueryAttempts: lambda s, w: s.query_attempts(w.done.rollout_id),
    c.GetLatestAttempt: lambda s, w: s.get_latest_attempt(w.done.rollout_id),
    c.UpdateAttempt: lambda s, w: s.update_attempt(
        w.running.rollout_id, w.running.attempt.attempt_id, status="failed"
    ),
    c.AddSpans: lambda s, w: s.add_many_spans([span(w.running, n) for n in (4, 5)]),
    c.NextSpanIds: lambda s, w: s.get_next_span_sequence_id(
        w.running.rollout_id, w.running.attempt.attempt_id
    ),
    c.QuerySpans: lambda s, w: s.query_spans(w.running.rollout_id),
    c.AddResources: lambda s, w: s.add_resources({}),
    c.UpdateResources: lambda s, w: s.update_resources("set", {}),
    c.GetResources: lambda s, w: s.get_latest_resources(),
    c.QueryResources: lambda s, w: s.query_resources(),
    c.UpdateWorker: lambda s, w: s.update_worker("w", {"load": 1}),
    c.GetWorker: lambda s, w: s.get_worker_by_id("w"),
    c.QueryWorkers: lambda s, w: s.query_workers(),
    c.GetCounts: lambda s, w: s.statistics(),
}
NAMES = {kind: kind.__name__ for kind in CALLS}
each_operation = pytest.mark.parametrize("kind", CALLS, ids=NAMES.get)


def plain(value):
    """What a result says, without ids and times, which differ from store to store."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    if not isinstance(value, dict):
        return value
    odd = ("time", "_id", "uptime", "ids")
    kept = ("sequence_id", "worker_id")
    return {
        key: plain(item)
        for key, item in value.items()
        if key in kept or not (key.endswith(odd) or item is None)
    }


async def content(store):
    """All that is in a store, as `plain` sees it."""
    rollouts = await store.query_rollouts(sort_by="start_time")
    parts = [rollouts, await store.query_workers(), await store.query_resources()]
    for rollout in rollouts:
        parts += [await store.query_attempts(rollout.rollout_id)]
        parts += [await store.query_spans(rollout.rollout_id)]
        first = rollout.rollout_id, "any"
        parts += [await store.get_next_span_sequence_id(*first)]
    return plain(parts)


async def without_faults(kind):
    """What the call answers, and what is in the store before and after it."""
    store = InMemoryLightningStore()
    before = await content(await _filled(store))
    store = InMemoryLightningStore()
    world = await World().fill(store)
    answer = plain(await CALLS[kind](store, world))
    return answer, before, await content(store)


async def _filled(store):
    await World().fill(store)
    return store


@pytest.fixture(scope="module")
def proxy():
    """Before the server that tests of this process share."""
    with toxic.between(stage().url) as found:
        yield found


@pytest.fixture
def store(proxy):
    """A store behind the proxy, which passes everything."""
    made = InMemoryLightningStore()
    proxy.disarm()
    stage().app = StoreApp(made)
    return made


async def warm(client) -> None:
    """Have it know the server, and a connection idle."""
    await client.statistics()


def test_every_operation_has_its_call():
    assert set(CALLS) == set(BY_COMMAND)


@each_operation
@pytest.mark.parametrize("place", toxic.PLACES)
async def test_a_call_whose_connection_is_cut_is_done_once(kind, place, proxy, store):
    answer, _, after = await without_faults(kind)
    world = await World().fill(store)
    client = LightningStoreClient(proxy.url, retry_delays=AGAIN)
    await warm(client)
    faults = [proxy.arm(place), proxy.arm(place, hard=True)]
    assert plain(await CALLS[kind](client, world)) == answer
    assert all(fault.met.is_set() for fault in faults)
    assert await content(store) == after


@each_operation
@pytest.mark.parametrize("place", toxic.PLACES)
async def test_a_call_that_is_not_repeated_is_done_or_not_and_says_so(kind, place, proxy, store):
    _, before, after = await without_faults(kind)
    world = await World().fill(store)
    client = LightningStoreClient(proxy.url, retry_delays=())
    await warm(client)
    # One for the connection that is idle, which is replaced at once, one for the new one.
    faults = [proxy.arm(place), proxy.arm(place)]
    with pytest.raises(StoreUnavailableError):
        await CALLS[kind](client, world)
    assert faults[0].met.is_set()
    if kind is c.Dequeue:  # what nobody was told of is in the queue again
        await until(lambda: _is_queued(store, 2))
        return
    assert await content(store) in (before, after)


async def _is_queued(store, number):
    found = await store.query_rollouts(status_in=["queuing", "requeuing"])
    return len(found) == number


@pytest.mark.parametrize("kind", [toxic.SLOW, toxic.SWALLOW])
async def test_a_network_that_is_slow_or_swallows_everything(kind, proxy, store):
    patience = 60 if kind == toxic.SLOW else 0.5
    client = LightningStoreClient(proxy.url, retry_delays=AGAIN, request_timeout=patience)
    await warm(client)
    fault = proxy.arm(kind)
    made = await client.enqueue_rollout("x" * 1000)
    assert fault.met.is_set()
    assert [item.rollout_id for item in await store.query_rollouts()] == [made.rollout_id]
