"""Values as text that every database can keep.

Texts: PostgreSQL keeps no NUL, so the first four characters of Unicode are written as three. The
codes sort as the characters do, and none is found inside of others, so that databases compare and
search what they have. Values: JSON with NaN and infinity, as Python's own module writes it.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

from agentlightning_compat.errors import UnstorableValueError
from agentlightning_compat.store.values import MAX_DEPTH

_PLAIN = ("\x00", "\x01", "\x02", "\x03")
_CODES = ("\x01\x02\x02", "\x01\x02\x03", "\x01\x03\x02", "\x01\x03\x03")
_ENCODE = {ord(plain): code for plain, code in zip(_PLAIN, _CODES, strict=True)}
_DECODE = dict(zip(_CODES, _PLAIN, strict=True))
_has_low = re.compile("[\x00-\x03]").search
_code = re.compile("\x01[\x02\x03]{2}")

_TEXT = frozenset({str})
_SIMPLE = frozenset({str, int, float, bool, type(None)})
_encoder = json.JSONEncoder(check_circular=False, separators=(",", ":"))


def stored(text: str) -> str:
    """The text as it stands in the database."""
    # What is printable has none of them, and that is found out five times as fast.
    return text if text.isprintable() or not _has_low(text) else text.translate(_ENCODE)


def maybe_stored(text: str | None) -> str | None:
    """The text as it stands in the database, or None."""
    return text if text is None or text.isprintable() else stored(text)


def restored(text: str) -> str:
    """The text that was stored."""
    return _code.sub(lambda code: _DECODE[code[0]], text) if "\x01" in text else text


def maybe_restored(text: str | None) -> str | None:
    """The text that was stored, or None."""
    return None if text is None else restored(text)


def dump(value: Any) -> str:
    """JSON of a value; tuples become lists.

    Raises:
        UnstorableValueError: it has something that JSON does not know, or is too deep.
    """
    if type(value) not in _SIMPLE:
        _check(value, MAX_DEPTH)
    return dump_checked(value)


def is_flat(value: Any) -> bool:
    """Whether it is a dict of text to single values, all of which JSON knows."""
    return (
        type(value) is dict
        and _TEXT.issuperset(map(type, value))
        and _SIMPLE.issuperset(map(type, value.values()))
    )


def dump_checked(value: Any) -> str:
    """JSON of a value whose keys are known to be text.

    Raises:
        UnstorableValueError: it has something that JSON does not know, or is too deep.
    """
    try:
        return to_json(value).decode()
    except PydanticSerializationError:  # half of a character, say, which Python's own can write
        pass
    try:
        return _encoder.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise UnstorableValueError(f"the value cannot be written as JSON: {error}") from error


def maybe_dump(value: Any) -> str | None:
    """JSON of a value; None stays None."""
    return None if value is None else dump(value)


def load(text: str) -> Any:
    """The value of a JSON text."""
    try:
        return from_json(text)
    except ValueError:  # too deep for it, or half of a character
        return json.loads(text)


def maybe_load(text: str | None) -> Any:
    """The value of a JSON text, or None."""
    return None if text is None else load(text)


def _check(value: Any, depth: int) -> None:
    if depth == 0:
        raise UnstorableValueError(f"the value is nested more than {MAX_DEPTH} times")
    if isinstance(value, dict):
        if not _TEXT.issuperset(map(type, value)):
            _check_keys(value)
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        if not isinstance(value, (str, int, float)):
            raise UnstorableValueError(f"JSON has no {type(value).__name__}: {value!r:.100}")
        return
    if not _SIMPLE.issuperset(map(type, value)):
        for inner in value:
            if type(inner) not in _SIMPLE:
                _check(inner, depth - 1)


def _check_keys(value: dict[Any, Any]) -> None:
    for key in value:
        if not isinstance(key, str):
            raise UnstorableValueError(f"JSON has no key {key!r}: only text is one")
