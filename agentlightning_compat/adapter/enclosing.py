"""Which is the shortest of the intervals that enclose one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple


class Interval(NamedTuple):
    """From when to when, where in the order, and in which group: none encloses its own group."""

    start: float
    end: float
    place: int
    group: int


# (how long, where in the order, group) of the shortest, and of the shortest of another group.
_Found = tuple[float, int, int]
_Cell = tuple[_Found, ...]


class _Latest:
    """Intervals by their end: the shortest two, of different groups, that end no earlier."""

    def __init__(self, ends: Sequence[float]) -> None:
        self._ends = ends
        self._cells: list[_Cell] = [()] * (len(ends) + 1)

    def add(self, interval: Interval) -> None:
        found = (interval.end - interval.start, interval.place, interval.group)
        # A Fenwick tree from the back: a cell covers some of the ends from its own on.
        at = len(self._ends) - bisect_left(self._ends, interval.end)
        while at < len(self._cells):
            self._cells[at] = _best((*self._cells[at], found))
            at += at & -at

    def ending(self, end: float, *, later: bool) -> _Cell:
        """Those that end at `end` or later, or only `later`."""
        find = bisect_right if later else bisect_left
        at = len(self._ends) - find(self._ends, end)
        found: _Cell = ()
        while at:
            found = _best((*found, *self._cells[at]))
            at -= at & -at
        return found


def _best(found: _Cell) -> _Cell:
    if len(found) < 2:
        return found
    first = min(found)
    others = [one for one in found if one[2] != first[2]]
    return (first, min(others)) if others else (first,)


def shortest_around(
    intervals: Sequence[Interval], asked: Sequence[Interval]
) -> list[Interval | None]:
    """For each that is asked for, the shortest that is longer and encloses it.

    Of several as short it is the first by `place`. In n log n: all are taken in order of start,
    so that those at hand start early enough.
    """
    by_place = {interval.place: interval for interval in intervals}
    latest = _Latest(sorted({interval.end for interval in intervals}))
    waiting = sorted(intervals, key=lambda interval: interval.start, reverse=True)
    answers: list[Interval | None] = [None] * len(asked)
    early: list[_Cell] = [()] * len(asked)

    def take(start: float, *, also_then: bool) -> None:
        while waiting and (waiting[-1].start < start or (also_then and waiting[-1].start == start)):
            latest.add(waiting.pop())

    order = sorted(range(len(asked)), key=lambda index: asked[index].start)
    begin = 0
    while begin < len(order):
        start = asked[order[begin]].start
        end = begin
        while end < len(order) and asked[order[end]].start == start:
            end += 1
        together = order[begin:end]
        # One of the same length does not count: it starts earlier, or it ends later.
        take(start, also_then=False)
        for index in together:
            early[index] = latest.ending(asked[index].end, later=False)
        take(start, also_then=True)
        for index in together:
            found = (*early[index], *latest.ending(asked[index].end, later=True))
            others = [one for one in found if one[2] != asked[index].group]
            answers[index] = by_place[min(others)[1]] if others else None
        begin = end
    return answers
