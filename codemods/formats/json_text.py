"""JSON with the places of its parts, for edits that leave the rest as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from codemods.source import SourceError

_BLANK = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r"[^\s,\]}]+")
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_PART = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u.{4}|\\.|.", re.S
)


class Node(NamedTuple):
    """A value at `text[start:end]`.

    `value` is a str for a string, a dict or list of nodes, and None for numbers and constants.
    `keys` are the places of an object's keys.
    """

    start: int
    end: int
    value: str | Mapping[str, Node] | list[Node] | None
    keys: Mapping[str, tuple[int, int]] = {}

    def get(self, key: str) -> Node | None:
        """The value below a key of an object; None where there is none."""
        return self.value.get(key) if isinstance(self.value, Mapping) else None

    @property
    def items(self) -> Sequence[Node]:
        """The items of an array; none of anything else."""
        return self.value if isinstance(self.value, list) else ()

    @property
    def string(self) -> str:
        """The text of a string; empty for anything else."""
        return self.value if isinstance(self.value, str) else ""


def read(path: str, text: str) -> Node:
    """The value that a JSON text holds. Raises SourceError, with the line, for broken JSON."""
    try:
        json.loads(text)
        return _value(text, _skip(text, 0))
    except json.JSONDecodeError as error:
        message = f"not valid JSON: {error.msg}"
        way_out = "correct the file and run again"
        raise SourceError(path, error.lineno, message, way_out) from None
    except RecursionError:
        message, way_out = "the JSON is nested too deeply", "exclude the file"
        raise SourceError(path, 0, message, way_out) from None


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _value(text: str, at: int) -> Node:
    if text[at] == '"':
        end, value = _string(text, at)
        return Node(at, end, value)
    if text[at] == "{":
        return _object(text, at)
    if text[at] == "[":
        return _array(text, at)
    found = _SCALAR.match(text, at)
    return Node(at, found.end() if found else at, None)


def _string(text: str, at: int) -> tuple[int, str]:
    found = _STRING.match(text, at)
    assert found is not None
    return found.end(), str(json.loads(found[0]))


def _object(text: str, at: int) -> Node:
    values: dict[str, Node] = {}
    keys: dict[str, tuple[int, int]] = {}
    position = _skip(text, at + 1)
    while text[position] != "}":
        end, key = _string(text, position)
        keys[key] = (position, end)
        colon = _skip(text, end)
        values[key] = _value(text, _skip(text, colon + 1))
        position = _next(text, values[key].end)
    return Node(at, position + 1, values, keys)


def _array(text: str, at: int) -> Node:
    values: list[Node] = []
    position = _skip(text, at + 1)
    while text[position] != "]":
        values.append(_value(text, position))
        position = _next(text, values[-1].end)
    return Node(at, position + 1, values)


def _next(text: str, end: int) -> int:
    """Where the next item begins behind a comma, or where the closing bracket stands."""
    position = _skip(text, end)
    return _skip(text, position + 1) if text[position] == "," else position


def offsets(text: str, node: Node) -> Iterator[int]:
    """Where each character of a string is written."""
    for found in _PART.finditer(text, node.start + 1, node.end - 1):
        yield found.start()


def objects(node: Node) -> Iterator[Node]:
    """Every object in a value, the value itself first."""
    inner = node.value.values() if isinstance(node.value, Mapping) else node.items
    if isinstance(node.value, Mapping):
        yield node
    for item in inner:
        yield from objects(item)
