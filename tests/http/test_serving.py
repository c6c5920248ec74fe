"""`agl-migrate serve` as a process, and servers that are killed under load."""

from __future__ import annotations

import asyncio
import signal
import subprocess

import pytest

from agentlightning_compat import open_store
from agentlightning_compat.errors import InvalidRequestError
from agentlightning_compat.http.client import LightningStoreClient
from tests.http.processes import COMMAND, ENVIRONMENT, serving


def test_it_serves_until_it_is_told_to_end(tmp_path):
    with serving("--store", f"sqlite:///{tmp_path}/store.db", "--port", "0") as (process, url):
        made = asyncio.run(open_store(url).enqueue_rollout("task"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0

    async def kept():
        async with open_store(f"sqlite:///{tmp_path}/store.db") as store:
            return await store.get_rollout_by_id(made.rollout_id)

    assert asyncio.run(kept()).input == "task"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--host", "0.0.0.0", "--store", "memory://", "--port", "0"],
        ["--store", "nonsense", "--port", "0"],
        ["--store", "memory://", "--host", "192.0.2.1", "--insecure", "--port", "0"],
        ["--store", "memory://", "--max-page", "1", "--port", "0"],
    ],
    ids=["open to all", "no store", "no address of this machine", "no page"],
)
def test_what_cannot_be_served_ends_with_two(arguments):
    done = subprocess.run(
        [*COMMAND, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env=ENVIRONMENT,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("agl-migrate serve: ")
    assert "Traceback" not in done.stderr


async def test_what_a_request_may_ask_for_can_be_said():
    limits = ["--max-body", "1000", "--max-page", "2"]
    with serving("--store", "memory://", "--port", "0", *limits) as (_, url):
        client = LightningStoreClient(url)
        for number in range(5):
            await client.enqueue_rollout(number)
        with pytest.raises(InvalidRequestError, match="1000 bytes"):
            await client.enqueue_rollout("x" * 1000)
        assert [rollout.input for rollout in await client.query_rollouts()] == [0, 1, 2, 3, 4]


async def test_nothing_acknowledged_is_lost_when_a_server_is_killed(tmp_path):
    where = ["--store", f"sqlite:///{tmp_path}/store.db", "--port"]
    acknowledged = []

    async def work(client, worker, halfway):
        for number in range(20):
            made = await client.enqueue_rollout([worker, number])
            acknowledged.append(made.rollout_id)
            if len(acknowledged) == 20:
                halfway.set()

    halfway = asyncio.Event()
    with serving(*where, "0") as (process, url):
        client = LightningStoreClient(url, retry_delays=(0.1,) * 600)
        workers = [asyncio.ensure_future(work(client, n, halfway)) for n in range(4)]
        await halfway.wait()
        process.kill()
        process.wait(60)
    with serving(*where, url.rpartition(":")[2]):
        await asyncio.gather(*workers)
        stored = await client.query_rollouts()
    assert len(acknowledged) == 80
    assert set(acknowledged) <= {item.rollout_id for item in stored}


def test_a_store_by_the_url_of_its_server():
    assert isinstance(open_store("http://127.0.0.1:1"), LightningStoreClient)
    with pytest.raises(InvalidRequestError):
        open_store("ftp://127.0.0.1:1")
