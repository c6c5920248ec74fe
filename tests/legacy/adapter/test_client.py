"""`AgentLightningClient` and `DevTaskLoader`: the legacy interface."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from agentlightning_compat.errors import InternalError, StoreUnavailableError
from agentlightning_compat.legacy.client import AgentLightningClient
from agentlightning_compat.legacy.dev_loader import DevTaskLoader
from agentlightning_compat.model import LLM, RolloutLegacy, Task, Triplet
from tests.legacy.adapter.server import task

MODEL = {"main": {"resource_type": "llm", "endpoint": "http://x/v1", "model": "m"}}


@pytest.fixture(params=["sync", "async"])
def call(request):
    """Calls a method under its sync or its async name."""

    def do(client, name, *arguments):
        if request.param == "sync":
            return getattr(client, name)(*arguments)
        return asyncio.run(getattr(client, f"{name}_async")(*arguments))

    return do


def client_of(server, **options) -> AgentLightningClient:
    return AgentLightningClient(server.url, **{"poll_interval": 0.01, "timeout": 20, **options})


def test_polls_until_there_is_a_task(server, call):
    server.tasks.append(task(1, metadata={"a": [1]}))
    server.troubles["task"] = deque(
        [500, "cut", "no json", '{"odd": 1}', '{"is_available": false}']
    )
    client = client_of(server)
    got = call(client, "poll_next_task")
    assert got == Task.model_validate(task(1, metadata={"a": [1]}))
    assert client.task_count == 1
    assert server.seen["task"] == 6


def test_resources_of_a_01_server_are_had_once(server, call):
    server.resources["res-1"] = MODEL
    client = client_of(server)
    first = call(client, "get_resources_by_id", "res-1")
    assert first.resources == {"main": LLM(endpoint="http://x/v1", model="m")}
    assert call(client, "get_resources_by_id", "res-1") is first
    assert server.seen["resources"] == 1


def test_latest_resources_are_asked_for_each_time(server, call):
    client = client_of(server)
    assert call(client, "get_latest_resources") is None
    server.resources["res-1"] = MODEL
    assert call(client, "get_latest_resources").resources_id == "res-1"
    server.resources["res-2"] = MODEL
    assert call(client, "get_latest_resources").resources_id == "res-2"
    assert call(client, "get_resources_by_id", "res-1").resources_id == "res-1"
    assert server.seen["resources"] == 3


def test_an_id_is_one_part_of_the_path(server, call):
    server.resources["a b#c"] = MODEL
    assert call(client_of(server), "get_resources_by_id", "a b#c").resources_id == "a b#c"


@pytest.mark.parametrize("trouble", [404, 500, "cut", "no json", '{"resources": 5}', "[1]"])
def test_resources_that_cannot_be_had_are_none(server, call, trouble, caplog):
    server.troubles["resources"] = deque([trouble])
    assert call(client_of(server), "get_resources_by_id", "res-1") is None
    assert "no answer that helps" in caplog.text


def test_posts_a_result(server, call):
    report = RolloutLegacy(
        rollout_id="rollout-1",
        final_reward=0.5,
        triplets=[Triplet(prompt={"token_ids": [1]}, response={"token_ids": [2]}, reward=0.5)],
        trace=[{"name": "x"}],
        logs=["line"],
        metadata={"k": 1},
    )
    answer = call(client_of(server), "post_rollout", report)
    assert answer == {"status": "ok", "message": "stored", "data": None}
    assert server.reports == [report.model_dump(mode="json")]


@pytest.mark.parametrize("trouble", [422, 500, "cut", "no json"])
def test_a_result_that_does_not_arrive_is_none(server, call, trouble, caplog):
    server.troubles["rollout"] = deque([trouble])
    assert call(client_of(server), "post_rollout", RolloutLegacy(rollout_id="rollout-1")) is None
    assert "rollout-1 did not arrive" in caplog.text


def test_a_server_that_is_away(server, call):
    server.down()
    assert call(client_of(server), "get_latest_resources") is None


async def test_sync_names_work_where_a_loop_is_running(server):
    server.tasks.append(task(1))
    assert client_of(server).poll_next_task().rollout_id == "rollout-1"


def test_what_a_subclass_replaces_is_used_under_both_names(call):
    class Canned(AgentLightningClient):
        def _request_json(self, url):
            return {"is_available": True, "task": {"rollout_id": url, "input": 1}}

        async def _request_json_async(self, url):
            return self._request_json(url)

    got = call(Canned("http://nowhere:1"), "poll_next_task")
    assert got.rollout_id == "http://nowhere:1/task"


async def test_those_who_want_to_know_why(server):
    client = client_of(server)
    assert await client.try_next_task_async() is None
    server.troubles["task"] = deque([503, "no json", "[]"])
    for kind in (StoreUnavailableError, InternalError, InternalError):
        with pytest.raises(kind):
            await client.try_next_task_async()
    server.troubles["resources"] = deque([404, 500])
    assert await client.fetch_resources_async("x") is None
    with pytest.raises(StoreUnavailableError):
        await client.fetch_resources_async("x")
    server.down()
    with pytest.raises(StoreUnavailableError):
        await client.try_next_task_async()


def test_a_dev_loader_goes_round(call):
    loader = DevTaskLoader(["a", "b"], {"main": LLM(endpoint="e", model="m")})
    got = [call(loader, "poll_next_task") for _ in range(3)]
    assert [item.input for item in got] == ["a", "b", "a"]
    assert [item.rollout_id for item in got] == [f"local_task_00{n}" for n in (1, 2, 1)]
    assert {item.resources_id for item in got} == {"local"}
    assert loader.task_count == 3
    assert call(loader, "get_resources_by_id", "local") is call(loader, "get_latest_resources")
    report = RolloutLegacy(rollout_id="local_task_001", final_reward=1.0)
    assert call(loader, "post_rollout", report)["rollout_id"] == "local_task_001"
    assert loader.rollouts == [report]


def test_a_dev_loader_of_tasks_gives_those(call):
    tasks = [Task(rollout_id="mine", input=1, mode="val")]
    loader = DevTaskLoader(tasks, {})
    assert call(loader, "poll_next_task") is tasks[0]
    with pytest.raises(ValueError, match="'local' only"):
        call(loader, "get_resources_by_id", "other")


def test_a_dev_loader_refuses_what_makes_no_sense():
    with pytest.raises(ValueError, match="empty"):
        DevTaskLoader([], {})
    with pytest.raises(ValueError, match="all Task objects"):
        DevTaskLoader([Task(rollout_id="x", input=1), 2], {})
