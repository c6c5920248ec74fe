"""The text of a notebook's code cell: what of it is Python, and what IPython reads itself."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from codemods.source import quiet_parsing

_LINE_MAGIC = re.compile(r"\s*(?:[%!?]|[\w.%]+\?{1,2}\s*$)")
_ASSIGNED = re.compile(r"(?P<name>\s*[\w.,\[\]'\" ]+=\s*)(?P<magic>[!%][^=].*)", re.DOTALL)
_CELL_MAGIC = re.compile(r"\s*%%(?P<name>\w+)")
_PYTHON = frozenset(
    {"capture", "debug", "memit", "mprun", "prun", "px", "snakeviz", "time", "timeit", "python"}
)
SHELLS = frozenset({"bash", "sh", "script", "system", "sx", "cmd", "!"})
_MARK = "__agl_migrate_line_"


class Cell(NamedTuple):
    """A code cell with everything that is no Python out of the way.

    `lines` are its lines, each with its end; `hidden` are those for which a name stands in
    `lines`, as they were, by that name. `kind` is `python`, `shell` or `other`.
    """

    kind: str
    lines: list[str]
    hidden: dict[str, str]

    @property
    def text(self) -> str:
        """What Python reads of the cell."""
        return "".join(self.lines)

    def restored(self, text: str) -> str | None:
        """A changed text with the hidden parts back in place; None where one got lost."""
        for name, line in self.hidden.items():
            if text.count(name) != 1:
                return None
            text = text.replace(name, line)
        return text


def read(text: str, number: int) -> Cell:
    """Sort out a cell's text; `number` makes the names in it unlike those of other cells."""
    lines = text.split("\n")
    rows = [line + "\n" for line in lines[:-1]] + [lines[-1]]
    first = next((line for line in lines if line.strip()), "")
    magic = _CELL_MAGIC.match(first)
    if magic is not None and magic["name"] not in _PYTHON:
        return _opaque(rows, "shell" if magic["name"] in SHELLS else "other", number)
    hidden: dict[str, str] = {}
    while True:
        wrong = _first_wrong("".join(rows))
        if wrong is None:
            return Cell("python", rows, hidden)
        if not 0 < wrong <= len(rows) or not _hide(rows, wrong - 1, hidden, number):
            return _opaque([line + "\n" for line in lines[:-1]] + [lines[-1]], "other", number)


def _first_wrong(text: str) -> int | None:
    """The line at which a text stops to be Python; None if it is."""
    try:
        with quiet_parsing():
            ast.parse(text)
    except SyntaxError as error:
        return error.lineno or 0
    except (ValueError, RecursionError, MemoryError):
        return 0
    return None


def _hide(rows: list[str], index: int, hidden: dict[str, str], number: int) -> bool:
    """Put a name in place of the magic of a line, and of the lines that continue it."""
    while index and rows[index - 1].rstrip("\r\n").endswith("\\") and not _is_magic(rows[index]):
        index -= 1
    if not _is_magic(rows[index]):
        return False
    assigned = _ASSIGNED.fullmatch(rows[index].rstrip("\r\n"))
    indent = rows[index][: len(rows[index]) - len(rows[index].lstrip())]
    lead = assigned["name"] if assigned is not None else indent
    goes_on = True
    while goes_on and index < len(rows):
        body = rows[index].rstrip("\r\n")
        goes_on = body.endswith("\\")
        name = f"{_MARK}{number}_{index}__"
        hidden[name] = body[len(lead) :] if body.startswith(lead) else body.lstrip()
        rows[index] = lead + name + rows[index][len(body) :]
        lead = indent
        index += 1
    return True


def _is_magic(row: str) -> bool:
    if _MARK in row:
        return False
    body = row.rstrip("\r\n")
    return _LINE_MAGIC.match(body) is not None or _ASSIGNED.fullmatch(body) is not None


def _opaque(rows: list[str], kind: str, number: int) -> Cell:
    """A cell without any Python: every line that holds something is hidden."""
    hidden: dict[str, str] = {}
    for index, row in enumerate(rows):
        body = row.rstrip("\r\n")
        if body.strip():
            name = f"{_MARK}{number}_{index}__"
            hidden[name] = body
            rows[index] = name + row[len(body) :]
    return Cell(kind, rows, hidden)
