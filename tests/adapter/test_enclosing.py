"""The shortest interval around another, against looking at all of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agentlightning_compat.adapter.enclosing import Interval, shortest_around

_TIMES = st.integers(0, 12)
_PAIRS = st.lists(st.tuples(_TIMES, _TIMES, st.integers(0, 3)), max_size=25)


def _intervals(pairs):
    return [
        Interval(float(min(a, b)), float(max(a, b)), place, group)
        for place, (a, b, group) in enumerate(pairs)
    ]


def _slowly(intervals, one):
    around = [
        other
        for other in intervals
        if other.group != one.group
        and other.start <= one.start
        and other.end >= one.end
        and (other.start, other.end) != (one.start, one.end)
    ]
    return min(around, key=lambda other: (other.end - other.start, other.place), default=None)


@given(_PAIRS, _PAIRS)
def test_the_shortest_that_is_longer_and_of_another_group(pairs, asked):
    intervals = _intervals(pairs)
    questions = _intervals(asked)
    expected = [_slowly(intervals, one) for one in questions]
    assert shortest_around(intervals, questions) == expected


def test_nothing_encloses_itself_or_its_equal():
    one, equal = Interval(1.0, 2.0, 0, 0), Interval(1.0, 2.0, 1, 1)
    assert shortest_around([one, equal], [one, equal]) == [None, None]
