"""Tells the values that legacy code hands around apart, without importing their classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import Decimal
from numbers import Real
from typing import Any

from agentlightning_compat.legacy.complaints import shown, users_line
from agentlightning_compat.legacy.target import COMPAT, ROOTS


def _is_a(value: object, name: str, roots: tuple[str, ...]) -> bool:
    return any(
        base.__name__ == name and base.__module__.partition(".")[0] in roots
        for base in type(value).__mro__
    )


def is_readable_span(value: object) -> bool:
    """Whether `value` is an OpenTelemetry `ReadableSpan`."""
    return _is_a(value, "ReadableSpan", ("opentelemetry",))


def is_span(value: object) -> bool:
    """Whether `value` is the store API's `Span`."""
    return _is_a(value, "Span", ROOTS)


def is_core_span(value: object) -> bool:
    """Whether `value` is the store API's `SpanCoreFields`."""
    return _is_a(value, "SpanCoreFields", ROOTS)


def is_own_store(value: object) -> bool:
    """Whether `value` is a store of this package."""
    return _is_a(value, "LightningStore", (COMPAT,))


def is_triplet(value: object) -> bool:
    """Whether `value` has the fields of a `Triplet`."""
    return all(hasattr(value, field) for field in ("prompt", "response", "reward"))


def is_report(value: object) -> bool:
    """Whether `value` has the fields of a legacy report (0.1 `Rollout`, `RolloutLegacy`)."""
    return all(hasattr(value, field) for field in ("final_reward", "triplets", "trace"))


def are_spans(values: list[Any]) -> bool:
    """Whether all `values` are spans of one and the same kind."""
    return any(_all(values, kind) for kind in (is_readable_span, is_span, is_core_span))


def as_reward(value: object) -> float | None:
    """Return the number in `value` as a float, `None` if it is not a number.

    Takes Python and numpy numbers and arrays and tensors of one element.

    Raises:
        ValueError: the number is NaN or infinite; neither can be trained on or sent as JSON.
    """
    number = _number(value)
    if number is not None and not math.isfinite(number):
        raise ValueError(f"{users_line()}: reward is not a finite number: {shown(value)}")
    return number


def _number(value: object) -> float | None:
    if isinstance(value, (Real, Decimal)):
        return float(value)
    item = getattr(value, "item", None)
    if not callable(item):
        return None
    try:
        scalar = item()
    except (TypeError, ValueError, RuntimeError):  # more than one element
        return None
    return float(scalar) if isinstance(scalar, Real) else None


def _all(values: Iterable[Any], kind: Callable[[object], bool]) -> bool:
    return all(kind(value) for value in values)
