"""`LegacyAgentRunner` against a legacy server."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading

import pytest

import agentlightning_compat as agl
from agentlightning_compat.legacy.agent_runner import LegacyAgentRunner
from agentlightning_compat.legacy.client import AgentLightningClient
from agentlightning_compat.legacy.dev_loader import DevTaskLoader
from agentlightning_compat.model import LLM, RolloutLegacy, Triplet
from tests.legacy.adapter.server import task

MODEL = {"main": {"resource_type": "llm", "endpoint": "http://x/v1", "model": "m"}}


def runner_of(server, agent, tracer=None, **options) -> LegacyAgentRunner:
    server.resources["res"] = MODEL
    if tracer is None:
        tracer = agl.DummyTracer()
        tracer.init()
        tracer.init_worker(0)
    client = AgentLightningClient(server.url, poll_interval=0.01, timeout=20)
    exporter = agl.TracerTraceToTriplet()
    return LegacyAgentRunner(agent, client, tracer, exporter, **options)


class Doubling(agl.LitAgent):
    """Written for 0.1."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def training_rollout(self, task, rollout_id, resources):
        self.calls.append(("train", task, rollout_id, resources["main"].model))
        return task["number"] * 2.0

    def validation_rollout(self, task, rollout_id, resources):
        self.calls.append(("val", task, rollout_id, resources["main"].model))
        return -1.0


def test_tasks_are_done_and_their_results_posted(server):
    agent = Doubling()
    server.tasks += [task(1), task(2, mode="val"), task(3, mode=None), task(4, resources_id="res")]
    assert runner_of(server, agent, max_tasks=4, worker_id=3).iter() == 4
    assert [r["final_reward"] for r in server.reports] == [2.0, -1.0, -1.0, 8.0]
    assert [c[0] for c in agent.calls] == ["train", "val", "val", "train"]
    assert agent.calls[0][1:] == ({"number": 1}, "rollout-1", "m")


def test_a_sync_agent_works_in_the_thread_that_called(server):
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:

        class Bound(agl.LitAgent):
            def training_rollout(self, task, rollout_id, resources):
                # Good in the thread that it was made in, and in no other.
                return float(connection.execute("select 3").fetchone()[0])

        server.tasks.append(task(1))
        runner_of(server, Bound()).run()
    assert [r["final_reward"] for r in server.reports] == [3.0]


def test_one_task_at_a_time(server):
    runner = runner_of(server, Doubling())
    server.tasks += [task(1), task(2)]
    assert runner.run() is True
    assert len(server.reports) == 1
    assert runner.run() is True
    assert len(server.reports) == 2


async def test_sync_names_work_where_a_loop_is_running(server):
    server.tasks.append(task(1))
    assert runner_of(server, Doubling()).run() is True


class Waiting(agl.LitAgent):
    """Async; lets nobody go before all are there."""

    def __init__(self, count):
        super().__init__()
        self.missing = count
        self.all_there = asyncio.Event()

    async def training_rollout_async(self, task, rollout_id, resources):
        self.missing -= 1
        if not self.missing:
            self.all_there.set()
        await self.all_there.wait()
        agl.emit_message(f"of {rollout_id}")
        return float(task["number"])


async def test_async_agents_work_at_many_tasks_at_once(server):
    server.tasks += [task(n) for n in range(20)]
    runner = runner_of(server, Waiting(20), max_tasks=20, concurrency=20)
    assert await runner.iter_async() == 20
    assert sorted(r["final_reward"] for r in server.reports) == [float(n) for n in range(20)]
    for report in server.reports:
        (span,) = report["trace"]
        assert span["attributes"]["agentlightning.message.body"] == f"of {report['rollout_id']}"


async def test_one_async_task(server):
    server.tasks.append(task(1))
    assert await runner_of(server, Waiting(1)).run_async() is True


class Returning(agl.LitAgent):
    def __init__(self, results):
        super().__init__()
        self.results = iter(results)

    def training_rollout(self, task, resources, rollout):
        result = next(self.results)
        if isinstance(result, BaseException):
            raise result
        return result


def test_an_agent_that_fails_is_reported_and_the_next_task_done(server, caplog):
    server.tasks += [task(1), task(2), task(3)]
    agent = Returning([ValueError("mine"), SystemExit(3), 1.0])
    assert runner_of(server, agent, max_tasks=3).iter() == 3
    assert [r["final_reward"] for r in server.reports] == [None, None, 1.0]
    assert server.reports[0]["task"]["rollout_id"] == "rollout-1"
    assert "ValueError: mine" in caplog.text


