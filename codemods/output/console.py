"""Writing to the terminal, to a pipe that may close, and in whatever encoding there is."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO


class Console:
    """Standard output and standard error of a command."""

    def __init__(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # A file name or a message must not fail where the terminal lacks a character.
                stream.reconfigure(errors="backslashreplace")

    def out(self, text: str | bytes) -> None:
        """Write to standard output. Once nobody reads it any more, nothing more is written."""
        _write(sys.stdout, text)

    def err(self, text: str) -> None:
        """Write to standard error, after what went to standard output."""
        _flush(sys.stdout)
        _write(sys.stderr, text)

    def close(self) -> None:
        """Write out what is left."""
        _flush(sys.stdout)
        _flush(sys.stderr)


def is_coloured(stream: TextIO) -> bool:
    """Whether to write colours to a stream: to a terminal, unless NO_COLOR says no."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, *, on: bool) -> str:
    """`text` in a colour (red, green, yellow, cyan or bold), if it is `on`."""
    codes = {"red": 31, "green": 32, "yellow": 33, "cyan": 36, "bold": 1}
    return f"\x1b[{codes[colour]}m{text}\x1b[0m" if on else text


def _write(stream: TextIO, text: str | bytes) -> None:
    try:
        if isinstance(text, bytes):
            stream.flush()
            stream.buffer.write(text)
        else:
            stream.write(text)
    except BrokenPipeError:
        _forget(stream)


def _flush(stream: TextIO) -> None:
    try:
        stream.flush()
    except BrokenPipeError:
        _forget(stream)


def _forget(stream: TextIO) -> None:
    """Send what is still written to a closed pipe nowhere, and let the command do its work."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)
