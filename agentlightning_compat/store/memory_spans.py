"""The spans of an in-memory store, and how many bytes of them it may hold."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from agentlightning_compat.errors import InvalidRequestError, SpansEvictedError
from agentlightning_compat.model import Span
from agentlightning_compat.store import matching
from agentlightning_compat.store.query import Page, Query
from agentlightning_compat.store.span_codec import decode, encode

Estimator = Callable[[Span], int]

# What a stored span takes beside its bytes: the key, the slot, and the objects around them.
OVERHEAD = 380
_DEFAULT_SHARE = 0.7
_DEFAULT_SAFE = 0.8


class Bounds(NamedTuple):
    """Bytes: above `eviction`, spans are dropped until there are no more than `safe`."""

    eviction: int
    safe: int
    capacity: int


def machine_memory() -> int:
    """The machine's memory in bytes; a large number where that cannot be told."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return sys.maxsize


def bounds(eviction: float | int | None, safe: float | int | None) -> Bounds:
    """The bounds in bytes: a float is a share of the machine's memory, an int is bytes.

    Raises:
        InvalidRequestError: a share is not one, or `safe` is not below `eviction`.
    """
    capacity = machine_memory()
    upper = _bytes("eviction_memory_threshold", _DEFAULT_SHARE if eviction is None else eviction)
    if upper <= 0:
        raise InvalidRequestError("eviction_memory_threshold is more than 0")
    lower = int(upper * _DEFAULT_SAFE) if safe is None else _bytes("safe_memory_threshold", safe)
    if not 0 <= lower < upper:
        raise InvalidRequestError(
            f"safe_memory_threshold ({lower} bytes) is below eviction_memory_threshold ({upper})"
        )
    return Bounds(upper, lower, capacity)


def _bytes(name: str, value: float | int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidRequestError(f"{name} is a share or a number of bytes, not {value!r}")
    if isinstance(value, int):
        return value
    if not 0 <= value <= 1:
        raise InvalidRequestError(f"{name} is a share between 0 and 1, not {value!r}")
    return int(value * machine_memory())


class Stored(NamedTuple):
    """A span as it is found."""

    attempt_id: str
    sequence_id: int
    data: bytes


class Shelf:
    """The spans of one rollout."""

    __slots__ = ("_rollout_id", "evicted", "size", "spans")

    def __init__(self, rollout_id: str) -> None:
        self._rollout_id = rollout_id
        # By attempt and span id: sequence id and bytes. Plain tuples of plain values are soon of
        # no concern to the garbage collector, and there are many.
        self.spans: dict[tuple[str, str], tuple[int, bytes]] = {}
        self.size = 0
        self.evicted = False

    def evict(self) -> int:
        """Drop all spans; how many they were."""
        count = len(self.spans)
        self.spans = {}
        self.size = 0
        self.evicted = True
        return count

    def query(self, query: Query) -> Page[Span]:
        """The spans that match.

        Raises:
            SpansEvictedError: there were some, and they had to make room.
        """
        if self.evicted:
            raise SpansEvictedError(
                f"the spans of rollout {self._rollout_id!r} were dropped to stay within memory"
            )
        wanted = [c.value for c in query.must if c.field == "attempt_id"]
        stored = [
            Stored(attempt_id, *kept)
            for (attempt_id, _), kept in self.spans.items()
            if not wanted or attempt_id == wanted[0]
        ]
        if query.conditions or query.sort_by not in (None, "sequence_id"):
            return matching.answer("spans", query, [self._span(item) for item in stored])
        # The usual question needs no look inside the spans that are not on the page.
        page = matching.part(query, matching.sorted_by("spans", query, stored))
        return Page([self._span(item) for item in page], len(stored))

    def _span(self, stored: Stored) -> Span:
        return decode(self._rollout_id, stored.attempt_id, stored.sequence_id, stored.data)


class SpanMemory:
    """All shelves together: what they hold, and whose turn it is when there is too much."""

    def __init__(self, limits: Bounds, estimate: Estimator | None) -> None:
        self.limits = limits
        self.total_bytes = 0
        self.count = 0
        self._estimate = estimate
        self._shelves: dict[str, Shelf] = {}

    def shelf(self, rollout_id: str) -> Shelf:
        """The shelf of a rollout."""
        found = self._shelves.get(rollout_id)
        if found is None:
            found = self._shelves[rollout_id] = Shelf(rollout_id)
        return found

    def find(self, rollout_id: str) -> Shelf | None:
        """The shelf of a rollout, if it ever had spans."""
        return self._shelves.get(rollout_id)

    def encoded(self, span: Span) -> tuple[bytes, int]:
        """A span as bytes, and how many it takes."""
        data = encode(span)
        return data, self._estimate(span) if self._estimate else len(data) + OVERHEAD

    def put(
        self, shelf: Shelf, key: tuple[str, str], sequence_id: int, data: bytes, size: int
    ) -> bool:
        """Keep a span on a shelf; False when it is there already.

        After an eviction nothing more is kept: what is left could not be told from all there was.
        """
        if key in shelf.spans:
            return False
        if not shelf.evicted:
            shelf.spans[key] = (sequence_id, data)
            shelf.size += size
            self.total_bytes += size
            self.count += 1
        return True

    def make_room(self, age: Callable[[str], Any]) -> None:
        """When there is too much, drop the spans of whole rollouts, least `age` first."""
        if self.total_bytes <= self.limits.eviction:
            return
        for rollout_id in sorted((k for k, s in self._shelves.items() if s.size), key=age):
            if self.total_bytes <= self.limits.safe:
                return
            shelf = self._shelves[rollout_id]
            self.total_bytes -= shelf.size
            self.count -= shelf.evict()
