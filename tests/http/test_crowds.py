"""Clients that are slow, gone, idle, or too many: the others are served all the same."""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import struct
import subprocess
import sys
import uuid
from contextlib import ExitStack

import psutil
import pytest

from agentlightning_compat import InMemoryLightningStore
from agentlightning_compat.http.client import LightningStoreClient
from agentlightning_compat.http.server import LightningStoreServer
from tests.http.processes import AGAIN, Work, port_of, serving
from tests.store.processes import LONG, until

CLAIM = "/v1/agl/queues/rollouts/dequeue"
RESET = struct.pack("ii", 1, 0)
FLOOD = """
import socket, sys, threading
def flood(pipelined):
    request = b"GET /v1/agl/statistics HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n"
    while True:
        try:
            with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60) as connection:
                while True:
                    connection.sendall(request * (1000 if pipelined else 1))
                    if not pipelined:
                        connection.recv(1 << 16)
        except OSError:
            pass
for number in range(200):
    threading.Thread(target=flood, args=(number < 2,), daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""


def request(path, body, **headers):
    """The bytes of a request."""
    data = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "host: x", f"content-length: {len(data)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "\r\n"]).encode() + data


def connect(url):
    return socket.create_connection(("127.0.0.1", int(port_of(url))), LONG)


def body_of(connection):
    """The JSON of the next answer."""
    with connection.makefile("rb") as lines:
        length = 0
        while (line := lines.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return json.loads(lines.read(length))


async def has_waiting(server, number):
    await until(lambda: server.app.held == number)


@pytest.mark.parametrize("hard", [True, False], ids=["reset", "end"])
async def test_what_was_held_for_somebody_who_is_gone_goes_to_others(hard):
    store = InMemoryLightningStore()
    async with LightningStoreServer(store, port=0) as server:
        gone = connect(server.endpoint)
        gone.sendall(request(CLAIM, {"wait": 20, "worker_id": "gone"}))
        await has_waiting(server, 1)
        if hard:
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        gone.close()
        await has_waiting(server, 0)
        made = await store.enqueue_rollout(1)
        client = LightningStoreClient(server.endpoint)
        claimed = await client.dequeue_rollout("w", wait=LONG)
        assert (claimed.rollout_id, claimed.attempt.sequence_id) == (made.rollout_id, 1)


async def test_a_claim_that_was_sent_to_a_dead_host_is_there_for_its_key():
    store = InMemoryLightningStore()
    async with LightningStoreServer(store, port=0) as server:
        asked = request(CLAIM, {"wait": 20}, idempotency_key=uuid.uuid4().hex)
        with connect(server.endpoint) as dead, connect(server.endpoint) as again:
            dead.sendall(asked)
            await has_waiting(server, 1)
            made = await store.enqueue_rollout(1)
            await has_waiting(server, 0)
            # The dead one reads nothing; nobody can see that it is not only slow.
            again.sendall(asked)
            (claimed,) = await asyncio.to_thread(body_of, again)
        assert claimed["rollout_id"] == made.rollout_id
        assert (await store.statistics())["total_attempts"] == 1


async def test_slow_readers_keep_nobody_waiting():
    store = InMemoryLightningStore()
    await store.enqueue_many_rollouts([{"input": "x" * 10_000} for _ in range(1000)])
    async with LightningStoreServer(store, port=0) as server:
        with ExitStack() as stack:
            slow = [stack.enter_context(connect(server.endpoint)) for _ in range(3)]
            for connection in slow:
                connection.sendall(request("/v1/agl/rollouts/search", {}))
            client = LightningStoreClient(server.endpoint)
            for number in range(30):
                assert (await client.start_rollout(number)).status == "preparing"
                for connection in slow:
                    assert len(await asyncio.to_thread(connection.recv, 1)) == 1


async def test_who_sends_and_does_not_read_is_not_read_from():
    store = InMemoryLightningStore()
    await store.enqueue_many_rollouts([{"input": "x" * 10_000} for _ in range(100)])
    piece = request("/v1/agl/rollouts/search", {}) * 1000
    async with LightningStoreServer(store, port=0) as server:
        with connect(server.endpoint) as flooding:
            # When nobody takes more, sending does not end: far before 100 MB.
            flooding.settimeout(1)
            with pytest.raises(TimeoutError):
                await asyncio.to_thread(send_all_of, flooding, piece, 1000)
            client = LightningStoreClient(server.endpoint)
            assert (await client.start_rollout(1)).status == "preparing"


def send_all_of(connection, piece, times):
    for _ in range(times):
        connection.sendall(piece)


async def test_a_thousand_idle_connections_and_a_thousand_that_wait():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(most[0], min(most[1], 5000)), most[1]))
    try:
        with serving("--store", "memory://", "--port", "0") as (process, url), ExitStack() as stack:
            server = psutil.Process(process.pid)
            before = server.memory_info().rss
            await asyncio.to_thread(crowd, stack, url, 1000, None)
            idle = server.memory_info().rss
            ask = request(CLAIM, {"wait": 20})
            waiting = await asyncio.to_thread(crowd, stack, url, 1000, ask)
            held = server.memory_info().rss
            print(f"KB for each: idle {(idle - before) / 1e6:.0f}, held {(held - idle) / 1e6:.0f}")
            client = LightningStoreClient(url, retry_delays=AGAIN)
            new = [{"input": n} for n in range(1000)]
            made = {item.rollout_id for item in await client.enqueue_many_rollouts(new)}
            answers = await asyncio.to_thread(lambda: [body_of(one) for one in waiting])
            claimed = [item["rollout_id"] for answer in answers for item in answer]
            # On a machine that is slow, some had waited for long enough before.
            left = await client.query_rollouts(status_in=["queuing"])
            assert sorted([*claimed, *(item.rollout_id for item in left)]) == sorted(made)
            assert claimed
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, most)


def crowd(stack, url, number, ask):
    """Connections that have asked for something, or were answered once and are kept."""
    made = []
    for _ in range(number):
        connection = stack.enter_context(connect(url))
        if ask is None:
            connection.sendall(request("/v1/agl/workers/search", {}))
            assert body_of(connection)["total"] == 0
        else:
            connection.sendall(ask)
        made.append(connection)
    return made


async def test_a_flood_leaves_room_for_others(tmp_path):
    where = f"sqlite:///{tmp_path}/store.db"
    with serving("--store", where, "--port", "0") as (_, url):
        flood = subprocess.Popen(
            [sys.executable, "-c", FLOOD, port_of(url)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            assert await asyncio.to_thread(flood.stdout.readline) == b"ready\n"
            work = Work()
            lane = asyncio.ensure_future(work.lane(url, 0))
            await until(lambda: len(work.finished) >= 2)
            work.ended = True
            await asyncio.wait_for(lane, LONG)
        finally:
            flood.kill()
            flood.wait(60)
            flood.stdin.close()
            flood.stdout.close()
        await work.check(LightningStoreClient(url, retry_delays=AGAIN))
