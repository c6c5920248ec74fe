"""Notes which legacy names a program really uses, where and how often.

Nothing is noted until `start` is called. A use is warned about once for each line of the user's.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NamedTuple

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep
# A coroutine that is a task of its own was started by whoever runs the loop.
_ASYNCIO = os.path.join(os.path.dirname(os.__file__), "asyncio") + os.sep
_IMPORTLIB = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")


class Use(NamedTuple):
    """A legacy name at a line of a file."""

    symbol: str
    file: str
    line: int


class Uses:
    """What was noted in this process; with a report file, it is written there as well.

    The file holds a JSON object a line, `{"symbol", "file", "line", "count"}`. Every process of a
    program appends to it: counts of the same use are to be added up.
    """

    def __init__(self, report: Path | None = None) -> None:
        self._counts: Counter[Use] = Counter()
        self._written: Counter[Use] = Counter()
        self._report = report
        self._lock = threading.Lock()

    def add(self, use: Use) -> bool:
        """Note a use; whether it is the first of its kind."""
        with self._lock:
            if not self._counts:
                _at_the_end(self.write)
            self._counts[use] += 1
            first = self._counts[use] == 1
        if first:
            self.write()  # a process may be ended without a word
        return first

    def counts(self) -> dict[Use, int]:
        """How often each use happened."""
        with self._lock:
            return dict(self._counts)

    def write(self) -> None:
        """Append what is new to the report."""
        if self._report is None:
            return
        with self._lock:
            fresh = self._counts - self._written
            self._written.update(fresh)
        lines = [json.dumps({**use._asdict(), "count": n}) for use, n in sorted(fresh.items())]
        if lines:
            # One write, so that the lines of other processes do not come in between.
            with self._report.open("ab", buffering=0) as file:
                file.write(("\n".join(lines) + "\n").encode())


_uses: Uses | None = None


def start(report: str | os.PathLike[str] | None = None) -> Uses:
    """Note uses from now on; `report` is a file that they are written to."""
    global _uses  # noqa: PLW0603 (what a whole process does)
    _uses = Uses(None if report is None else Path(report).absolute())
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_in_child)
    return _uses


def stop() -> None:
    """Note no more."""
    global _uses  # noqa: PLW0603
    if _uses is not None:
        _uses.write()
    _uses = None


def _in_child() -> None:
    global _uses  # noqa: PLW0603
    if _uses is not None:
        # The parent writes what it has noted itself.
        _uses = Uses(_uses._report)


def _at_the_end(write: Callable[[], None]) -> None:
    atexit.register(write)
    util = sys.modules.get("multiprocessing.util")
    if util is not None:  # a child of multiprocessing runs no atexit functions
        util.Finalize(None, write, exitpriority=0)


def note(symbol: str, advice: str = "") -> None:
    """A legacy name is used by whoever is the first on the stack that is not of this package."""
    if _uses is None:
        return
    _tell(symbol, advice, _user(sys._getframe(1)))


def note_call(symbol: str, advice: str = "") -> None:
    """As `note`, in a function that this package calls as well; its own calls are not noted."""
    if _uses is None:
        return
    caller = sys._getframe(2)
    if not _is_ours(caller):
        _tell(symbol, advice, _user(caller))


def _tell(symbol: str, advice: str, frame: FrameType | None) -> None:
    if _uses is None or frame is None:
        return
    file, line = frame.f_code.co_filename, frame.f_lineno
    # As `python script.py` has it, the name says little once the program has ended.
    if _uses.add(Use(symbol, os.path.abspath(file), line)):
        text = f"{symbol} is of agent-lightning's legacy API. {advice}".strip()
        warnings.warn_explicit(
            text, DeprecationWarning, file, line, module=frame.f_globals.get("__name__", "?")
        )


def _is_ours(frame: FrameType) -> bool:
    return os.path.abspath(frame.f_code.co_filename).startswith(_OURS)


def _user(frame: FrameType | None) -> FrameType | None:
    while frame is not None:
        file = frame.f_code.co_filename
        if file in _IMPORTLIB:
            return None  # the import system asks whether a name is there; the import comes after
        if not _is_ours(frame) and not file.startswith(_ASYNCIO):
            return frame
        frame = frame.f_back
    return None
