"""The front of the queue of a SQLite file, as its writer knows it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

Place = tuple[int, str]  # the position in the queue, the rollout's id


class QueueFront:
    """The first places of the queue in their order; some may have been left since."""

    MOST = 1024

    def __init__(self) -> None:
        self._places: deque[Place] = deque()
        self._whole = False  # whether nothing comes after them
        self._last = 0  # the last place that was ever here
        self._next = 8

    def append(self, place: int, rollout_id: str) -> None:
        """Somebody came to the tail of the queue."""
        if self._whole and len(self._places) < self.MOST:
            self._places.append((place, rollout_id))
            self._last = place
        else:
            self._whole = False

    def pop(self, read: Callable[[int, int], Sequence[Place]]) -> Place | None:
        """The first place; None at the end of the queue.

        `read(after, count)` gives the first `count` places after one.
        """
        if not self._places and not self._whole:
            # At first few: with other processes at work they are not good for long.
            found = read(self._last, self._next)
            self._whole = len(found) < self._next
            self._next = min(self._next * 2, 256)
            self._places.extend(found)
            if found:
                self._last = found[-1][0]
        return self._places.popleft() if self._places else None
