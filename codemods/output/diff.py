"""Unified diffs that `git apply` and `patch -p1` take, byte for byte.

A line ends in a newline and in nothing else: carriage returns, form feeds and the other
characters that Python also splits at are parts of a line, as they are for git.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CONTEXT = 3
_LONG = 1000  # lines: difflib is quick below
_MANY = 100  # changed lines
_RESET = b"\x1b[0m"
_COLOURS = {b"-": b"\x1b[31m", b"+": b"\x1b[32m", b"@": b"\x1b[36m"}
_BOLD = b"\x1b[1m"
_ESCAPES = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}


class _Block(NamedTuple):
    """Lines `start:end` before that became lines `new_start:new_end`."""

    start: int
    end: int
    new_start: int
    new_end: int


def unified_diff(name: str, before: bytes | str, after: bytes | str) -> bytes:
    """The diff of one file, empty where nothing changed.

    `name` is the path relative to the folder that the patch is applied in. Text is taken as UTF-8.
    """
    old_data = before.encode() if isinstance(before, str) else before
    new_data = after.encode() if isinstance(after, str) else after
    if old_data == new_data:
        return b""
    old, new = _lines(old_data), _lines(new_data)
    names = _name("a/" + name), _name("b/" + name)
    parts = [b"diff --git %s %s\n--- %s\n+++ %s\n" % (*names, *map(_ended, names))]
    for blocks in _hunks(_blocks(old, new)):
        parts.extend(_hunk(old, new, blocks))
    return b"".join(parts)


def line_map(before: bytes, after: bytes) -> Callable[[int], int]:
    """A function from a line's number before (from 1) to that of the same line after.

    For a line that was changed it is the line that stands in its place.
    """
    from bisect import bisect_right

    found = list(_blocks(_lines(before), _lines(after)))
    starts = [block.start for block in found]

    def place(number: int) -> int:
        line = number - 1
        index = bisect_right(starts, line) - 1
        if index < 0:
            return number
        start, end, new_start, new_end = found[index]
        if line >= end:
            return number + new_end - end
        return max(min(new_start + line - start, new_end - 1), 0) + 1

    return place


def colour(diff: bytes) -> bytes:
    """A diff for a terminal: removed lines red, added ones green. No patch any more."""
    lines = []
    in_head = False
    for line in _lines(diff):
        in_head = line.startswith(b"diff --git ") or (in_head and not line.startswith(b"@@ "))
        code = _BOLD if in_head else _COLOURS.get(line[:1], b"")
        body = line.rstrip(b"\r\n")
        lines.append(code + body + _RESET + line[len(body) :] if code else line)
    return b"".join(lines)


def _lines(data: bytes) -> list[bytes]:
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _name(path: str) -> bytes:
    """A path as git writes it: in quotes, with escapes as in C, where it has odd characters."""
    raw = path.encode("utf-8", "surrogateescape")
    try:
        raw.decode()
        is_plain = not any(byte < 32 or byte in (34, 92, 127) for byte in raw)
    except UnicodeDecodeError:
        is_plain = False
    if is_plain:
        return raw
    quoted = "".join(
        "\\" + _ESCAPES[byte]
        if byte in _ESCAPES
        else chr(byte)
        if 32 <= byte < 127
        else f"\\{byte:03o}"
        for byte in raw
    )
    return b'"' + quoted.encode() + b'"'


def _ended(name: bytes) -> bytes:
    """A name in a `---` line; after one with a blank a tab says where it ends."""
    return name + b"\t" if b" " in name and not name.startswith(b'"') else name


def _blocks(old: list[bytes], new: list[bytes]) -> Iterator[_Block]:
    """What changed, in order.

    Equal lines at both ends and lines that occur once on both sides hold the rest in place, so
    that only short stretches are left for the slow comparison, also in a file of megabytes.
    """
    anchors = _anchors(old, new)
    at, new_at = 0, 0
    for line, new_line in [*anchors, (len(old), len(new))]:
        if line - at or new_line - new_at:
            yield from _compare(old, new, _Block(at, line, new_at, new_line))
        at, new_at = line + 1, new_line + 1


def _anchors(old: list[bytes], new: list[bytes]) -> list[tuple[int, int]]:
    """Pairs of equal lines that rise on both sides."""
    head = 0
    shorter = min(len(old), len(new))
    while head < shorter and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shorter - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    places = _once(new, head, len(new) - tail)
    middle = [
        (line, places[text])
        for text, line in _once(old, head, len(old) - tail).items()
        if text in places
    ]
    ends = [(len(old) - n, len(new) - n) for n in range(tail, 0, -1)]
    return [*((n, n) for n in range(head)), *_rising(sorted(middle)), *ends]


def _once(lines: list[bytes], start: int, end: int) -> dict[bytes, int]:
    """The lines of a stretch that occur in it once, and where."""
    places: dict[bytes, int] = {}
    twice: set[bytes] = set()
    for number in range(start, end):
        if lines[number] in places:
            twice.add(lines[number])
        places[lines[number]] = number
    return {line: number for line, number in places.items() if line not in twice}


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs that rises on the second side too."""
    from bisect import bisect_left

    lowest: list[int] = []
    last: list[int] = []
    back: list[int] = []
    for number, (_, place) in enumerate(pairs):
        at = bisect_left(lowest, place)
        lowest[at : at + 1] = [place]
        last[at : at + 1] = [number]
        back.append(last[at - 1] if at else -1)
    run: list[tuple[int, int]] = []
    number = last[-1] if last else -1
    while number >= 0:
        run.append(pairs[number])
        number = back[number]
    return run[::-1]


