"""Which method a rollout calls, with what, and what is said of methods of 0.1."""

from __future__ import annotations

import functools
import warnings

import pytest

from agentlightning_compat import AttemptedRollout, LitAgent
from agentlightning_compat.litagent.calls import agent_call, is_legacy, warn_of_legacy
from agentlightning_compat.model import Attempt


def rollout(mode=None) -> AttemptedRollout:
    attempt = Attempt(rollout_id="ro-1", attempt_id="at-1", sequence_id=1, start_time=1.0)
    return AttemptedRollout(
        rollout_id="ro-1", input="task", start_time=1.0, mode=mode, attempt=attempt
    )


def called(agent, mode=None):
    call = agent_call(agent, rollout(mode), {"r": 1})
    return call.method.__name__, call.in_loop


class Both(LitAgent[str]):
    def training_rollout(self, task, resources, rollout):
        return ("training", task, resources, rollout)

    def validation_rollout(self, task, resources, rollout):
        return ("validation", task, resources, rollout)


class Async(LitAgent[str]):
    async def rollout_async(self, task, resources, rollout):
        return 1.0


class Mixed(LitAgent[str]):
    async def training_rollout_async(self, task, resources, rollout):
        return 1.0

    def validation_rollout(self, task, resources, rollout):
        return 1.0


class Misnamed(LitAgent[str]):
    async def rollout(self, task, resources, rollout):
        return 1.0

    training_rollout = rollout


class Legacy(LitAgent[str]):
    def training_rollout(self, task, rollout_id, resources):
        return (task, rollout_id, resources)


class LegacyAsync(LitAgent[str]):
    async def training_rollout_async(self, task, rollout_id, resources):
        return (task, rollout_id, resources)


@pytest.mark.parametrize(
    ("mode", "name"), [("train", "training"), ("val", "validation"), ("test", "validation")]
)
def test_the_mode_decides(mode, name):
    given = rollout(mode)
    assert agent_call(Both(), given, {"r": 1})() == (name, "task", {"r": 1}, given)


def test_without_a_mode_it_is_validation():
    assert called(Both()) == ("validation_rollout", False)


@pytest.mark.parametrize("mode", ["train", "val", None])
def test_async_methods_run_in_the_loop(mode):
    name = "training" if mode == "train" else "validation"
    assert called(Async(), mode) == (f"{name}_rollout_async", True)


def test_an_agent_that_is_async_in_one_mode_only():
    assert called(Mixed(), "train") == ("training_rollout_async", True)
    assert called(Mixed(), "val") == ("validation_rollout", False)


def test_a_coroutine_function_under_a_sync_name_runs_in_the_loop():
    assert agent_call(Misnamed(), rollout("train"), {}).in_loop


def test_is_async_may_be_overridden():
    class Decides(Both):
        def is_async(self) -> bool:
            return True

        async def rollout_async(self, task, resources, rollout):
            return 1.0

    assert called(Decides(), "train") == ("training_rollout_async", True)


def test_a_method_of_0_1_gets_what_it_is_written_for():
    assert agent_call(Legacy(), rollout("train"), {"r": 1})() == ("task", "ro-1", {"r": 1})


async def test_an_async_method_of_0_1_gets_what_it_is_written_for():
    call = agent_call(LegacyAsync(), rollout("train"), {"r": 1})
    assert await call() == ("task", "ro-1", {"r": 1})


def test_the_warning_points_at_the_definition():
    with pytest.warns(DeprecationWarning, match="rollout.rollout_id") as warned:
        warn_of_legacy(Legacy())
    (warning,) = warned
    assert "Legacy.training_rollout(task, resources, rollout)" not in str(warning.message)
    assert warning.filename == __file__
    line = Legacy.training_rollout.__code__.co_firstlineno
    assert warning.lineno == line


@pytest.mark.parametrize("agent", [Both(), Async(), Mixed(), Misnamed(), LitAgent()])
def test_todays_methods_are_not_warned_of(agent):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_legacy(agent)


def test_a_wrapped_method_of_0_1_is_seen_through():
    @functools.wraps(Legacy.training_rollout)
    def wrapped(self, *args, **kwargs):
        return Legacy.training_rollout(self, *args, **kwargs)

    agent = type("Wrapped", (LitAgent,), {"training_rollout": wrapped})()
    assert is_legacy(agent.training_rollout)
    assert agent_call(agent, rollout("train"), {})() == ("task", "ro-1", {})
    with pytest.warns(DeprecationWarning, match="the signature of 0.1") as warned:
        warn_of_legacy(agent)
    assert warned[0].lineno == Legacy.training_rollout.__code__.co_firstlineno


@pytest.mark.parametrize("mode", ["val", None])
def test_an_agent_with_a_training_form_only_is_validated_by_it(mode):
    class Sync(LitAgent):
        def training_rollout(self, task, resources, rollout):
            return 1.0

    class Async(LitAgent):
        async def training_rollout_async(self, task, resources, rollout):
            return 1.0

    assert called(Sync(), mode) == ("training_rollout", False)
    assert called(Async(), mode) == ("training_rollout_async", True)
