"""Which files import one of the project's own modules: the second literal round.

Files that say nothing of the framework may still use it through a module of the project. They
are found by the words of their import statements, without a parser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codemods.files import scan_literals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

IMPORT = b"import"
_STAR = b"*"
_SEPARATORS = bytes.maketrans(b".,();\\", b"      ")
_NEAR = 512  # bytes within which imports are taken together


class Importers:
    """The files that were not taken in yet, with the words of their import statements.

    The words may be too many: what seems to import something is read again and looked at closely.
    """

    def __init__(self) -> None:
        self._unread: list[str] = []
        self._words: dict[str, bytes] = {}

    def add(self, path: str, data: bytes | bytearray, size: int) -> None:
        """Note a file that was read: the first `size` bytes of `data`."""
        if words := likely_words(data, size):
            self._words[path] = words

    def add_unread(self, paths: Iterable[str]) -> None:
        """Note files that have to be read again should the question come up."""
        self._unread += paths

    def take(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, bytes]]:
        """The files, with their bytes, that import a module and hold a name that goes with it.

        `pairs` are the last part of a module's name and a name in it. What is taken once is not
        handed out again.
        """
        wanted: dict[bytes, list[bytes]] = {}
        for stem, name in dict.fromkeys(pairs):  # many modules share both
            wanted.setdefault(stem.encode(), []).append(name.encode())
        stems = frozenset(wanted)
        for path, data in scan_literals(self._unread, IMPORT):
            self.add(path, data, len(data))
        self._unread = []
        likely = [p for p, words in self._words.items() if not stems.isdisjoint(words.split())]
        found = []
        for path, data in scan_literals(likely, b""):
            words = import_words(data, len(data))
            present = stems.intersection(words.split())
            names = [b""] if _STAR in words and present else _joined(wanted, present)
            if any(name in data for name in names):
                found.append((path, data))
                del self._words[path]
        return found


def _joined(wanted: dict[bytes, list[bytes]], stems: Iterable[bytes]) -> list[bytes]:
    return [name for stem in stems for name in wanted[stem]]


def import_words(data: bytes | bytearray, size: int) -> bytes:
    """All words of the import statements of a file, and of whatever else looks like one."""
    return b" ".join(_imports(data, size)).translate(_SEPARATORS)


def likely_words(data: bytes | bytearray, size: int) -> bytes:
    """The words of `import_words`, with what stands between imports: less work, more words."""
    return b" ".join(_regions(data, size)).translate(_SEPARATORS)


def imported_modules(data: bytes) -> Iterator[str]:
    """Every dotted name that an import statement of a file may take for a module."""
    import re

    statement = re.compile(r"(?:\bfrom\s*([\w.]+)\s*)?\bimport\b([^;)]*)")
    for lines in _imports(data, len(data)):
        text = re.sub(r"#[^\n]*", "", lines.decode(errors="replace"))
        for source, names in statement.findall(text.replace("(", " ").replace("\\", " ")):
            if source:
                yield source
            prefix = source if not source or source.endswith(".") else f"{source}."
            for name in names.split(","):
                if words := name.split():
                    yield prefix + words[0]


def _imports(data: bytes | bytearray, size: int) -> Iterator[bytes | bytearray]:
    end = 0
    while (at := data.find(IMPORT, end, size)) >= 0:
        start = data.rfind(b"\n", 0, at) + 1
        end = _line_end(data, at, size)
        if data.find(b"(", at, end) >= 0:
            end = max(end, _closing(data, at, size, at))
        yield data[start : (end := _continued(data, end, size))]


def _regions(data: bytes | bytearray, size: int) -> Iterator[bytes | bytearray]:
    end = 0
    while (at := data.find(IMPORT, end, size)) >= 0:
        start = data.rfind(b"\n", 0, at) + 1
        last = data.rfind(IMPORT, at, min(at + _NEAR, size))
        end = _reach(data, start, at if last < 0 else last, size)
        yield data[start:end]


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
