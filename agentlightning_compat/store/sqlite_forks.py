"""A process that forks: no thread is in the middle of a file, and the child has none open.

A child has a copy of what SQLite knows of its locks, but not the locks. Forked in the middle of a
transaction it would wait for ever for a lock that it takes for its own, and later it would write
to a file that others do not see it use. So a fork waits until all threads have ended their turns,
and the child closes what it got before anything else.
"""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable

# Held from before a fork until after it, and while a file is opened.
opening = threading.RLock()
_turns: weakref.WeakSet[Turn] = weakref.WeakSet()
_held: list[Turn] = []
_collects = False


class Turn:
    """What a thread holds while it uses its connection.

    `leave` is called in a child process: it closes the connection there.
    """

    def __init__(self, leave: Callable[[], None]) -> None:
        self.leave = leave
        self.lock = threading.Lock()
        with opening:
            _turns.add(self)

    def __enter__(self) -> None:
        self.lock.acquire()

    def __exit__(self, *error: object) -> None:
        self.lock.release()


def _before() -> None:
    global _collects  # noqa: PLW0603 (it is what the other end of the fork restores)
    opening.acquire()
    # A store that is found to be garbage now would wait for its threads, and they for the fork.
    _collects = gc.isenabled()
    gc.disable()
    for turn in list(_turns):
        turn.lock.acquire()
        _held.append(turn)


def _release() -> None:
    for turn in _held:
        turn.lock.release()
    _held.clear()
    if _collects:
        gc.enable()
    opening.release()


def _in_child() -> None:
    turns = list(_held)
    _turns.clear()
    _release()
    for turn in turns:
        turn.leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_release, after_in_child=_in_child)
