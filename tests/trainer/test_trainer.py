"""The trainer: its arguments, and runs as threads."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import warnings

import pytest

import agentlightning_compat as agl
from agentlightning_compat.trainer.progress import Progress

SAFETY = 60.0


class Agent(agl.LitAgent):
    """Returns the task as its reward; notes in which modes it was called."""

    def __init__(self) -> None:
        super().__init__()
        self.modes = []

    def training_rollout(self, task, resources, rollout):
        self.modes.append("train")
        return float(task)

    def validation_rollout(self, task, resources, rollout):
        self.modes.append("val")
        return float(task)


def trainer(**settings):
    return agl.Trainer(**{"tracer": agl.DummyTracer(), "strategy": "shm", **settings})


def queue(store, count):
    async def work() -> None:
        await store.add_resources({})
        for number in range(count):
            await store.enqueue_rollout(number)

    asyncio.run(work())


def ended(store):
    return [one.status for one in asyncio.run(store.query_rollouts())]


def test_what_it_is_by_default() -> None:
    made = agl.Trainer()
    assert type(made.strategy) is agl.ClientServerExecutionStrategy
    assert type(made.store) is agl.InMemoryLightningStore
    assert made.store.capabilities["thread_safe"]
    assert type(made.adapter) is agl.TracerTraceToTriplet
    assert made.triplet_exporter is made.adapter
    assert type(made.runner) is agl.LitAgentRunner
    assert made.runner.tracer is made.tracer
    assert isinstance(made.tracer, agl.Tracer)
    assert (made.n_runners, made.n_workers, made.max_rollouts, made.max_tasks) == (1, 1, None, None)
    assert (made.algorithm, made.llm_proxy, made.initial_resources, made.port) == (None,) * 4
    assert tuple(made.hooks) == ()


def test_the_strategy_is_told_what_the_trainer_was() -> None:
    made = agl.Trainer(n_runners=3, port=1234, tracer=agl.DummyTracer)
    assert (made.strategy.n_runners, made.strategy.server_port) == (3, 1234)
    assert trainer(n_runners=3).strategy.n_runners == 3
    given = agl.ClientServerExecutionStrategy(n_runners=2, server_port=1)
    made = trainer(strategy=given, port=99)
    assert (given.server_port, made.n_runners, made.n_workers) == (99, 2, 2)
    made = trainer(strategy={"type": "cs", "server_port": 5, "role": "runner"}, n_runners=2)
    assert (made.strategy.role, made.strategy.n_runners) == ("runner", 2)


def test_components_in_every_form() -> None:
    made = agl.Trainer(
        tracer="agentlightning.tracer.DummyTracer",
        adapter={"agent_match": "solver"},
        store=agl.InMemoryLightningStore,
        runner={"type": "agentlightning.LitAgentRunner", "poll_interval": 0.5},
        strategy=agl.SharedMemoryExecutionStrategy,
        algorithm=lambda: agl.Baseline(n_epochs=3),
        hooks=agl.Hook(),
        max_rollouts=4,
    )
    assert type(made.tracer) is agl.DummyTracer
    assert made.algorithm.n_epochs == 3
    assert made.runner._max_rollouts == 4
    assert made.runner._poll_interval == 0.5
    assert len(made.hooks) == 1
    assert type(trainer(store="memory://").store) is agl.InMemoryLightningStore


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"tracer": 3}, ValueError),
        ({"tracer": "collections.OrderedDict"}, TypeError),
        ({"adapter": {"type": "collections.OrderedDict"}}, TypeError),
        ({"strategy": "nonsense"}, ValueError),
        ({"algorithm": agl.DummyTracer()}, ValueError),
        ({"llm_proxy": lambda: 3}, TypeError),
        ({"runner": {"max_rollouts": 3}}, ValueError),
    ],
)
def test_what_nothing_can_be_made_of(settings, error) -> None:
    with pytest.raises(error):
        trainer(**settings)


@pytest.mark.parametrize(
    ("settings", "texts", "attribute", "value"),
    [
        ({"n_workers": 2}, ["use `n_runners`"], "n_runners", 2),
        ({"n_workers": 2, "n_runners": 3}, ["use `n_runners`", "is ignored"], "n_runners", 3),
        ({"max_tasks": 2}, ["use `max_rollouts`"], "max_rollouts", 2),
        ({"max_tasks": 2, "max_rollouts": 3}, ["use", "is ignored"], "max_rollouts", 3),
        ({"daemon": False}, ["`daemon` of Trainer"], "daemon", False),
        ({"dev": True}, ["Trainer.dev"], "n_runners", 1),
    ],
)
def test_old_arguments_warn_at_the_line_that_has_them(settings, texts, attribute, value) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        line = inspect.currentframe().f_lineno + 1
        made = agl.Trainer(tracer=agl.DummyTracer(), strategy="shm", **settings)
    assert getattr(made, attribute) == value
    assert [(one.category, one.filename, one.lineno) for one in caught] == [
        (DeprecationWarning, __file__, line)
    ] * len(texts)
    assert all(text in str(one.message) for text, one in zip(texts, caught, strict=True))


def test_the_old_name_of_the_adapter() -> None:
    adapter, other = agl.TracerTraceToTriplet(), agl.TraceToMessages()
    with pytest.warns(DeprecationWarning, match="use `adapter`"):
        assert trainer(triplet_exporter=adapter).adapter is adapter
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert trainer(triplet_exporter=adapter, adapter=other).adapter is other
    assert "`triplet_exporter` of Trainer is ignored" in str(caught[1].message)


@pytest.mark.parametrize("runners", [1, 3])
@pytest.mark.parametrize("main", ["algorithm", "runner"])
def test_dev_runs_the_samples_and_ends(runners, main) -> None:
    made = trainer(strategy={"type": "shm", "main_thread": main}, n_runners=runners)
    agent = Agent()
    made.dev(agent, [1, 2, 3], val_dataset=[4])
    assert ended(made.store) == ["succeeded"] * 4
    assert sorted(agent.modes) == ["train", "train", "train", "val"]
    assert agent.get_trainer() is made


def test_dev_ends_when_the_runners_have_ended(caplog) -> None:
    made = trainer(max_rollouts=1, strategy={"type": "shm", "graceful_delay": 0.1})
    made.dev(Agent(), [1, 2, 3])
    assert ended(made.store).count("succeeded") == 1
    assert "1 of 3 samples were run" in caplog.text


def test_dev_takes_fast_algorithms_only() -> None:
    class Slow(agl.Algorithm):
        pass

    with pytest.raises(TypeError, match="FastAlgorithm, not Slow"):
        trainer(algorithm=Slow()).dev(Agent(), [1])


@pytest.mark.parametrize("runners", [1, 2])
def test_fit_without_an_algorithm_ends_with_the_runners(runners) -> None:
    made = trainer(n_runners=runners, max_rollouts=2)
    queue(made.store, 5)
    made.fit(Agent())
    assert ended(made.store).count("succeeded") == 2 * runners


def test_each_worker_has_a_runner_of_its_own() -> None:
    meeting = threading.Barrier(3, timeout=SAFETY)
    seen = {}

    class Runner(agl.LitAgentRunner):
        async def iter(self, *, event=None) -> None:
            await asyncio.to_thread(meeting.wait)
            seen[self.get_worker_id()] = id(self)

    for spec in (
        Runner,
        {"type": Runner},
        Runner(agl.DummyTracer()),
        lambda: Runner(agl.DummyTracer()),
    ):
        seen.clear()
        trainer(runner=spec, n_runners=3).fit(Agent())
        assert sorted(seen) == ["Worker-0", "Worker-1", "Worker-2"]
        assert len(set(seen.values())) == 3


def test_an_algorithm_gets_all_that_the_trainer_has() -> None:
    class Proxy:
        store = None

        def set_store(self, store) -> None:
            self.store = store

        def is_running(self):
            return True

        async def start(self): ...

        async def stop(self): ...

    proxy, adapter, given = Proxy(), agl.TraceToMessages(), {}

    @agl.algo
    async def learn(
        *, store, adapter, llm_proxy, initial_resources, train_dataset, val_dataset
    ) -> None:
        given.update(
            store=store,
            rest=(adapter, llm_proxy, initial_resources, train_dataset, val_dataset),
            trainer=learn.get_trainer(),
        )

    made = trainer(
        algorithm=learn, adapter=adapter, llm_proxy=proxy, initial_resources={}, max_rollouts=0
    )
    made.fit(Agent(), [1], val_dataset=[2])
    assert given["rest"] == (adapter, proxy, {}, [1], [2])
    assert given["trainer"] is made
    assert given["store"].store is made.store
    assert proxy.store is given["store"]


def test_the_datasets_have_other_names() -> None:
    seen = []

    @agl.algo
    async def learn(*, train_dataset, val_dataset) -> None:
        seen.append((train_dataset, val_dataset))

    made = trainer(algorithm=learn)
    made.fit(Agent(), train_data=[1], val_data=[2])
    made.fit(agent=Agent(), train_dataset=[3])
    assert seen == [([1], [2]), ([3], None)]
    with pytest.raises(ValueError, match="train_dataset and train_data are the same"):
        made.fit(Agent(), [1], train_data=[1])


def test_a_function_that_is_no_coroutine_may_have_a_loop_of_its_own() -> None:
    @agl.algo
    def learn(*, store) -> None:
        queue(store, 3)
        ids = [one.rollout_id for one in asyncio.run(store.query_rollouts())]
        asyncio.run(store.wait_for_rollouts(rollout_ids=ids, timeout=SAFETY))

    made = trainer(algorithm=learn, n_runners=2)
    made.fit(Agent())
    assert ended(made.store) == ["succeeded"] * 3


def test_hooks_may_be_plain_objects() -> None:
    class Plain:
        def __init__(self) -> None:
            self.seen = []

        async def on_rollout_end(self, *, agent, runner, rollout, spans) -> None:
            self.seen.append(agl.find_final_reward(spans))

    hook = Plain()
    made = trainer(hooks=hook)
    made.dev(Agent(), [5])
    assert hook.seen == [5.0]


def test_what_a_run_did_is_logged(caplog) -> None:
    caplog.set_level(logging.INFO)
    trainer().dev(Agent(), [1, 2, 3])
    assert "at the end: 3 done (0 failed), 0 running, 0 queued, mean reward 2 (of 3)" in caplog.text


async def test_progress_counts_what_is_new() -> None:
    store = agl.InMemoryLightningStore()

    async def one(status, reward=None) -> None:
        made = await store.start_rollout(1)
        key = made.rollout_id, made.attempt.attempt_id
        if reward is not None:
            core = agl.emit_reward(reward, propagate=False)
            ids = {"rollout_id": key[0], "attempt_id": key[1], "sequence_id": 1}
            await store.add_span(agl.Span.from_core_fields(core, **ids))
        await store.update_attempt(*key, status=status)

    await one("succeeded", 100.0)
    progress = Progress(store)
    await progress.begin()
    await one("succeeded", 1.0)
    await one("succeeded", 2.0)
    await one("failed")
    await store.enqueue_rollout(1)
    await store.start_rollout(1)
    state = await progress.look()
    assert (state.succeeded, state.failed, state.running, state.queued) == (2, 1, 1, 1)
    assert sorted(state.rewards) == [1.0, 2.0]
    await one("succeeded", 3.0)
    state = await progress.look()
    assert (state.done, sum(state.rewards)) == (4, 6.0)
    assert str(state).startswith("4 done (1 failed), 1 running, 1 queued, mean reward 2 (of 3), ")


async def test_progress_that_cannot_be_read_stops_nothing(caplog) -> None:
    class Blind(agl.LightningStore):
        pass

    await Progress(Blind()).tell()
    assert "nothing more is told" in caplog.text
