"""Sets of numbers kept in order, cheap to change however many there are."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

_CHUNK = 1024


class OrderedNumbers:
    """Distinct numbers in chunks, so that a change moves a chunk and not all."""

    __slots__ = ("_chunks", "_count", "_highest")

    def __init__(self) -> None:
        self._chunks: list[list[int]] = []
        self._highest: list[int] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        for chunk in self._chunks:
            yield from chunk

    def add(self, number: int) -> None:
        """Put in a number that is not there."""
        self._count += 1
        if not self._chunks:
            self._chunks.append([number])
            self._highest.append(number)
            return
        at = min(bisect_left(self._highest, number), len(self._chunks) - 1)
        chunk = self._chunks[at]
        insort(chunk, number)
        self._highest[at] = chunk[-1]
        if len(chunk) > 2 * _CHUNK:
            self._chunks.insert(at + 1, chunk[_CHUNK:])
            del chunk[_CHUNK:]
            self._highest[at : at + 1] = [chunk[-1], self._chunks[at + 1][-1]]

    def remove(self, number: int) -> None:
        """Take out a number that is there."""
        at = bisect_left(self._highest, number)
        chunk = self._chunks[at]
        del chunk[bisect_left(chunk, number)]
        self._count -= 1
        if chunk:
            self._highest[at] = chunk[-1]
        else:
            del self._chunks[at], self._highest[at]

    def part(self, offset: int, limit: int) -> list[int]:
        """The numbers from a place on, at most `limit` of them, all with -1."""
        taken: list[int] = []
        for chunk in self._chunks:
            if offset >= len(chunk):
                offset -= len(chunk)
                continue
            taken += chunk[offset:]
            offset = 0
            if 0 <= limit <= len(taken):
                return taken[:limit]
        return taken
