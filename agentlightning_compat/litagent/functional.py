"""A function as an agent."""

from __future__ import annotations

import functools
import inspect
import logging
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from agentlightning_compat.litagent.agent import LitAgent
from agentlightning_compat.model import (
    LLM,
    AttemptedRollout,
    NamedResources,
    PromptTemplate,
    ProxyLLM,
    Resource,
    Rollout,
    RolloutRawResult,
)

T = TypeVar("T")
R = TypeVar("R", bound=Resource)

_log = logging.getLogger(__name__)


class FunctionalLitAgent(LitAgent[T]):
    """An agent that calls a function with the task and, by name, with what it has parameters for.

    These are `llm` and `prompt_template`, the first resource of that kind, and `rollout`. A
    `ProxyLLM` reaches the function as an `LLM` whose endpoint names the rollout, unless
    `strip_proxy` is False. The agent itself can be called as the function could.
    """

    def __init__(self, rollout_func: Callable[..., Any], *, strip_proxy: bool = True) -> None:
        super().__init__()
        functools.update_wrapper(self, rollout_func)
        self._rollout_func = rollout_func
        self._strip_proxy = strip_proxy
        self._is_async = is_coroutine_function(rollout_func)
        self._parameters = frozenset(inspect.signature(rollout_func).parameters)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        return self._rollout_func(*args, **kwargs)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # The name of a decorated function stands for this agent, so that the function cannot be
        # found by it: the agent is what is found again.
        name = getattr(self, "__qualname__", "")
        if _found(getattr(self, "__module__", ""), name) is self:
            return name
        return super().__reduce_ex__(protocol)

    def is_async(self) -> bool:
        """Whether the function is a coroutine function."""
        return self._is_async

    def rollout(self, task: T, resources: NamedResources, rollout: Rollout) -> RolloutRawResult:
        """Call the function.

        Raises:
            RuntimeError: it is a coroutine function.
            ValueError: there is no resource of a kind that it needs.
        """
        if self._is_async:
            raise RuntimeError(f"{self._rollout_func} is asynchronous: use rollout_async")
        result: RolloutRawResult = self._rollout_func(task, **self._arguments(resources, rollout))
        return result

    async def rollout_async(
        self, task: T, resources: NamedResources, rollout: Rollout
    ) -> RolloutRawResult:
        """Await the function.

        Raises:
            RuntimeError: it is no coroutine function.
            ValueError: there is no resource of a kind that it needs.
        """
        if not self._is_async:
            raise RuntimeError(f"{self._rollout_func} is synchronous: use rollout")
        result: RolloutRawResult = await self._rollout_func(
            task, **self._arguments(resources, rollout)
        )
        return result

    def _arguments(self, resources: NamedResources, rollout: Rollout) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if "rollout" in self._parameters:
            arguments["rollout"] = rollout
        if "llm" in self._parameters:
            llm = _first(LLM, "LLM", resources)
            arguments["llm"] = _stripped(llm, rollout) if self._strip_proxy else llm
        if "prompt_template" in self._parameters:
            arguments["prompt_template"] = _first(PromptTemplate, "prompt template", resources)
        return arguments


def is_coroutine_function(func: Any) -> bool:
    """Whether calling it gives a coroutine; also for objects with an async `__call__`."""
    return inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(
        getattr(func, "__call__", None)  # noqa: B004, whether it can be called is not the question
    )


def _first(kind: type[R], name: str, resources: NamedResources) -> R:
    found = {key: item for key, item in resources.items() if isinstance(item, kind)}
    if not found:
        there = ", ".join(f"{key!r}" for key in resources) or "nothing"
        raise ValueError(f"there is no {name} among the resources of this rollout: {there}")
    first = next(iter(found))
    if len(found) > 1:
        _log.warning("the resources have more than one %s, %r is taken", name, first)
    return found[first]


def _stripped(llm: LLM, rollout: Rollout) -> LLM:
    if not isinstance(llm, ProxyLLM):
        return llm
    if not isinstance(rollout, AttemptedRollout):
        raise ValueError("a ProxyLLM is told the rollout and its attempt, and this has no attempt")
    return llm.with_attempted_rollout(rollout)


def _found(module: str, qualname: str) -> Any:
    found: Any = sys.modules.get(module)
    for name in qualname.split("."):
        found = getattr(found, name, None)
    return found
