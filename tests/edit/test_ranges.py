"""Edits of ranges: what is not edited stays, edits inside edits compose, conflicts are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemods.edit.ranges import Blocked, Edit, EditSet, replacement


def apply(text: str, *edits: Edit) -> str:
    done = EditSet()
    for edit in edits:
        done.add([edit])
    return done.apply(text)


def wrap(start: int, end: int, left: str, right: str, rank: int = 0) -> Edit:
    return Edit(start, end, lambda text: f"{left}{text}{right}", rank)


def test_a_transform_sees_the_edits_inside_it() -> None:
    assert apply("f(old)", wrap(0, 6, "<", ">"), replacement(2, 5, "new")) == "<f(new)>"


def test_transforms_of_one_range_run_by_rank_after_its_replacement() -> None:
    edits = [wrap(1, 2, "(", ")", rank=5), wrap(1, 2, "[", "]", rank=1), replacement(1, 2, "x")]
    assert apply("abc", *edits) == "a([x])c"


def test_insertions_at_one_place_keep_their_rank() -> None:
    edits = [replacement(1, 1, "second;", rank=2), replacement(1, 1, "first;", rank=1)]
    assert apply("ab", *edits) == "afirst;second;b"


def test_an_insertion_at_the_edge_of_a_range_stays_outside_it() -> None:
    edits = [wrap(1, 3, "<", ">"), replacement(1, 1, "+"), replacement(3, 3, "-")]
    assert apply("abcd", *edits) == "a+<bc>-d"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (replacement(0, 3, "x"), replacement(2, 5, "y")),
        (wrap(0, 3, "(", ")"), wrap(2, 5, "(", ")")),
        (replacement(0, 5, "x"), replacement(1, 2, "y")),
        (replacement(1, 2, "y"), replacement(0, 5, "x")),
        (replacement(0, 5, "x"), replacement(3, 3, "y")),
        (replacement(0, 5, "x"), replacement(0, 5, "y")),
    ],
)
def test_edits_that_would_swallow_or_cut_each_other_are_refused(first: Edit, second: Edit) -> None:
    with pytest.raises(Blocked):
        apply("abcdef", first, second)


def test_a_refused_group_leaves_nothing_behind() -> None:
    edits = EditSet()
    edits.add([replacement(0, 3, "x")])
    with pytest.raises(Blocked):
        edits.add([replacement(4, 5, "y"), replacement(2, 4, "z")])
    assert edits.apply("abcdef") == "xdef"


def test_the_same_replacement_twice_is_done_once() -> None:
    assert apply("abc", replacement(1, 2, "x"), replacement(1, 2, "x")) == "axc"


def test_a_transform_that_fails_names_its_edit() -> None:
    def refuse(text: str) -> str:
        raise Blocked("no")

    inner = Edit(1, 2, refuse)
    with pytest.raises(Blocked) as caught:
        apply("abc", wrap(0, 3, "(", ")"), inner)
    assert caught.value.edit is inner


@st.composite
def disjoint_edits(draw: st.DrawFn) -> tuple[str, list[tuple[int, int, str]]]:
    text = draw(st.text(min_size=1, max_size=40))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8, unique=True)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    return text, [(a, b, draw(st.text(max_size=5))) for a, b in pairs]


@given(disjoint_edits(), st.randoms())
def test_disjoint_replacements_do_what_slicing_does(case, order) -> None:
    text, edits = case
    expected = text
    for start, end, new in reversed(edits):
        expected = expected[:start] + new + expected[end:]
    shuffled = list(edits)
    order.shuffle(shuffled)
    assert apply(text, *(replacement(*edit) for edit in shuffled)) == expected


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))))
def test_transforms_that_change_nothing_change_nothing(text: str, ranges) -> None:
    edits = EditSet()
    for one, other in ranges:
        start, end = sorted((min(one, len(text)), min(other, len(text))))
        if start == end:
            continue
        try:
            edits.add([Edit(start, end, lambda inner: inner)])
        except Blocked:
            continue
    assert edits.apply(text) == text
