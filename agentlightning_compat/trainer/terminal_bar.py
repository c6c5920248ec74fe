"""A bar at the bottom of the terminal, which everything else is written above."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import Any

# What a terminal of 80 columns has room for beside the text.
_WIDTH = 12


class Bar:
    """Needs rich; it is on standard error.

    What this process prints and logs while the bar is there appears above it. Output that goes
    to a file or a pipe goes there as ever.
    """

    def __init__(self, rich_console: Any, progress: Any) -> None:
        self._progress = progress
        self._moved: list[tuple[Any, str, Any]] = []
        before = sys.stdout, sys.stderr
        progress.start()
        # Records are written where they were before, under the bar: rich knows of prints only.
        for handler in _handlers():
            stream = getattr(handler, "stream", None)
            console = getattr(handler, "console", None)
            if isinstance(handler, logging.StreamHandler) and stream in before:
                self._move(handler, "stream", sys.stdout if stream is before[0] else sys.stderr)
            elif isinstance(console, type(rich_console)) and console.is_terminal:
                self._move(handler, "console", rich_console)

    @classmethod
    def begun(cls) -> Bar | None:
        """A bar that is shown; None without a terminal or without rich."""
        if not sys.stderr.isatty():
            return None
        try:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
        except ImportError:
            return None
        console = Console(stderr=True)
        progress = Progress(
            BarColumn(bar_width=_WIDTH),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            # rich would have it on the terminal, wherever it was meant to go.
            redirect_stdout=sys.stdout.isatty(),
        )
        progress.add_task("nothing is done yet", total=None)
        return cls(console, progress)

    def update(self, done: int, total: int, text: str) -> None:
        """So much is done."""
        self._progress.update(0, completed=done, total=total, description=text)

    def stop(self) -> None:
        """Take it away."""
        while self._moved:
            handler, name, value = self._moved.pop()
            setattr(handler, name, value)
        self._progress.stop()

    def _move(self, handler: Any, name: str, value: Any) -> None:
        self._moved.append((handler, name, getattr(handler, name)))
        setattr(handler, name, value)


@contextlib.contextmanager
def shown() -> Iterator[Bar | None]:
    """A bar for as long as this lasts; None without a terminal or without rich."""
    bar = Bar.begun()
    try:
        yield bar
    finally:
        if bar is not None:
            bar.stop()


def _handlers() -> list[logging.Handler]:
    """Of all loggers, those of the libraries in use too."""
    known = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    loggers = [logger for logger in known if isinstance(logger, logging.Logger)]
    return list(dict.fromkeys(handler for logger in loggers for handler in logger.handlers))
