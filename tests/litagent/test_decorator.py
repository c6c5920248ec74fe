"""Functions as agents."""

from __future__ import annotations

import logging
import pickle

import pytest

import agentlightning_compat as agl
from agentlightning_compat.model import LLM, Attempt, AttemptedRollout, ProxyLLM, Rollout
from agentlightning_compat.model import PromptTemplate as Prompt

FIRST, SECOND = LLM(endpoint="http://one", model="m"), LLM(endpoint="http://two", model="m")
PROXY = ProxyLLM(endpoint="http://proxy/v1", model="m")
TEMPLATE = Prompt(template="{x}", engine="f-string")


def attempted() -> AttemptedRollout:
    attempt = Attempt(rollout_id="ro-1", attempt_id="at-1", sequence_id=1, start_time=1.0)
    return AttemptedRollout(rollout_id="ro-1", input=None, start_time=1.0, attempt=attempt)


@agl.rollout
def by_llm(task, llm):
    """What the function says of itself."""
    return (task, llm)


@agl.rollout
async def by_prompt(task, prompt_template, rollout):
    return (task, prompt_template, rollout)


@agl.llm_rollout(strip_proxy=False)
def unstripped(task, llm, rollout):
    return llm


@agl.prompt_rollout
def prompted(task, prompt_template):
    return prompt_template


@agl.prompt_rollout()
def prompted_too(task, prompt_template):
    return prompt_template


def test_the_agent_looks_and_acts_like_the_function():
    assert isinstance(by_llm, agl.LitAgent)
    assert by_llm.__name__ == "by_llm"
    assert by_llm.__doc__ == "What the function says of itself."
    assert by_llm("a", llm="b") == ("a", "b")
    assert not by_llm.is_async()


def test_the_first_llm_is_given(caplog):
    resources = {"p": TEMPLATE, "a": FIRST, "b": SECOND}
    with caplog.at_level(logging.WARNING):
        assert by_llm.training_rollout("t", resources, attempted()) == ("t", FIRST)
    assert "'a' is taken" in caplog.text


def test_one_llm_is_not_warned_of(caplog):
    with caplog.at_level(logging.WARNING):
        assert by_llm.rollout("t", {"a": FIRST}, attempted()) == ("t", FIRST)
    assert caplog.text == ""


async def test_an_async_function_with_all_it_can_ask_for():
    given = attempted()
    assert by_prompt.is_async()
    result = await by_prompt.validation_rollout_async("t", {"a": FIRST, "p": TEMPLATE}, given)
    assert result == ("t", TEMPLATE, given)


@pytest.mark.parametrize("agent", [prompted, prompted_too])
def test_prompt_rollout_with_and_without_parentheses(agent):
    assert agent.rollout("t", {"p": TEMPLATE}, attempted()) is TEMPLATE


def test_a_proxy_is_told_the_rollout():
    _, llm = by_llm.rollout("t", {"a": PROXY}, attempted())
    assert type(llm) is LLM
    assert llm.endpoint == "http://proxy/rollout/ro-1/attempt/at-1/v1"


def test_a_proxy_as_it_is():
    assert unstripped.rollout("t", {"a": PROXY}, attempted()) is PROXY


def test_a_proxy_needs_an_attempt():
    with pytest.raises(ValueError, match="no attempt"):
        by_llm.rollout("t", {"a": PROXY}, Rollout(rollout_id="r", input=None, start_time=1.0))


def test_no_resource_of_the_kind():
    with pytest.raises(ValueError, match="no LLM among the resources of this rollout: 'p'"):
        by_llm.rollout("t", {"p": TEMPLATE}, attempted())
    with pytest.raises(ValueError, match=r"no prompt template .*: nothing"):
        prompted.rollout("t", {}, attempted())


async def test_the_form_that_the_function_is_not_of():
    with pytest.raises(RuntimeError, match="use rollout_async"):
        by_prompt.rollout("t", {"p": TEMPLATE}, attempted())
    with pytest.raises(RuntimeError, match="use rollout"):
        await by_llm.rollout_async("t", {"a": FIRST}, attempted())


def test_functions_that_cannot_be_agents():
    def no_task(question, llm): ...
    def nothing_else(task): ...
    def something_else(task, model): ...

    for function in (no_task, nothing_else, something_else):
        with pytest.raises(NotImplementedError, match=r"\(task, llm\[, rollout\]\)"):
            agl.rollout(function)
    with pytest.raises(ValueError, match="task as its first parameter, which is question"):
        agl.llm_rollout(no_task)
    with pytest.raises(ValueError, match="at least two parameters, task and prompt_template"):
        agl.prompt_rollout(nothing_else)
    with pytest.raises(ValueError, match="no parameter called llm"):
        agl.llm_rollout(something_else)


class Holder:
    def method(self, task, llm):
        return (self, task, llm)

    async def __call__(self, task, llm):
        return (task, llm)


def test_a_bound_method_is_an_agent():
    holder = Holder()
    assert agl.rollout(holder.method).rollout("t", {"a": FIRST}, attempted()) == (
        holder,
        "t",
        FIRST,
    )


def test_a_method_in_its_class_is_none():
    with pytest.raises(NotImplementedError):
        agl.rollout(Holder.method)


async def test_an_object_that_can_be_called_is_an_agent():
    agent = agl.rollout(Holder())
    assert agent.is_async()
    assert await agent.rollout_async("t", {"a": FIRST}, attempted()) == ("t", FIRST)


def test_a_decorated_function_can_be_sent_to_another_process():
    assert pickle.loads(pickle.dumps(by_llm)) is by_llm
