"""Legacy names in text that is written for people."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from codemods import api_map
from codemods.api_map.symbol import Symbol
from codemods.legacy.dotted import PATH, judge
from codemods.names import known

_CALLABLE = frozenset({"class", "function", "type"})
# Migrated code still builds these, for a helper to convert.
_STILL_GOOD = frozenset({"RolloutLegacy", "RolloutRawResultLegacy"})
_TWO_MEANINGS = frozenset({"Rollout", "RolloutRawResult", "reward"})


class Mention(NamedTuple):
    """A legacy name at a place of a text, and what a person should know of it."""

    start: int
    end: int
    name: str
    symbol: str
    advice: str


@lru_cache(maxsize=1)
def words() -> dict[str, Symbol]:
    """The names that can mean nothing else wherever they stand; methods only behind a dot."""
    found: dict[str, Symbol] = {}
    for row in api_map.load().symbols:
        inside = row.kind == "method" and row.owner != known.LIT_AGENT
        if row.legacy and (row.kind in _CALLABLE or inside) and row.name not in _STILL_GOOD:
            found.setdefault(row.name, row)
    return found


def mentions(text: str, present: dict[str, Symbol]) -> Iterator[Mention]:
    """Every place where one of the words that are `present` in a text stands as a name."""
    for name, row in present.items():
        at = text.find(name)
        while at != -1:
            end = at + len(name)
            if _alone(text, at, end) and (row.kind != "method" or text[at - 1 : at] == "."):
                yield Mention(at, end, name, row.path, advice(row))
            at = text.find(name, end)


def paths(text: str) -> Iterator[Mention]:
    """Every dotted path into agentlightning that leads nowhere in 0.3.0."""
    for found in PATH.finditer(text):
        name = found[0].rpartition(".")[2]
        before = text[found.start() - 1 : found.start()]
        if name in words() or name in _TWO_MEANINGS or _of_word(before) or before in ("/", "."):
            continue
        row = api_map.load().lookup(found[0])
        if row is not None and row.successor == found[0]:
            continue  # an attribute of 0.1 and a method of 0.3.0
        verdict = judge(found[0], use="module")
        if verdict is not None:
            reason = verdict.reason or f"it is {verdict.new} in 0.3.0"
            yield Mention(found.start(), found.end(), found[0], found[0], reason)


def advice(row: Symbol) -> str:
    """What a text should say in place of a legacy name."""
    new = (row.replacement["agentlightning"] or "").rpartition(".")[2]
    if new and new != row.name:
        return f"it is `{new}` in 0.3.0"
    if row.successor is not None:
        return f"the store API has `{row.successor.removeprefix('agentlightning.')}` in its place"
    return row.advice or "it is gone in 0.3.0"


def _alone(text: str, start: int, end: int) -> bool:
    return not (_of_word(text[start - 1 : start]) or _of_word(text[end : end + 1]))


def _of_word(char: str) -> bool:
    return char == "_" or char.isalnum()
