"""Several server processes over one store in PostgreSQL."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from urllib.request import urlopen

import pytest

from agentlightning_compat import open_store
from agentlightning_compat.http.client import LightningStoreClient
from tests.http.processes import AGAIN, Work, port_of, serving
from tests.store import database
from tests.store.processes import LONG, until


@pytest.fixture(scope="module")
def where():
    return ["--store", database.shared(), "--prometheus", "--port"]


@pytest.fixture(scope="module")
def servers(where):
    """Their URLs."""
    with ExitStack() as stack:
        yield [stack.enter_context(serving(*where, "0"))[1] for _ in range(3)]


@pytest.fixture
def clients(servers):
    """A client of each, over an empty store."""
    database.empty(database.shared())
    return [LightningStoreClient(url, retry_delays=AGAIN) for url in servers]


async def test_each_rollout_is_claimed_by_one(clients):
    made = await clients[0].enqueue_many_rollouts([{"input": n} for n in range(60)])
    claimed = []

    async def claim(client):
        while (found := await client.dequeue_rollout()) is not None:
            claimed.append(found.rollout_id)

    await asyncio.gather(*(claim(clients[n % 3]) for n in range(12)))
    assert sorted(claimed) == sorted(rollout.rollout_id for rollout in made)


async def test_who_waits_at_one_is_woken_by_another(clients, servers):
    one, two, three = clients
    held = before = await asyncio.to_thread(waiting_at, servers[0])
    claim = asyncio.ensure_future(one.dequeue_rollout("w", wait=LONG))
    await until(lambda: waits_at(servers[0], before + 1))
    made = await two.enqueue_rollout("work")
    claimed = await asyncio.wait_for(claim, LONG)
    assert claimed.rollout_id == made.rollout_id
    held = await asyncio.to_thread(waiting_at, servers[0])
    end = asyncio.ensure_future(one.wait_for_rollouts(rollout_ids=[made.rollout_id]))
    await until(lambda: waits_at(servers[0], held + 1))
    await three.update_attempt(made.rollout_id, claimed.attempt.attempt_id, status="succeeded")
    (finished,) = await asyncio.wait_for(end, LONG)
    assert finished.status == "succeeded"


def waiting_at(url):
    """How many requests a server holds."""
    with urlopen(f"{url}/v1/prometheus", timeout=60) as answer:
        text = answer.read().decode()
    (line,) = [line for line in text.splitlines() if line.startswith("agl_http_held ")]
    return float(line.split()[1])


async def waits_at(url, number):
    return await asyncio.to_thread(waiting_at, url) >= number


async def test_one_that_is_killed_and_comes_back(clients, servers, where):
    work = Work()
    with serving(*where, "0") as (process, url):
        urls = [*servers[:2], url]
        lanes = [asyncio.ensure_future(work.lane(urls[n % 3], n)) for n in range(9)]
        await until(lambda: len(work.finished) >= 20)
        process.kill()
        process.wait(60)
    # The others carry on without it.
    enough = len(work.finished) + 20
    await until(lambda: len(work.finished) >= enough)
    with serving(*where, port_of(url)):
        enough = len(work.finished) + 20
        await until(lambda: len(work.finished) >= enough)
        work.ended = True
        await asyncio.wait_for(asyncio.gather(*lanes), LONG)
    async with open_store(database.shared()) as store:
        await work.check(store)
