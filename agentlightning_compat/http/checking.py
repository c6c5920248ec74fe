"""Whether a field of a request has the kind that it must have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

from agentlightning_compat.errors import InvalidRequestError

# No store counts further, and no list is longer.
LARGEST = 2**63 - 1


def text(fields: Mapping[str, Any], name: str) -> str:
    """A field that has to be there."""
    value = fields.get(name)
    if not isinstance(value, str):
        raise InvalidRequestError(f"{name} is text and has to be there, not {_shown(value)}")
    return value


def any_text(fields: Mapping[str, Any], name: str) -> str | None:
    """A field that may be missing, or null."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidRequestError(f"{name} is text, not {_shown(value)}")
    return value


def texts(value: Any, name: str) -> Sequence[str]:
    """A list of texts."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidRequestError(f"{name} is a list of texts, not {_shown(value)}")
    return value


def listed(value: Any, name: str) -> Sequence[Any]:
    """A list of anything."""
    if not isinstance(value, list):
        raise InvalidRequestError(f"{name} is a list, not {_shown(value)}")
    return value


def pairs(value: Any, name: str) -> Sequence[tuple[str, str]]:
    """A list of pairs of texts."""
    found = []
    for item in listed(value, name):
        if not isinstance(item, list) or len(item) != 2:
            raise InvalidRequestError(f"{name} has pairs of texts, not {_shown(item)}")
        first, second = texts(item, name)
        found.append((first, second))
    return found


def whole(value: Any, name: str) -> int:
    """A whole number; as text if it stood in a query string. 2.0 is one, as in JSON."""
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError as error:
            raise InvalidRequestError(f"{name} is a whole number, not {_shown(value)}") from error
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or abs(value) > LARGEST:
        raise InvalidRequestError(f"{name} is a whole number, not {_shown(value)}")
    return value


def seconds(value: Any, name: str) -> float:
    """A number of seconds."""
    if type(value) is int:  # JSON has larger ones than a float can be
        return float(min(max(value, -LARGEST), LARGEST))
    if type(value) is not float or isnan(value):
        raise InvalidRequestError(f"{name} is a number of seconds, not {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    kinds = {dict: "an object", list: "such a list", type(None): "null", bool: "true or false"}
    return kinds.get(type(value)) or repr(value)[:100]
