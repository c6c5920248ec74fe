"""Server processes that are killed, or told to stop, while they have work."""

from __future__ import annotations

import asyncio
import signal
import socket

import pytest

from agentlightning_compat import SqliteLightningStore
from agentlightning_compat.errors import StoreUnavailableError
from agentlightning_compat.http.client import LightningStoreClient
from tests.http.processes import Work, port_of, serving
from tests.store.processes import LONG, until


async def test_a_server_that_is_killed_again_and_again(tmp_path):
    where = ["--store", f"sqlite:///{tmp_path}/store.db", "--port"]
    work = Work()
    lanes, port = [], "0"
    for kill in range(7):
        with serving(*where, port) as (process, url):
            port = port_of(url)
            lanes = lanes or [asyncio.ensure_future(work.lane(url, n)) for n in range(8)]
            # At another point of the lanes' work each time.
            enough = len(work.finished) + 9 + kill
            await until(lambda enough=enough: len(work.finished) >= enough)
            if kill == 6:
                work.ended = True
                await asyncio.wait_for(asyncio.gather(*lanes), LONG)
            assert not any(lane.done() for lane in lanes) or work.ended
            process.kill()
            process.wait(60)
    async with SqliteLightningStore(tmp_path / "store.db") as store:
        store.check_integrity()
        await work.check(store)


def is_refused(url):
    """Whether nobody listens there any more."""
    with socket.socket() as other:
        return other.connect_ex(("127.0.0.1", int(port_of(url)))) != 0


@pytest.mark.parametrize("second", [None, signal.SIGTERM, signal.SIGINT], ids=str)
async def test_a_server_that_is_told_to_stop_answers_what_it_has(tmp_path, second):
    started, last = [], []

    async def load(client):
        try:
            while True:
                started.append((await client.start_rollout(len(started))).rollout_id)
        except StoreUnavailableError as error:
            last.append(error)

    where = f"sqlite:///{tmp_path}/store.db"
    with serving("--store", where, "--port", "0") as (process, url):
        client = LightningStoreClient(url, retry_delays=())
        held = [asyncio.ensure_future(client.dequeue_rollout(wait=60)) for _ in range(20)]
        lanes = [asyncio.ensure_future(load(client)) for _ in range(8)]
        with socket.create_connection(("127.0.0.1", int(port_of(url))), 60) as unfinished:
            unfinished.sendall(b"POST /v1/agl/rollouts HTTP/1.1\r\ncontent-length: 50\r\n\r\n{")
            await until(lambda: len(started) >= 50)
            process.send_signal(signal.SIGTERM)
            if second is not None:
                await until(lambda: is_refused(url))
                process.send_signal(second)
            assert await asyncio.to_thread(process.wait, LONG) == 0
        await asyncio.wait_for(asyncio.gather(*lanes), LONG)
        ends = await asyncio.gather(*held, return_exceptions=True)
    assert len(last) == 8
    assert {type(end) for end in ends} == {StoreUnavailableError}
    async with SqliteLightningStore(tmp_path / "store.db") as store:
        store.check_integrity()
        kept = {item.rollout_id for item in await store.query_rollouts()}
    assert set(started) <= kept
    assert len(kept - set(started)) <= len(lanes)
