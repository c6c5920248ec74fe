"""Edits as ranges of one text, applied together, the innermost first.

An edit either replaces its range by a text, or transforms the text of its range as it stands
after all edits inside it are done; so two rewrites of one expression compose in a single run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Transform = Callable[[str], str]


class Blocked(Exception):
    """A rewrite that cannot be done here; the message is the reason the user reads.

    `edit` is the edit that failed, where it failed while being applied.
    """

    edit: Edit | None = None


class Edit:
    """A change of `text[start:end]`; an insertion where both are equal.

    `transform` gets the range's current text. `rank` orders edits of one range (and insertions
    at one place): low ranks are applied first. `opaque` edits do not look at their text, so
    edits inside them would be lost: that is a conflict.
    """

    def __init__(
        self, start: int, end: int, transform: Transform, rank: int = 0, *, opaque: bool = False
    ) -> None:
        self.start = start
        self.end = end
        self.transform = transform
        self.rank = rank
        self.opaque = opaque
        self._done: tuple[str, str] | None = None

    def run(self, text: str) -> str:
        """The transformed text; the last answer is kept, since a file is rendered twice.

        Raises:
            Blocked: the text cannot be transformed; the error names this edit.
        """
        if self._done is None or self._done[0] != text:
            try:
                self._done = (text, self.transform(text))
            except Blocked as error:
                error.edit = error.edit or self
                raise
        return self._done[1]

    def contains(self, other: Edit) -> bool:
        """Whether `other` lies within this range (insertions at the edges stay outside)."""
        if other.start == other.end:
            return self.start < other.start < self.end
        return self.start <= other.start and other.end <= self.end

    def disjoint(self, other: Edit) -> bool:
        """Whether the ranges share nothing."""
        if self.start == self.end or other.start == other.end:
            return not self.contains(other) and not other.contains(self)
        return self.end <= other.start or other.end <= self.start


def replacement(start: int, end: int, text: str, rank: int = 0) -> Edit:
    """An edit that puts `text` in place of a range."""
    covers = start != end
    return Edit(start, end, lambda _: text, -1 if covers else rank, opaque=covers)


class EditSet:
    """The accepted edits of one file; a group is accepted whole or not at all."""

    def __init__(self) -> None:
        self.edits: list[Edit] = []

    def add(self, group: Sequence[Edit]) -> None:
        """Accept the edits of one rewrite.

        Raises:
            Blocked: one of them cuts through, or would swallow, an edit accepted before.
        """
        fresh: list[Edit] = []
        for new in group:
            touching = [old for old in self.edits if not new.disjoint(old)]
            if not all(compatible(new, old) for old in touching):
                raise Blocked("overlaps with another rewrite at the same place")
            if not any(_repeats(new, old) for old in touching):
                fresh.append(new)
        self.edits.extend(fresh)

    def swallowed(self, group: Sequence[Edit], text: str) -> bool:
        """Whether accepted replacements took away all code that the edits of `group` change."""
        return bool(group) and all(
            any(
                old.opaque
                and old.contains(new)
                and text[new.start : new.end] not in old.transform("")
                for old in self.edits
            )
            for new in group
            if new.start != new.end
        )

    def apply(self, text: str) -> str:
        """The text with every edit done."""
        return _render(text, 0, len(text), sorted(self.edits, key=_outermost_first))


def compatible(new: Edit, old: Edit) -> bool:
    """Whether two edits can be applied in one run without losing either."""
    if new.disjoint(old):
        return True
    if (new.start, new.end) == (old.start, old.end):
        return not (new.opaque and old.opaque) or _repeats(new, old)
    if new.contains(old):
        return not new.opaque
    if old.contains(new):
        return not old.opaque
    return False


def _repeats(new: Edit, old: Edit) -> bool:
    same = (new.start, new.end) == (old.start, old.end)
    return same and new.opaque and old.opaque and new.transform("") == old.transform("")


def _outermost_first(edit: Edit) -> tuple[int, bool, int, int]:
    # An insertion stands before the range that starts at its place, never inside it.
    return (edit.start, edit.end > edit.start, -edit.end, edit.rank)


def _render(text: str, start: int, end: int, edits: Sequence[Edit]) -> str:
    pieces: list[str] = []
    position = start
    index = 0
    while index < len(edits):
        group, inner, index = _take(edits, index)
        first = group[0]
        pieces.append(text[position : first.start])
        if first.start == first.end:
            pieces.extend(edit.transform("") for edit in group)
        else:
            current = _render(text, first.start, first.end, inner)
            for edit in group:
                current = edit.run(current)
            pieces.append(current)
        position = first.end
    pieces.append(text[position:end])
    return "".join(pieces)


def _take(edits: Sequence[Edit], index: int) -> tuple[list[Edit], list[Edit], int]:
    """The edits that share the next range, those inside it, and where the rest begins."""
    first = edits[index]
    group = [first]
    inner: list[Edit] = []
    index += 1
    while index < len(edits):
        edit = edits[index]
        if (edit.start, edit.end) == (first.start, first.end):
            group.append(edit)
        elif first.contains(edit):
            inner.append(edit)
        else:
            break
        index += 1
    return group, inner, index