def _compare(old: list[bytes], new: list[bytes], block: _Block) -> Iterator[_Block]:
    start, end, new_start, new_end = block
    if start == end or new_start == new_end:
        yield block
        return
    left, right = old[start:end], new[new_start:new_end]
    found = _few(left, right) if len(left) + len(right) > _LONG else None
    if found is None:
        from difflib import SequenceMatcher

        opcodes = SequenceMatcher(None, left, right).get_opcodes()
        found = [_Block(*places) for kind, *places in opcodes if kind != "equal"]
    for i1, i2, j1, j2 in found:
        yield _Block(start + i1, start + i2, new_start + j1, new_start + j2)


def _few(old: list[bytes], new: list[bytes]) -> list[_Block] | None:
    """The shortest way from one long list to another, or None where it takes many steps.

    Myers' greedy search: after n steps, how far one can get on each diagonal. Its time grows with
    the steps and not with how often a line is repeated, as that of difflib does.
    """
    reached = {1: 0}
    trail: list[dict[int, int]] = []
    for steps in range(_MANY):
        trail.append(reached.copy())
        for diagonal in range(-steps, steps + 1, 2):
            is_added = _is_added(reached, diagonal, steps)
            at = reached[diagonal + 1] if is_added else reached[diagonal - 1] + 1
            while at < len(old) and at - diagonal < len(new) and old[at] == new[at - diagonal]:
                at += 1
            reached[diagonal] = at
            if at >= len(old) and at - diagonal >= len(new):
                return _way(trail, diagonal)
    return None


def _is_added(reached: dict[int, int], diagonal: int, steps: int) -> bool:
    if diagonal in (-steps, steps):
        return diagonal == -steps
    return reached[diagonal - 1] < reached[diagonal + 1]


def _way(trail: list[dict[int, int]], diagonal: int) -> list[_Block]:
    """The steps that led to a diagonal, with those that touch taken together."""
    blocks: list[_Block] = []
    for steps in range(len(trail) - 1, 0, -1):
        reached = trail[steps]
        is_added = _is_added(reached, diagonal, steps)
        diagonal += 1 if is_added else -1
        at = reached[diagonal]
        step = _Block(at, at + (not is_added), at - diagonal, at - diagonal + is_added)
        if blocks and (step.end, step.new_end) == (blocks[-1].start, blocks[-1].new_start):
            step = _Block(step.start, blocks[-1].end, step.new_start, blocks.pop().new_end)
        blocks.append(step)
    return blocks[::-1]


def _hunks(blocks: Iterator[_Block]) -> Iterator[list[_Block]]:
    """Changes so near each other that their context would overlap go into one hunk."""
    hunk: list[_Block] = []
    for block in blocks:
        if hunk and block.start - hunk[-1].end > 2 * _CONTEXT:
            yield hunk
            hunk = []
        hunk.append(block)
    if hunk:
        yield hunk


def _hunk(old: list[bytes], new: list[bytes], blocks: list[_Block]) -> Iterator[bytes]:
    first, last = blocks[0], blocks[-1]
    before = min(_CONTEXT, first.start)
    after = min(_CONTEXT, len(old) - last.end)
    start, end = first.start - before, last.end + after
    old_range = _range(start, end)
    new_range = _range(first.new_start - before, last.new_end + after)
    yield b"@@ -%s +%s @@\n" % (old_range, new_range)
    at = start
    for block in blocks:
        yield from _marked(b" ", old[at : block.start])
        yield from _marked(b"-", old[block.start : block.end])
        yield from _marked(b"+", new[block.new_start : block.new_end])
        at = block.end
    yield from _marked(b" ", old[at:end])


def _marked(mark: bytes, lines: list[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield mark + line
        if not line.endswith(b"\n"):
            yield b"\n\\ No newline at end of file\n"


def _range(start: int, end: int) -> bytes:
    count = end - start
    if count == 1:
        return b"%d" % (start + 1)
    return b"%d,%d" % (start + 1 if count else start, count)
