"""Real releases and this runtime, as clients and as servers of each other: the same rewards."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import tempfile
from contextlib import contextmanager

import pytest

import agentlightning_compat as agl
from agentlightning_compat.legacy.server import AgentLightningServer
from tests.http.test_serving import serving
from tests.legacy.bridge.test_serve import legacy, new
from tests.oracles import oracle_python

pytestmark = pytest.mark.oracle

COUNT = 4
REWARDS = [0.0, 2.0, 4.0, 6.0]

SERVER = """
import asyncio, json, sys
import agentlightning as agl
from agentlightning.types import LLM

async def main():
    server = agl.AgentLightningServer(host="127.0.0.1", port=int(sys.argv[1]))
    await server.start()
    await server.update_resources({"main": LLM(endpoint="http://x/v1", model="m")})
    keys = [await server.queue_task({"number": n}, mode="train") for n in range(4)]
    print("up", flush=True)
    found = [await server.poll_completed_rollout(key, timeout=120) for key in keys]
    print(json.dumps([report.final_reward for report in found]), flush=True)
    await server.stop()

asyncio.run(main())
"""

CLIENT = """
import sys
from contextlib import contextmanager
import agentlightning as agl
from agentlightning.runner import AgentRunner
from agentlightning.tracer import TripletExporter
from agentlightning.tracer.base import BaseTracer

class Tracer(BaseTracer):
    @contextmanager
    def trace_context(self, name=None):
        yield
    def get_last_trace(self):
        return []

class Agent(agl.LitAgent):
    def training_rollout(self, task, rollout_id, resources):
        assert resources["main"].model == "m"
        return task["number"] * 2.0

client = agl.AgentLightningClient(sys.argv[1], poll_interval=0.05)
AgentRunner(Agent(), client, Tracer(), TripletExporter(), max_tasks=4).iter()
"""

RUNNER = """
import asyncio, sys
import agentlightning as agl

class Agent(agl.LitAgent):
    def rollout(self, task, resources, rollout):
        assert resources["main"].model == "m"
        return task["number"] * 2.0

async def main():
    store = agl.LightningStoreClient(sys.argv[1])
    runner = agl.LitAgentRunner(agl.OtelTracer(), max_rollouts=4, poll_interval=0.05)
    with runner.run_context(agent=Agent(), store=store):
        await runner.iter()
    await store.close()

asyncio.run(main())
"""


@contextmanager
def real(release, script, *arguments):
    """A script on a real release, whose standard output is read."""
    environment = {k: x for k, x in os.environ.items() if k not in ("PYTHONPATH", "AGL_SPOOL")}
    environment["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [str(oracle_python(release)), "-W", "ignore", "-c", script, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=folder,
            env=environment,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(60)
            process.stdout.close()
            process.stdin.close()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def legacy_server(release):
    """A real legacy server with its tasks queued; its address, and what tells its results."""
    port = free_port()
    with real(release, SERVER, port) as process:
        lines = iter(process.stdout.readline, "")
        assert "up\n" in lines
        yield (
            f"http://127.0.0.1:{port}",
            lambda: json.loads(next(line for line in lines if line.startswith("["))),
        )


def run_real(release, script, url):
    with real(release, script, url) as process:
        assert process.wait(120) == 0


async def work_off(client, url):
    """Have a legacy client do all tasks."""
    if client == "real":
        await asyncio.to_thread(run_real, "0.1.2", CLIENT, url)
    else:
        await legacy(url, COUNT)


@pytest.mark.parametrize("client", ["real", "ours"])
@pytest.mark.parametrize("release", ["0.1.2", "0.3.0"])
async def test_legacy_clients_of_real_servers(release, client):
    with legacy_server(release) as (url, results):
        await work_off(client, url)
        assert results() == REWARDS


@pytest.mark.parametrize("client", ["real", "ours"])
async def test_legacy_clients_of_the_bridge(client):
    server = AgentLightningServer(port=0)
    await server.start()
    await server.update_resources({"main": agl.LLM(endpoint="http://x/v1", model="m")})
    keys = [await server.queue_task({"number": n}, mode="train") for n in range(COUNT)]
    await work_off(client, server.endpoint)
    found = [await server.poll_completed_rollout(key, timeout=60) for key in keys]
    await server.stop()
    assert [report.final_reward for report in found] == REWARDS


@pytest.mark.parametrize("runner", ["real", "ours"])
async def test_new_runners_on_the_bridge(tmp_path, runner):
    with serving("--store", f"sqlite:///{tmp_path}/store.db", "--port", "0") as (_, url):
        store = agl.open_store(url)
        await store.add_resources({"main": agl.LLM(endpoint="http://x/v1", model="m")})
        keys = [
            (await store.enqueue_rollout({"number": n}, mode="train")).rollout_id
            for n in range(COUNT)
        ]
        await run_new(runner, url)
        await store.wait_for_rollouts(rollout_ids=keys, timeout=60)
        assert [agl.find_final_reward(await store.query_spans(key)) for key in keys] == REWARDS


@pytest.mark.parametrize("runner", ["real", "ours"])
async def test_new_runners_on_a_legacy_server_behind_the_bridge(runner):
    with (
        legacy_server("0.1.2") as (old, results),
        serving("--upstream", old, "--port", "0") as (_, url),
    ):
        await run_new(runner, url)
        assert results() == REWARDS


async def run_new(runner, url):
    if runner == "real":
        await asyncio.to_thread(run_real, "0.3.0", RUNNER, url)
    else:
        await new(url, COUNT)
