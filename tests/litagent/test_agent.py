"""The base class: what it refers to, what it is made into when copied, which form is async."""

from __future__ import annotations

import gc
import pickle
from types import SimpleNamespace

import pytest

from agentlightning_compat import LitAgent


class Plain(LitAgent[str]):
    def rollout(self, task, resources, rollout):
        return float(len(task))


class WithoutSuper(LitAgent[str]):
    def __init__(self) -> None:
        self.name = "mine"


class Sized:
    """Something that can be referred to weakly."""

    def __init__(self, **fields) -> None:
        self.__dict__.update(fields)


@pytest.mark.parametrize("what", ["trainer", "runner"])
def test_nobody_was_set(what):
    with pytest.raises(ValueError, match=f"no {what}: nobody called set_{what}"):
        getattr(Plain(), what)


@pytest.mark.parametrize("what", ["trainer", "runner"])
def test_what_was_set_is_found_and_not_kept_alive(what):
    agent, other = Plain(), Sized()
    getattr(agent, f"set_{what}")(other)
    assert getattr(agent, what) is other
    assert getattr(agent, f"get_{what}")() is other
    del other
    gc.collect()
    with pytest.raises(ValueError, match=f"the {what} of this agent is gone"):
        getattr(agent, what)


def test_the_tracer_is_that_of_the_runner():
    agent, runner, trainer = Plain(), Sized(tracer="runner's"), Sized(tracer="trainer's")
    agent.set_trainer(trainer)
    agent.set_runner(runner)
    assert agent.tracer == agent.get_tracer() == "runner's"


def test_the_tracer_is_that_of_the_trainer_when_the_runner_has_none():
    agent, runner, trainer = Plain(), Sized(), Sized(tracer="trainer's")
    agent.set_trainer(trainer)
    agent.set_runner(runner)
    assert agent.tracer == "trainer's"


def test_without_a_runner_there_is_no_tracer():
    agent, trainer = Plain(), Sized(tracer="trainer's")
    agent.set_trainer(trainer)
    with pytest.raises(ValueError, match="no runner"):
        agent.get_tracer()


def test_a_subclass_need_not_call_the_constructor():
    agent, runner = WithoutSuper(), Sized()
    assert agent.trained_agents is None
    agent.set_runner(runner)
    assert agent.runner is runner


def test_a_copy_in_another_process_has_no_runner():
    agent, runner = WithoutSuper(), Sized()
    agent.set_runner(runner)
    copied = pickle.loads(pickle.dumps(agent))
    assert copied.name == "mine"
    with pytest.raises(ValueError, match="no runner"):
        copied.get_runner()
    assert agent.runner is runner


def test_trained_agents_is_deprecated_and_kept():
    with pytest.warns(DeprecationWarning, match="agent_match") as warned:
        agent = Plain(trained_agents="writer")
    assert agent.trained_agents == "writer"
    assert warned[0].filename == __file__


@pytest.mark.parametrize(
    "name", ["rollout_async", "training_rollout_async", "validation_rollout_async"]
)
def test_an_overridden_async_form_makes_it_async(name):
    async def method(self, task, resources, rollout):
        return None

    assert type("Async", (Plain,), {name: method})().is_async()
    assert not Plain().is_async()


def test_an_agent_without_any_method_says_so():
    empty = LitAgent()
    with pytest.raises(NotImplementedError, match="LitAgent has no rollout method"):
        empty.training_rollout("task", {}, SimpleNamespace())


async def test_an_agent_without_any_async_method_says_so():
    with pytest.raises(NotImplementedError, match="no rollout_async method"):
        await Plain().validation_rollout_async("task", {}, SimpleNamespace())


async def test_the_forms_for_each_mode_come_down_to_rollout():
    class Async(LitAgent[str]):
        async def rollout_async(self, task, resources, rollout):
            return (task, resources, rollout)

    assert Plain().training_rollout("ab", {}, None) == 2.0
    assert Plain().validation_rollout("abc", {}, None) == 3.0
    given = ("task", {"a": 1}, "rollout")
    assert await Async().training_rollout_async(*given) == given
    assert await Async().validation_rollout_async(*given) == given
