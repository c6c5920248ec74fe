from hypothesis import given
from hypothesis import strategies as st

from codemods.output.diff import line_map


def test_lines_behind_an_insertion_move():
    place = line_map(b"a\nb\n", b"new\na\nb\n")
    assert [place(1), place(2)] == [2, 3]


def test_lines_behind_a_removal_move():
    place = line_map(b"a\nb\nc\n", b"a\nc\n")
    assert [place(1), place(3)] == [1, 2]


def test_a_changed_line_is_the_one_in_its_place():
    place = line_map(b"a\nb\nc\n", b"a\nB1\nB2\nc\n")
    assert [place(1), place(2), place(3)] == [1, 2, 4]


_lines = st.lists(st.sampled_from([b"a", b"b", b"c", b"d"]), min_size=1, max_size=12)


@given(_lines, _lines)
def test_every_line_has_a_place_in_order(before, after):
    place = line_map(b"\n".join(before) + b"\n", b"\n".join(after) + b"\n")
    places = [place(number) for number in range(1, len(before) + 1)]
    assert places == sorted(places)
    assert all(1 <= number <= len(after) + 1 for number in places)


@given(_lines)
def test_nothing_moves_where_nothing_changed(lines):
    data = b"\n".join(lines)
    place = line_map(data, data)
    assert [place(n) for n in range(1, len(lines) + 1)] == list(range(1, len(lines) + 1))
