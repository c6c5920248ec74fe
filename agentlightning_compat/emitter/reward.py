"""`emit_reward`, and reading rewards: those of 0.3, of 0.2 and of AgentOps."""

from __future__ import annotations

import functools
import inspect
import json
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypedDict, TypeVar

from pydantic import TypeAdapter

from agentlightning_compat.emitter.annotation import emit_annotation
from agentlightning_compat.model import SpanCoreFields, SpanLike
from agentlightning_compat.semconv import (
    AGL_ANNOTATION,
    LightningSpanAttributes,
    RewardPydanticModel,
)
from agentlightning_compat.span_attributes import filter_and_unflatten_attributes

F = TypeVar("F", bound=Callable[..., Any])
L = TypeVar("L", bound=SpanLike)

_REWARD = LightningSpanAttributes.REWARD.value
_BELOW = f"{_REWARD}."
_DIMENSIONS = TypeAdapter(list[RewardPydanticModel])
# Where 0.2 kept a reward, and where AgentOps does.
_OF_02 = "reward"
_OF_AGENTOPS = ("agentops.task.output", "agentops.entity.output")


class RewardDimension(TypedDict):
    """One of several rewards, as its span has it."""

    name: str
    value: float


def emit_reward(
    reward: float | dict[str, Any],
    *,
    primary_key: str | None = None,
    attributes: dict[str, Any] | None = None,
    propagate: bool = True,
) -> SpanCoreFields:
    """Record a reward: a number, or several by name, of which `primary_key` is the reward.

    Raises:
        TypeError: it is no number.
        ValueError: one of several is no number, the primary one is not named or not there, or a
            number is not finite.
        RuntimeError: no tracer is active.
    """
    if isinstance(reward, dict):
        named = _ordered(reward, primary_key)
    elif isinstance(reward, (bool, int, float)):
        named = {"primary": float(reward)}
    else:
        raise TypeError(f"a reward is a number, not {reward!r}")
    for name, value in named.items():
        if not math.isfinite(value):
            raise ValueError(f"a reward is finite; {name} is {value}")
    dimensions = [RewardDimension(name=name, value=value) for name, value in named.items()]
    return emit_annotation({_REWARD: dimensions, **(attributes or {})}, propagate=propagate)


def _ordered(rewards: dict[str, Any], primary_key: str | None) -> dict[str, float]:
    for name, value in rewards.items():
        if not isinstance(value, (bool, int, float)):
            raise ValueError(f"a reward is a number; {name} is {value!r}")
    if primary_key is None:
        raise ValueError("of several rewards one is the primary one: name it as primary_key")
    if primary_key not in rewards:
        raise ValueError(f"{primary_key!r} is none of the rewards {', '.join(map(str, rewards))}")
    names = [primary_key, *(name for name in rewards if name != primary_key)]
    return {name: float(rewards[name]) for name in names}


def get_rewards_from_span(span: SpanLike) -> list[RewardPydanticModel]:
    """All dimensions of a reward, the primary one first; none for other spans.

    Raises:
        pydantic.ValidationError: they are not in the form of `emit_reward`.
    """
    attributes = span.attributes or {}
    if not any(key.startswith(_BELOW) for key in attributes):
        return []
    return _DIMENSIONS.validate_python(filter_and_unflatten_attributes(attributes, _REWARD))


def get_reward_value(span: SpanLike) -> float | None:
    """The reward that a span holds, whichever release wrote it; None for other spans."""
    dimensions = get_rewards_from_span(span)
    if dimensions:
        return dimensions[0].value
    attributes: Any = span.attributes or {}
    for key in _OF_AGENTOPS:
        found = _agentops(attributes.get(key))
        if found is not None:
            return found
    return _number(attributes.get(_OF_02)) if span.name == AGL_ANNOTATION else None


def _agentops(output: Any) -> float | None:
    if isinstance(output, str):
        try:
            output = json.loads(output)
        except ValueError:
            return None
    if not isinstance(output, dict) or output.get("type") != "reward":
        return None
    return _number(output.get("value"))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (bool, int, float)) else None


def is_reward_span(span: SpanLike) -> bool:
    """Whether a span holds a reward."""
    return get_reward_value(span) is not None


def find_reward_spans(spans: Sequence[L]) -> list[L]:
    """The spans that hold a reward."""
    return [span for span in spans if is_reward_span(span)]


def find_final_reward(spans: Sequence[SpanLike]) -> float | None:
    """The last reward there is; None without any."""
    values = (get_reward_value(span) for span in reversed(spans))
    return next((value for value in values if value is not None), None)


def reward(fn: F) -> F:
    """Deprecated: record what a function, sync or async, returns as a reward.

    Call `emit_reward` where the reward is known.
    """
    warnings.warn(
        "@reward is deprecated: call emit_reward(value) where the reward is known",
        DeprecationWarning,
        stacklevel=2,
    )

    if inspect.iscoroutinefunction(fn):

        @functools.wraps(fn)
        async def rewarded_async(*args: Any, **kwargs: Any) -> Any:
            return _emitted(await fn(*args, **kwargs))

        return rewarded_async  # type: ignore[return-value]

    @functools.wraps(fn)
    def rewarded(*args: Any, **kwargs: Any) -> Any:
        return _emitted(fn(*args, **kwargs))

    return rewarded  # type: ignore[return-value]


def _emitted(value: Any) -> Any:
    if isinstance(value, (bool, int, float)):
        emit_reward(value)
    elif value is not None:
        warnings.warn(f"{value!r} is no number, so it is no reward", stacklevel=3)
    return value
