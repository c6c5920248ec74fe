"""Decorators that make functions agents."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, overload

from agentlightning_compat.litagent.functional import FunctionalLitAgent

Function = Callable[..., Any]
Agent = FunctionalLitAgent[Any]


@overload
def llm_rollout(func: Function) -> Agent: ...
@overload
def llm_rollout(*, strip_proxy: bool = ...) -> Callable[[Function], Agent]: ...


def llm_rollout(
    func: Function | None = None, *, strip_proxy: bool = True
) -> Agent | Callable[[Function], Agent]:
    """Make an agent of a function `(task, llm[, rollout])`, sync or async.

    With or without arguments: `@llm_rollout`, `@llm_rollout(strip_proxy=False)`. Stripping gives
    the function an `LLM` whose endpoint names the rollout where the resource is a `ProxyLLM`.

    Raises:
        ValueError: the function has other parameters.
    """

    def decorate(function: Function) -> Agent:
        _demand(function, "llm")
        return FunctionalLitAgent(function, strip_proxy=strip_proxy)

    return decorate if func is None else decorate(func)


@overload
def prompt_rollout(func: Function) -> Agent: ...
@overload
def prompt_rollout() -> Callable[[Function], Agent]: ...


def prompt_rollout(func: Function | None = None) -> Agent | Callable[[Function], Agent]:
    """Make an agent of a function `(task, prompt_template[, rollout])`, sync or async.

    Raises:
        ValueError: the function has other parameters.
    """

    def decorate(function: Function) -> Agent:
        _demand(function, "prompt_template")
        return FunctionalLitAgent(function)

    return decorate if func is None else decorate(func)


def rollout(func: Function) -> Agent:
    """Make an agent of a function that takes a task and an `llm` or a `prompt_template`.

    Sync or async; a bound method and an object that can be called will do as well.

    Raises:
        NotImplementedError: its parameters are neither those of `llm_rollout` nor those of
            `prompt_rollout`.
    """
    if _lacks(func, "llm") is None:
        return llm_rollout(func)
    if _lacks(func, "prompt_template") is None:
        return prompt_rollout(func)
    raise NotImplementedError(
        f"no agent can be made of a function with the parameters {inspect.signature(func)}: they"
        " are (task, llm[, rollout]) or (task, prompt_template[, rollout])"
    )


def _demand(func: Function, resource: str) -> None:
    lack = _lacks(func, resource)
    if lack is not None:
        raise ValueError(f"{func} {lack}")


def _lacks(func: Function, resource: str) -> str | None:
    parameters = list(inspect.signature(func).parameters)
    if len(parameters) < 2:
        return f"needs at least two parameters, task and {resource}"
    if parameters[0] != "task":
        return f"needs task as its first parameter, which is {parameters[0]}"
    return None if resource in parameters else f"has no parameter called {resource}"
