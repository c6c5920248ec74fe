"""One file between its bytes and its text, and between its text and its tree.

Text keeps every newline as it is: what is decoded and encoded again is the same bytes, or it is
an error that says so.
"""

from __future__ import annotations

import ast
import codecs
import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOM = codecs.BOM_UTF8
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:#|$)")
_NEWLINE = re.compile(rb"\r\n|\r|\n")


class SourceError(Exception):
    """A file that cannot be read as text or as Python; nothing of it is changed.

    `line` counts from 1 and is 0 where no line can be named. `way_out` is what a person can do.
    """

    def __init__(self, path: str, line: int, message: str, way_out: str) -> None:
        super().__init__(path, line, message, way_out)
        self.path = path
        self.line = line
        self.message = message
        self.way_out = way_out

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.message}; {self.way_out}"


class Source(NamedTuple):
    """The text of a file, with what is needed to write it back.

    `encoding` is the name that Python knows it by, `bom` whether the file begins with the UTF-8
    mark (which `text` leaves out), `newline` what most of its lines end in.
    """

    path: str
    text: str
    encoding: str
    bom: bool
    newline: str
    is_python: bool = True

    def encode(self, text: str) -> bytes:
        """The bytes of a changed text of this file.

        Raises SourceError where the file's encoding has no way to write a character, or where
        the change moved the line that declares the encoding out of its place.
        """
        try:
            data = text.encode(self.encoding)
        except UnicodeEncodeError as error:
            line = text.count("\n", 0, error.start) + 1
            character = text[error.start]
            raise SourceError(
                self.path,
                line,
                f"the rewritten text has {character!r}, which {self.encoding} cannot express",
                "save the file as UTF-8 and run again",
            ) from None
        data = _BOM + data if self.bom else data
        if self.is_python and _encoding(self.path, data)[0] != self.encoding:
            raise SourceError(
                self.path,
                1,
                "the rewritten text would no longer declare its encoding",
                "migrate this file by hand, or save it as UTF-8 and run again",
            )
        return data


def decode(path: str, data: bytes, *, is_python: bool = True) -> Source:
    """Read the bytes of a file: as Python does, or as UTF-8 where it is no Python.

    Raises SourceError for an encoding that is unknown or not kept to, and for null bytes.
    """
    if (at := data.find(b"\0")) >= 0:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise SourceError(path, 0, "the file is UTF-16", "save it as UTF-8 and run again")
        message = "the file holds a null byte, so it is no text"
        raise SourceError(path, _line(data, at), message, "remove the byte or exclude the file")
    encoding, bom = _encoding(path, data) if is_python else ("utf-8", data.startswith(_BOM))
    body = data[len(_BOM) :] if bom else data
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(path, body, error) from None
    except (UnicodeError, LookupError, ValueError) as error:
        raise SourceError(
            path, 1, f"{encoding} cannot read the file: {error}", "correct the coding line"
        ) from None
    source = Source(path, text, encoding, bom, _newline(text), is_python)
    if encoding != "utf-8" and source.encode(text) != data:
        raise SourceError(
            path,
            1,
            f"the file does not come back the same through its encoding {encoding}",
            "save it as UTF-8 and run again",
        )
    return source


def parse(source: Source) -> ast.Module:
    """The tree of a file. Wrap the loop over files in `quiet_parsing` to keep warnings away.

    Raises SourceError for what this Python cannot parse, with the reason as far as it is known.
    """
    try:
        return ast.parse(source.text, source.path)
    except SyntaxError as error:
        from codemods.syntax import explain  # its patterns cost more than reading a small file

        message, way_out = explain(error, source.text)
        raise SourceError(source.path, error.lineno or 0, message, way_out) from None
    except (RecursionError, MemoryError):
        raise SourceError(
            source.path,
            0,
            "the code is nested too deeply for Python's parser",
            "split the expression, or exclude the file if it is generated",
        ) from None
    except ValueError as error:
        raise SourceError(
            source.path, 0, f"the file cannot be parsed: {error}", "correct or exclude the file"
        ) from None


@contextmanager
def quiet_parsing() -> Iterator[None]:
    """Keep the warnings about the code that is parsed (`"\\d"`) from the user of the tool."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _encoding(path: str, data: bytes) -> tuple[str, bool]:
    """The encoding that Python reads a file in, and whether it begins with the UTF-8 mark."""
    bom = data.startswith(_BOM)
    head = data[len(_BOM) if bom else 0 :][:4096]
    declared = _declared(head) if b"coding" in head else None
    if declared is None:
        return "utf-8", bom
    name, line = declared
    try:
        codec = codecs.lookup(name)
        "".encode(name)  # fails for what is no text encoding, such as hex
    except (LookupError, UnicodeError, ValueError):
        message = f"unknown encoding {name!r} in the coding line"
        raise SourceError(path, line, message, "correct the coding line") from None
    if bom and codec.name != "utf-8":
        message = f"the coding line says {name}, but the file begins with the mark of UTF-8"
        raise SourceError(path, line, message, "remove the coding line or the mark")
    return codec.name, bom


def _declared(head: bytes) -> tuple[str, int] | None:
    """What the first two lines say the encoding is (PEP 263), and on which line."""
    for number, line in enumerate(_NEWLINE.split(head, 2)[:2], start=1):
        if found := _COOKIE.match(line):
            return found[1].decode("ascii", "replace"), number
        if not _BLANK.match(line):
            break
    return None


def _undecodable(path: str, body: bytes, error: UnicodeDecodeError) -> SourceError:
    line = _line(body, error.start)
    column = error.start - (body.rfind(b"\n", 0, error.start) + 1) + 1
    byte = body[error.start]
    return SourceError(
        path,
        line,
        f"byte 0x{byte:02x} at column {column} is not {error.encoding}",
        "save the file as UTF-8, or declare its encoding in a coding line",
    )


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def _newline(text: str) -> str:
    """What most lines end in."""
    windows = text.count("\r\n")
    unix = text.count("\n") - windows
    mac = text.count("\r") - windows
    if windows > unix and windows >= mac:
        return "\r\n"
    return "\r" if mac > unix else "\n"
