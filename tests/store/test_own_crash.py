"""What was acknowledged outlives processes and servers that are killed at any moment."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sqlite3
import tempfile
import time
from collections import Counter

import asyncpg
import pytest

from agentlightning_compat.clock import ManualClock
from agentlightning_compat.store.postgres import PostgresLightningStore
from agentlightning_compat.store.sqlite import SqliteLightningStore
from tests.store import database, ledger
from tests.store.processes import running, until

# Imports once, then starts writers one after the other by fork, and kills each: every second one
# at any moment, also while it opens the file; the others after so many words of theirs.
KILLING = """
import asyncio, json, os, random, signal, sys, time
from agentlightning_compat import SqliteLightningStore
from tests.store import ledger

async def write(heard):
    async with SqliteLightningStore(sys.argv[1]) as store:
        def say(*words):
            os.write(1, (json.dumps(words) + "\\n").encode())
            os.write(heard, b"!")
        await asyncio.gather(*(ledger.work(store, lane, say) for lane in range(4)))

chance = random.Random(int(sys.argv[3]))
for number in range(int(sys.argv[2])):
    hearing, heard = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            asyncio.run(write(heard))
        finally:
            os._exit(1)
    os.close(heard)
    for _ in range(chance.randrange(1, 60) if number % 2 else 0):
        assert os.read(hearing, 1), "the writer ended by itself"
    time.sleep(chance.uniform(0, 0.005 if number % 2 else 0.04))
    os.kill(pid, signal.SIGKILL)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL, "the writer ended by itself"
    os.close(hearing)
"""


async def test_a_writer_that_is_killed_200_times(tmp_path):
    path = tmp_path / "store.db"
    with running(KILLING, path, 200, 8) as child:
        said = [json.loads(line) for line in child.rest(timeout=900).splitlines()]
    counts = Counter(what for what, *_ in said)
    assert min(counts[what] for what in ("queued", "claimed", "traced", "succeeded")) > 10
    assert not counts["unsure"]
    async with SqliteLightningStore(path, clock=ManualClock(time.time() + 1_000_000)) as store:
        store.check_integrity()
        halves(path)
        await ledger.check(store, said)
        await ledger.drain(store)
    halves(path)


def halves(path) -> None:
    connection = sqlite3.connect(path)
    for what, statement in ledger.HALVES.items():
        assert connection.execute(statement).fetchone() == (0,), what
    connection.close()


async def halves_of(url) -> None:
    raw = await asyncpg.connect(url, server_settings={"search_path": database.SCHEMA})
    for what, statement in ledger.HALVES.items():
        assert await raw.fetchval(statement) == 0, what
    await raw.close()


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGQUIT], ids=["killed", "immediate"])
async def test_a_server_that_is_stopped_hard_in_the_middle_of_load(own_server, blow):
    said: list = []

    def say(*words) -> None:
        said.append(words)

    async def has_said(more: int) -> None:
        """So many more rollouts have succeeded."""
        end = Counter(what for what, *_ in said)["succeeded"] + more
        await until(lambda: Counter(what for what, *_ in said)["succeeded"] >= end)

    url = own_server.get_uri()
    async with PostgresLightningStore(url, patience=60) as store:
        lanes = [asyncio.create_task(ledger.work(store, lane, say)) for lane in range(8)]
        await has_said(50)
        await asyncio.to_thread(database.crash, own_server, blow)
        await asyncio.to_thread(database.restart, own_server)
        assert own_server.get_uri() == url
        await has_said(50)
        assert not any(lane.done() for lane in lanes)
        for lane in lanes:
            lane.cancel()
        await asyncio.wait(lanes)
        assert all(lane.cancelled() for lane in lanes)
    # What was being committed when the server went away: each lane at most once.
    assert Counter(what for what, *_ in said)["unsure"] <= len(lanes)
    await halves_of(url)
    clock = ManualClock(time.time() + 1_000_000)
    async with PostgresLightningStore(url, clock=clock) as store:
        await ledger.check(store, said)
        await ledger.drain(store)
    await halves_of(url)


@pytest.fixture
def own_server():
    """A server that may be killed."""
    folder = tempfile.mkdtemp(prefix="agl-pg-")
    server = database.start(folder)
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)
