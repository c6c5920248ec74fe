"""`agl-migrate serve`: old clients and new runners on one port, and a legacy server behind it."""

from __future__ import annotations

import asyncio
import http.client
from urllib.parse import urlsplit

import agentlightning_compat as agl
from tests.http.processes import serving
from tests.legacy.adapter.server import LegacyServer, task


class Doubling(agl.LitAgent):
    def training_rollout(self, task, resources, rollout):
        return task["number"] * 2.0


def legacy(url, tasks):
    client = agl.AgentLightningClient(url, poll_interval=0.01, timeout=20)
    exporter = agl.TracerTraceToTriplet()
    runner = agl.LegacyAgentRunner(Doubling(), client, agl.DummyTracer(), exporter, max_tasks=tasks)
    return asyncio.to_thread(runner.iter)


async def new(url, rollouts):
    runner = agl.LitAgentRunner(agl.DummyTracer(), max_rollouts=rollouts, heartbeat_interval=0)
    with runner.run_context(agent=Doubling(), store=agl.LightningStoreClient(url)):
        await runner.iter()


async def test_old_clients_and_new_runners_drain_one_queue(tmp_path):
    path = f"sqlite:///{tmp_path}/store.db"
    with serving("--store", path, "--port", "0") as (_, url):
        store = agl.open_store(url)
        await store.add_resources({})
        queued = [await store.enqueue_rollout({"number": n}, mode="train") for n in range(6)]
        await asyncio.gather(legacy(url, 3), new(url, 3))
        keys = [rollout.rollout_id for rollout in queued]
        ended = await store.wait_for_rollouts(rollout_ids=keys, timeout=60)
        assert [rollout.status for rollout in ended] == ["succeeded"] * 6
        rewards = [agl.find_final_reward(await store.query_spans(key)) for key in keys]
        assert rewards == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]


async def test_new_runners_do_the_tasks_of_a_legacy_server():
    with LegacyServer() as old:
        old.resources["res"] = {}
        old.tasks += [task(n) for n in range(3)]
        with serving("--upstream", old.url, "--port", "0") as (_, url):
            await new(url, 3)
            old.until("rollout", 3)
    found = {report["rollout_id"]: report["final_reward"] for report in old.reports}
    assert found == {f"rollout-{n}": n * 2.0 for n in range(3)}


def test_a_token_closes_the_legacy_routes():
    with serving("--store", "memory://", "--port", "0", "--token", "t") as (_, url):
        client = agl.AgentLightningClient(url)
        assert asyncio.run(client.get_latest_resources_async()) is None
        store = agl.LightningStoreClient(url, token="t")
        assert asyncio.run(store.query_rollouts()).total == 0


def answered(url, verb, path, body=None, **headers):
    """The status of an answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(verb, path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_pages_of_other_sites_get_no_tasks():
    with serving("--store", "memory://", "--port", "0") as (_, url):
        store = agl.LightningStoreClient(url)
        asyncio.run(store.enqueue_rollout(1))
        assert answered(url, "GET", "/task", **{"Sec-Fetch-Site": "cross-site"}) == 403
        assert asyncio.run(store.query_rollouts(status_in=["queuing"])).total == 1
        assert answered(url, "GET", "/task", **{"Sec-Fetch-Site": "same-origin"}) == 200
        assert asyncio.run(store.query_rollouts(status_in=["queuing"])).total == 0


def test_what_is_far_too_much_is_refused_and_the_rest_goes_on():
    with serving("--store", "memory://", "--port", "0") as (_, url):
        deep = b"[" * 100_000 + b"]" * 100_000
        assert answered(url, "POST", "/rollout", deep) in (400, 422)
        # It is not waited for: none of it is sent.
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        connection.putrequest("POST", "/rollout")
        connection.putheader("Content-Length", str(1 << 40))
        connection.endheaders()
        assert connection.getresponse().status == 413
        connection.close()
        assert answered(url, "GET", "/task") == 200
