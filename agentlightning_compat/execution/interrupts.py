"""What Ctrl-C does while a strategy runs."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

_log = logging.getLogger(__name__)


class Interrupts:
    """A context in which SIGINT asks for a stop, then for a quick one, and then interrupts.

    `stop` is called for the first, `drop` for the second; the third raises KeyboardInterrupt
    wherever the main thread is. A program that handles SIGINT by itself, or runs this in another
    thread, keeps its own way.
    """

    def __init__(self, stop: Callable[[], object], drop: Callable[[], object]) -> None:
        self._steps = [stop, drop]
        self._ours = False
        self.count = 0

    def __enter__(self) -> Self:
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handle)
            self._ours = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count > len(self._steps):
            raise KeyboardInterrupt
        self._steps[self.count - 1]()
