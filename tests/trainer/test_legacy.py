"""`fit_v0`, and `fit` with a legacy server."""

from __future__ import annotations

import os

import pytest

import agentlightning_compat as agl
from agentlightning_compat.legacy.client import AgentLightningClient
from agentlightning_compat.legacy.dev_loader import DevTaskLoader
from agentlightning_compat.trainer.trainer_01 import Trainer01
from tests.legacy.adapter.server import LegacyServer, task


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("AGL_SPOOL", str(tmp_path / "spool"))
    with LegacyServer() as made:
        made.resources["res"] = {}
        yield made


class Doubling(agl.LitAgent):
    def training_rollout(self, task, rollout_id, resources):
        return task["number"] * 2.0


class Async(agl.LitAgent):
    async def training_rollout_async(self, task, rollout_id, resources):
        return task["number"] * 3.0


class Process(agl.LitAgent):
    def training_rollout(self, task, rollout_id, resources):
        return float(os.getpid())


def trainer(**options):
    return agl.Trainer(tracer=agl.DummyTracer(), **options)


def rewards(server):
    return [report["final_reward"] for report in server.reports]


@pytest.mark.parametrize(("agent", "factor"), [(Doubling(), 2), (Async(), 3)])
def test_tasks_of_a_server_are_done_in_this_process(server, agent, factor):
    server.tasks += [task(1), task(2)]
    trainer(n_runners=1, max_rollouts=2).fit_v0(agent, server.url)
    assert rewards(server) == [1.0 * factor, 2.0 * factor]


def test_a_client_in_place_of_the_url(server):
    server.tasks.append(task(4))
    client = AgentLightningClient(server.url, poll_interval=0.01)
    made = trainer(max_rollouts=1)
    made.fit_v0(Doubling(), client)
    assert rewards(server) == [8.0]
    with pytest.raises(RuntimeError, match="no client yet"):
        made.client()


def test_workers_in_processes_of_their_own(server):
    server.tasks += [task(n) for n in range(4)]
    made = trainer(n_runners=2, max_rollouts=2)
    made.fit_v0(Process(), AgentLightningClient(server.url, poll_interval=0.01))
    assert len(set(rewards(server))) == 2
    assert os.getpid() not in rewards(server)


def test_dev_takes_its_tasks_from_dev_data(server):
    loader = DevTaskLoader([{"number": 1}], {})
    with pytest.warns(DeprecationWarning, match="dev=True"):
        made = trainer(max_rollouts=2, dev=True)

    class Valid(agl.LitAgent):
        def validation_rollout(self, task, rollout_id, resources):
            return 1.0

    made.fit_v0(Valid(), server.url, dev_data=loader)
    assert [report.final_reward for report in loader.rollouts] == [1.0, 1.0]
    assert server.seen == {}
    with pytest.raises(ValueError, match="dev_data"):
        made.fit_v0(Valid(), server.url)
    with pytest.raises(ValueError, match="one of them"):
        made.fit_v0(Valid(), server.url, dev_data=loader, dev_backend=loader)


def test_a_dataset_with_an_algorithm_is_fit():
    seen = []

    @agl.algo
    def algorithm(*, train_dataset, val_dataset):
        seen.append((train_dataset, val_dataset))

    made = agl.Trainer(tracer=agl.DummyTracer(), algorithm=algorithm, strategy="shm")
    made.fit_v0(agl.LitAgent(), [1, 2], val_data=[3])
    assert seen == [([1, 2], [3])]


@pytest.mark.parametrize("what", [[1], 5, "ftp://x", "nonsense"])
def test_what_is_no_server_is_refused(what):
    with pytest.raises(ValueError, match=r"legacy server|http://"):
        trainer().fit_v0(Doubling(), what)


def test_fit_with_a_server_is_fit_v0_and_deprecated(server):
    server.tasks.append(task(1))
    with pytest.warns(DeprecationWarning, match="fit_v0") as caught:
        trainer(max_rollouts=1).fit(Doubling(), server.url)
    assert caught[0].filename == __file__
    assert rewards(server) == [2.0]


def test_the_matching_of_agents_goes_to_the_adapter(server):
    agent = Doubling()
    agent.trained_agents = "solver"
    server.tasks.append(task(1))
    made = trainer(max_rollouts=1)
    made.fit_v0(agent, server.url)
    assert made.adapter.agent_match == "solver"


def test_the_trainer_of_01(server):
    server.tasks += [task(1), task(2)]
    made = Trainer01(n_workers=1, max_tasks=2, tracer=agl.DummyTracer())
    assert made.dev is False
    made.fit(Doubling(), server.url)
    assert rewards(server) == [2.0, 4.0]


def test_the_trainer_of_01_only_logs_what_goes_wrong(server, caplog):
    class Interrupting(agl.LitAgent):
        def training_rollout(self, task, rollout_id, resources):
            raise KeyboardInterrupt

    server.tasks.append(task(1))
    Trainer01(max_tasks=1, tracer=agl.DummyTracer()).fit(Interrupting(), server.url)
    assert "interrupted" in caplog.text
    with pytest.raises(ValueError, match="dev_backend"):
        Trainer01(dev=True, tracer=agl.DummyTracer()).fit(Doubling(), server.url)
