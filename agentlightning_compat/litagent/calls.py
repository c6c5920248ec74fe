"""Which of an agent's methods is called for a rollout, and with what."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agentlightning_compat.litagent.functional import is_coroutine_function
from agentlightning_compat.model import NamedResources, Rollout

_BASE = "LitAgent"


@dataclass(slots=True)
class AgentCall:
    """A method with its arguments; `in_loop` unless it may block, which a thread is for."""

    method: Callable[..., Any]
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    in_loop: bool

    def __call__(self) -> Any:
        """Call it; what comes back may have to be awaited."""
        return self.method(*self.arguments, **self.keywords)


def agent_call(agent: Any, rollout: Rollout, resources: NamedResources) -> AgentCall:
    """The call that a rollout is worth: by its mode, and by what the agent has overridden."""
    name = _method_name(agent, "training" if rollout.mode == "train" else "validation")
    method = getattr(agent, name)
    if is_legacy(method):
        arguments: tuple[Any, ...] = (rollout.input, rollout.rollout_id, resources)
        keywords = {}
    else:
        arguments = (rollout.input,)
        keywords = {"resources": resources, "rollout": rollout}
    in_loop = name.endswith("_async") or is_coroutine_function(method)
    return AgentCall(method, arguments, keywords, in_loop)


def is_legacy(method: Callable[..., Any]) -> bool:
    """Whether it is written for 0.1: `training_rollout(task, rollout_id, resources)`."""
    code = getattr(method, "__code__", None)
    if code is not None and not hasattr(method, "__wrapped__"):
        # The same as below for a plain method, in a hundredth of the time.
        first = 1 if hasattr(method, "__self__") else 0
        return "rollout_id" in code.co_varnames[first + 1 : min(first + 2, code.co_argcount)]
    parameters = list(inspect.signature(method).parameters)
    return "rollout_id" in parameters[1:2]


def warn_of_legacy(agent: Any) -> None:
    """Warn of each rollout method of 0.1, at the line where it is defined."""
    for form in ("training", "validation"):
        for name in (f"{form}_rollout", f"{form}_rollout_async"):
            method: Any = getattr(agent, name, None)
            if not callable(method) or not is_legacy(method):
                continue
            code: Any = inspect.unwrap(method).__code__
            warnings.warn_explicit(
                f"{type(agent).__name__}.{name}(task, rollout_id, resources) is the signature of"
                f" 0.1: write {name}(task, resources, rollout) and read rollout.rollout_id",
                DeprecationWarning,
                filename=code.co_filename,
                lineno=code.co_firstlineno,
                module=method.__module__,
            )


def _method_name(agent: Any, form: str) -> str:
    name = _form_name(agent, form)
    if form == "validation" and not _is_written(agent, name):
        # Under 0.1 an agent that had only the training form was validated by it.
        training = _form_name(agent, "training")
        return training if _is_written(agent, training) else name
    return name


def _form_name(agent: Any, form: str) -> str:
    sync, asynchronous = f"{form}_rollout", f"{form}_rollout_async"
    if not agent.is_async():
        return sync
    # An agent may be async in one mode only.
    return (
        sync if not _is_written(agent, asynchronous) and _is_written(agent, sync) else asynchronous
    )


def _is_written(agent: Any, name: str) -> bool:
    """Whether somebody wrote the method, or the one that it calls by itself."""
    shared = "rollout_async" if name.endswith("_async") else "rollout"
    return _overridden(agent, name) or _overridden(agent, shared)


def _overridden(agent: Any, name: str) -> bool:
    """Whether a class other than the base, also that of another package, has the method."""
    if name in getattr(agent, "__dict__", ()):
        return True
    for cls in type(agent).__mro__:
        if name in cls.__dict__:
            return cls.__name__ != _BASE
    return False