def test_old_results_become_reports(server):
    triplets = [Triplet(prompt=1, response=2, reward=0.5)]
    results = [
        triplets,
        RolloutLegacy(rollout_id="x", final_reward=2.0, logs=["l"], metadata={"m": 1}),
        [{"any": "dict"}],
        1,
        "text",
        [],
    ]
    server.tasks += [task(n) for n in range(len(results))]
    runner_of(server, Returning(results), max_tasks=len(results)).iter()
    of_triplets, of_report, of_dicts, of_int, of_text, of_empty = server.reports
    assert (of_triplets["final_reward"], len(of_triplets["triplets"])) == (0.5, 1)
    assert (of_report["rollout_id"], of_report["final_reward"]) == ("rollout-1", 2.0)
    assert (of_report["logs"], of_report["metadata"]) == (["l"], {"m": 1})
    assert of_dicts["trace"] == [{"any": "dict"}]
    # Only a float was a reward; what was not known was nothing.
    assert of_int["final_reward"] is None
    assert of_text["final_reward"] is None
    assert (of_empty["triplets"], of_empty["trace"]) == ([], [])


def test_a_subclass_may_make_reports_of_its_own(server):
    class Own(LegacyAgentRunner):
        def _to_rollout_object(self, result, rollout_id):
            report = super()._to_rollout_object(result, rollout_id)
            return report.model_copy(update={"metadata": {"own": True}})

    server.tasks.append(task(1))
    made = runner_of(server, Doubling())
    Own(made.agent, made.client, made.tracer, made.triplet_exporter).run()
    assert server.reports[0]["metadata"] == {"own": True}


class Hooked(Doubling):
    def __init__(self):
        super().__init__()
        self.heard = []

    def on_rollout_start(self, task, runner, tracer):
        self.heard.append(("start", task.num_claims, runner, tracer, threading.current_thread()))

    def on_rollout_end(self, task, rollout, runner, tracer):
        self.heard.append(("end", rollout.final_reward, runner, tracer, threading.current_thread()))
        rollout.metadata["seen"] = True
        raise ValueError("of the hook")


def test_the_agents_own_hooks_are_called(server, caplog):
    agent = Hooked()
    server.tasks.append(task(2, num_claims=7))
    runner = runner_of(server, agent)
    runner.run()
    here = threading.current_thread()
    assert agent.heard == [
        ("start", 7, runner, runner.tracer, here),
        ("end", 4.0, runner, runner.tracer, here),
    ]
    assert server.reports[0]["metadata"] == {"seen": True}
    assert "of the hook" in caplog.text


def test_an_agent_knows_its_runner(server):
    class Knowing(agl.LitAgent):
        def training_rollout(self, task, rollout_id, resources):
            assert self.runner.client.endpoint == server.url
            return float(self.runner.worker_id)

    server.tasks.append(task(1))
    runner_of(server, Knowing(), worker_id=5).run()
    assert server.reports[0]["final_reward"] == 5.0


def test_what_the_tracer_saw_is_the_trace(server):
    class Telling(agl.LitAgent):
        def training_rollout(self, task, rollout_id, resources):
            agl.emit_reward(0.75)
            with agl.operation(name="step"):
                agl.emit_message("hello")
            return [{"left": "out"}]

    server.tasks.append(task(1))
    runner_of(server, Telling()).run()
    names = [span["name"] for span in server.reports[0]["trace"]]
    assert sorted(names) == [
        "agentlightning.annotation",
        "agentlightning.message",
        "agentlightning.operation",
    ]


def test_a_tracer_of_01_works(server):
    class Old:
        """As 0.1's BaseTracer."""

        opened = 0

        @contextlib.contextmanager
        def trace_context(self, name=None):
            self.opened += 1
            yield self

        def get_last_trace(self):
            return []

    tracer = Old()
    server.tasks.append(task(1))
    runner_of(server, Doubling(), tracer=tracer).run()
    assert tracer.opened == 1
    assert server.reports[0]["final_reward"] == 2.0


def test_missing_resources_fail_the_task(server, caplog):
    server.tasks.append(task(1, resources_id="gone"))
    assert runner_of(server, Doubling(), max_tasks=1).iter() == 1
    assert [r["final_reward"] for r in server.reports] == [None]
    assert "gone" in caplog.text


def test_a_dev_loader_needs_no_server():
    loader = DevTaskLoader([{"number": 1}, {"number": 2}], {"main": LLM(endpoint="e", model="m")})
    tracer = agl.DummyTracer()
    runner = LegacyAgentRunner(Doubling(), loader, tracer, agl.TracerTraceToTriplet(), max_tasks=3)
    assert runner.iter() == 3
    # A loader gives no mode, so these are validations.
    assert [r.final_reward for r in loader.rollouts] == [-1.0] * 3


def test_an_interrupt_ends_it_with_the_task_reported(server):
    class Interrupted(agl.LitAgent):
        def training_rollout(self, task, rollout_id, resources):
            raise KeyboardInterrupt

    server.tasks += [task(1), task(2)]
    with pytest.raises(KeyboardInterrupt):
        runner_of(server, Interrupted()).iter()
    assert [r["rollout_id"] for r in server.reports] == ["rollout-1"]
    assert len(server.tasks) == 1
