"""Which files import one of the project's own modules: the second literal round.

Files that say nothing of the framework may still use it through a module of the project. They
are found by the words of their import statements, without a parser.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from codemods.files import read_files, scan_literals

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Iterator

    from codemods.walk import FileProblem

    Leads = Callable[[str, bytes], bool]

IMPORT = b"import"
_STAR = b"*"
_BACKSLASH = ord("\\")
_SEPARATORS = bytes.maketrans(b".,();\\", b"      ")
_NEAR = 256  # bytes within which imports are taken together


class Importers:
    """The files that were not taken in yet, with the lines around their import statements."""

    def __init__(self) -> None:
        self._unread: list[str] = []
        self._lines: dict[str, bytes] = {}

    def sift(
        self, files: Iterable[str], literal: bytes, problems: list[FileProblem] | None = None
    ) -> list[tuple[str, bytes]]:
        """The files that hold a literal, with their bytes; the others are noted here.

        One that cannot be read is added to `problems`.
        """
        hits = []
        for path, data, size in read_files(files, problems):
            if data.find(literal, 0, size) >= 0:
                hits.append((path, bytes(memoryview(data)[:size])))
            elif lines := import_lines(data, size):
                self._lines[path] = lines
        return hits

    def add_unread(self, paths: Iterable[str]) -> None:
        """Note files that have to be read again should the question come up."""
        self._unread += paths

    def take(self, pairs: Iterable[tuple[str, str]], leads: Leads) -> list[tuple[str, bytes]]:
        """The files, with their bytes, that import a module and hold a name that goes with it.

        `pairs` are the last part of a module's name and a name in it. `leads` tells from a
        file's path and the lines around its imports whether one of them is of a file that is
        known. What is taken once is not handed out again.
        """
        wanted: dict[bytes, list[bytes]] = {}
        for stem, name in dict.fromkeys(pairs):  # many modules share both
            wanted.setdefault(stem.encode(), []).append(name.encode())
        stems = frozenset(wanted)
        for path, data in scan_literals(self._unread, IMPORT):
            self._lines[path] = import_lines(data, len(data))
        self._unread = []
        likely: dict[str, list[bytes]] = {}
        for path, lines in self._lines.items():
            if stems.isdisjoint(lines.translate(_SEPARATORS).split()) or not leads(path, lines):
                continue
            words = import_words(lines)
            present = stems.intersection(words.split())
            if present:
                likely[path] = [b""] if _STAR in words else _joined(wanted, present)
        found = [
            (path, data)
            for path, data in scan_literals(likely, b"")
            if any(name in data for name in likely[path])
        ]
        for path, _ in found:
            del self._lines[path]
        return found


def _joined(wanted: dict[bytes, list[bytes]], stems: Iterable[bytes]) -> list[bytes]:
    return [name for stem in stems for name in wanted[stem]]


def import_lines(data: bytes | bytearray, size: int) -> bytes:
    """All import statements of a file's first `size` bytes, with what stands between them.

    Telling them from it is left for the few files for which it matters.
    """
    regions = []
    end = 0
    while (at := data.find(IMPORT, end, size)) >= 0:
        start = data.rfind(b"\n", 0, at) + 1
        last = data.rfind(IMPORT, at, min(at + _NEAR, size))
        end = data.find(b"\n", last, size)
        if end < 0 or data[end - 1] == _BACKSLASH or data.find(b"(", start, end) >= 0:
            end = _reach(data, start, last, size)
        regions.append(data[start:end])
    return b"\n".join(regions)


def import_words(data: bytes) -> bytes:
    """All words of the import statements of a file, and of whatever else looks like one."""
    return b" ".join(_imports(data)).translate(_SEPARATORS)


def imported_modules(data: bytes) -> Iterator[str]:
    """Every dotted name that an import statement of a file may take for a module."""
    comment, joint, statement = _patterns()
    text = joint.sub(" ", comment.sub("", data.decode(errors="replace")))
    for source, names in statement.findall(text):
        if source:
            yield source
        prefix = source if not source or source.endswith(".") else f"{source}."
        for name in names.strip("(").split(","):
            if words := name.split():
                yield prefix + words[0]


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    import re  # most runs have no use for them

    statement = r"(?:from[ \t]*([\w.]+)[ \t]*import|import)\b[ \t]*(\([^)]*|[^;\n)]*)"
    return tuple(map(re.compile, (r"#[^\n]*", r"\\\r?\n", statement)))


def _imports(data: bytes) -> Iterator[bytes]:
    end, size = 0, len(data)
    while (at := data.find(IMPORT, end)) >= 0:
        start = data.rfind(b"\n", 0, at) + 1
        end = _line_end(data, at, size)
        if data.find(b"(", at, end) >= 0:
            end = max(end, _closing(data, at, size, at))
        yield data[start : (end := _continued(data, end, size))]


def _reach(data: bytes | bytearray, start: int, last: int, size: int) -> int:
    """A place behind all import statements, the last of which is at `last` or goes on there."""
    end = _line_end(data, last, size)
    if data.find(b"(", start, end) >= 0:
        closing = _closing(data, last, size, 0)
        end = size if closing < 0 else max(end, _line_end(data, closing, size))
    return _continued(data, end, size)


def _line_end(data: bytes | bytearray, start: int, size: int) -> int:
    end = data.find(b"\n", start, size)
    return size if end < 0 else end


def _continued(data: bytes | bytearray, end: int, size: int) -> int:
    """The end of the lines that a backslash before `end` joins."""
    while data[end - 1 : end] == b"\\" and end < size:
        end = _line_end(data, end + 1, size)
    return end


def _closing(data: bytes | bytearray, after: int, size: int, start: int) -> int:
    """Where the next parenthesis closes that is in no comment, as far as seen from `start`."""
    at = after
    while (at := data.find(b")", at + 1, size)) >= 0:
        line = data.rfind(b"\n", start, at)
        if data.find(b"#", max(line, start), at) < 0:
            break
    return at
