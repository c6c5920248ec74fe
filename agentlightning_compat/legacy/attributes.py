"""Writes nested values as span attributes: flat, dotted names with primitive values."""

from __future__ import annotations

import json
from typing import Any

_PRIMITIVES = (str, bool, int, float)


def flatten(prefix: str, value: Any) -> dict[str, Any]:
    """Return the attributes that hold `value` below `prefix`; `None` leaves nothing.

    A list of primitives of one type stays one attribute, any other list gets numbered names.
    """
    flat: dict[str, Any] = {}
    _walk(prefix, value, flat)
    return flat


def flatten_payload(prefix: str, value: Any) -> dict[str, Any]:
    """Return `value` as `flatten` does, as one message if it has no structure of its own.

    Readers take what is below the prefix, so an attribute must not be called like the prefix.
    """
    if isinstance(value, dict):
        return flatten(prefix, value)
    if isinstance(value, (list, tuple)):
        return flatten(prefix, {str(index): item for index, item in enumerate(value)})
    return {} if value is None else {f"{prefix}.0.content": as_text(value)}


def as_text(value: Any) -> str:
    """Return a string as it is, anything else as JSON; what JSON cannot say becomes `str`."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def attribute_value(value: Any) -> Any:
    """Return `value` if an attribute can hold it, its JSON otherwise."""
    if isinstance(value, _PRIMITIVES) or _is_leaf_list(value):
        return list(value) if isinstance(value, tuple) else value
    return as_text(value)


def token_ids(value: Any) -> list[int] | None:
    """Return `value` as a list of ints if it is one or is an array of integers."""
    convert = getattr(value, "tolist", None)
    items = convert() if callable(convert) else value
    if not isinstance(items, (list, tuple)) or not items:
        return None
    if all(isinstance(item, int) and not isinstance(item, bool) for item in items):
        return list(items)
    return None


def _walk(name: str, value: Any, flat: dict[str, Any]) -> None:
    if value is None:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            _walk(f"{name}.{key}", item, flat)
    elif isinstance(value, (list, tuple)) and not _is_leaf_list(value):
        for index, item in enumerate(value):
            _walk(f"{name}.{index}", item, flat)
    else:
        flat[name] = attribute_value(value)


def _is_leaf_list(value: Any) -> bool:
    if not isinstance(value, (list, tuple)) or not value:
        return False
    kind = type(value[0])
    return kind in _PRIMITIVES and all(type(item) is kind for item in value)
