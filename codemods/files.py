"""The files of a run, and which of them hold a literal.

Every file is read for that, so nothing here makes an object per file that is no hit.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from codemods.foreign import FRAMEWORK
from codemods.walk import PYTHON, Discovery, FileProblem, Skipped, discover, why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Passed = Callable[[str, bytearray | bytes, int], None]

__all__ = ["PYTHON", "Discovery", "FileProblem", "Skipped", "discover", "scan_literals"]

_CHUNK = 1 << 16
_read_into = getattr(os, "readv", None)  # Windows has none
_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NONBLOCK", 0)
)


def scan_literals(
    files: Iterable[str],
    literal: bytes | Sequence[bytes] = FRAMEWORK.encode(),
    problems: list[FileProblem] | None = None,
    passed: Passed | None = None,
) -> Iterator[tuple[str, bytes]]:
    """The files that hold a literal (or any of several), with their bytes.

    Each file is read once. One that cannot be read is added to `problems`. `passed` is called
    for the others: path, data, how many bytes of the data belong to the file; the data are
    overwritten afterwards.
    """
    literals = (literal,) if isinstance(literal, bytes) else tuple(literal)
    buffer = bytearray(_CHUNK)
    for path in files:
        try:
            data = _read_if(path, literals, buffer, passed)
        except OSError as error:
            if problems is not None:
                problems.append(FileProblem(path, why(path, error)))
            continue
        if data is not None:
            yield path, data


def _read_if(
    path: str, literals: tuple[bytes, ...], buffer: bytearray, passed: Passed | None
) -> bytes | None:
    """The bytes of a file if they hold one of the literals.

    Nearly every file ends within the buffer, which is read into again and again: no memory is
    asked for until there is something to hand out.
    """
    file = os.open(path, _OPEN_FLAGS)
    try:
        size = _read_into(file, [buffer]) if _read_into else _CHUNK
        if size < _CHUNK and not os.read(file, 1):
            for literal in literals:
                if buffer.find(literal, 0, size) >= 0:
                    return bytes(memoryview(buffer)[:size])
            if passed is not None:
                passed(path, buffer, size)
            return None
        os.lseek(file, 0, os.SEEK_SET)
        data = _rest(file)
    finally:
        os.close(file)
    if any(literal in data for literal in literals):
        return data
    if passed is not None:
        passed(path, data, len(data))
    return None


def _rest(file: int) -> bytes:
    parts: list[bytes] = []
    while part := os.read(file, 1 << 20):
        parts.append(part)
    return b"".join(parts)
