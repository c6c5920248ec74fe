"""What a syntax error means to a person: an old Python, a newer Python, or a mistake."""

from __future__ import annotations

import re
import sys
from typing import NamedTuple


class _Sign(NamedTuple):
    """What a line that did not parse looks like in some Python, from `since` on."""

    since: tuple[int, int]
    what: str
    pattern: re.Pattern[str]


# The first group of words is Python 2 in any position where Python 3 fails on the line.
_PYTHON_2 = (
    ("a print statement", re.compile(r"(?:^|[:;])\s*print\s+[^\s=(.,\[]|(?:^|[:;])\s*print\s*>>")),
    ("an exec statement", re.compile(r"(?:^|[:;])\s*exec\s+[\"'\w]")),
    ("`except X, e`", re.compile(r"^\s*except\s+(?:[\w.]+|\(.*\))\s*,\s*\w+\s*:")),
    ("`raise X, message`", re.compile(r"^\s*raise\s+[\w.]+\s*,")),
    ("backticks", re.compile(r"`[^`]+`")),
    ("the operator <>", re.compile(r"[\w)\]]\s*<>\s*[\w(\[]")),
    ("an octal number or a long of Python 2", re.compile(r"(?<![\w.])(?:0[0-7]+|\d+[lL])\b")),
    ("a ur string", re.compile(r"\b[uU][rR][\"']")),
)
_NEWER = (
    _Sign((3, 11), "except*", re.compile(r"^\s*except\s*\*")),
    _Sign((3, 11), "a starred index", re.compile(r"\[[^\]]*\*\w")),
    _Sign((3, 12), "a type statement", re.compile(r"^\s*type\s+\w+\s*(?:\[.*\])?\s*=")),
    _Sign(
        (3, 13), "a type parameter with a default", re.compile(r"\b(?:def|class)\s+\w+\[.*=.*\]")
    ),
    _Sign((3, 12), "type parameters", re.compile(r"^\s*(?:async\s+def|def|class)\s+\w+\s*\[")),
    _Sign((3, 14), "a template string", re.compile(r"(?<!\w)(?:[rR]?[tT]|[tT][rR])[\"']")),
    _Sign((3, 14), "`except A, B:`", re.compile(r"^\s*except\s+[\w.]+(?:\s*,\s*[\w.]+){2,}\s*:")),
)
_FORMATTED = re.compile(r"(?<!\w)(?:[rR]?[fF]|[fF][rR])[\"']")


def explain(error: SyntaxError, text: str) -> tuple[str, str]:
    """A message and a way out for a syntax error that this Python found in a text."""
    message = error.msg or "invalid syntax"
    line = _line_of(error, text)
    for what, pattern in _PYTHON_2:
        if pattern.search(line):
            return f"this looks like Python 2 ({what})", "move the file to Python 3 first"
    newer = _newer(line, message)
    if newer is not None:
        since, what = newer
        version = "{}.{}".format(*since)
        running = "{}.{}".format(*sys.version_info)
        return (
            f"this looks like {what}, which needs Python {version} (running on {running})",
            f"install and run the tool under Python {version} or newer",
        )
    return f"syntax error: {message}", "correct the file and run again"


def _newer(line: str, message: str) -> tuple[tuple[int, int], str] | None:
    for since, what, pattern in _NEWER:
        if sys.version_info < since and pattern.search(line):
            return since, what
    is_cut = "unterminated" in message or "f-string" in message
    if sys.version_info < (3, 12) and is_cut and _FORMATTED.search(line):
        return (3, 12), "an f-string with quotes, newlines or backslashes inside its braces"
    return None


def _line_of(error: SyntaxError, text: str) -> str:
    """The line of the error; not taken from the error, whose text is cut for f-strings."""
    lines = re.split(r"\r\n|\r|\n", text)
    number = error.lineno or 0
    return lines[number - 1] if 0 < number <= len(lines) else ""
