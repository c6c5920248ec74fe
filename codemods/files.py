"""The files of a run, and which of them hold a literal.

Every file is read for that, so nothing here makes an object per file that is no hit.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from codemods.foreign import FRAMEWORK
from codemods.walk import PYTHON, Discovery, FileProblem, Skipped, discover, why

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "PYTHON",
    "Discovery",
    "FileProblem",
    "Skipped",
    "discover",
    "read_files",
    "scan_literals",
]

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
) -> Iterator[tuple[str, bytes]]:
    """The files that hold a literal (or any of several), with their bytes.

    Each file is read once. One that cannot be read is added to `problems`.
    """
    literals = (literal,) if isinstance(literal, bytes) else tuple(literal)
    for path, data, size in read_files(files, problems):
        for wanted in literals:
            if data.find(wanted, 0, size) >= 0:
                yield path, bytes(memoryview(data)[:size])
                break


def read_files(
    files: Iterable[str], problems: list[FileProblem] | None = None
) -> Iterator[tuple[str, bytes | bytearray, int]]:
    """The path of each file, its data, and how many bytes of the data belong to the file.

    Nearly every file ends within one buffer, which is read into again and again: no memory is
    asked for, and what was handed out is overwritten by the next file.
    """
    buffer = bytearray(_CHUNK)
    for path in files:
        try:
            file = os.open(path, _OPEN_FLAGS)
            try:
                size = _read_into(file, [buffer]) if _read_into else _CHUNK
                data: bytes | bytearray = buffer
                if size == _CHUNK or os.read(file, 1):
                    os.lseek(file, 0, os.SEEK_SET)
                    data = _rest(file)
                    size = len(data)
            finally:
                os.close(file)
        except OSError as error:
            if problems is not None:
                problems.append(FileProblem(path, why(path, error)))
            continue
        yield path, data, size


def _rest(file: int) -> bytes:
    parts: list[bytes] = []
    while part := os.read(file, 1 << 20):
        parts.append(part)
    return b"".join(parts)
