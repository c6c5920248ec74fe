"""Blocks of code in Markdown and reStructuredText: where they stand and what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from codemods.formats.page import Page

_ROW = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)?")
_FENCE = re.compile(
    r"(?P<lead>[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$"
)
_DIRECTIVE = re.compile(
    r"(?P<lead>[ \t]*)\.\.[ \t]+(?:code-block|code|sourcecode|ipython|prompt|highlight)::"
    r"[ \t]*(?P<info>\S*)"
)
_OPTION = re.compile(r"\s*:[\w-]+:")
_LANGUAGE = re.compile(r"[{.\s]*(?:code-cell\}?\s*|code-block\}?\s*|code\}?\s*)?(?P<name>[\w+-]*)")
_KINDS = {
    **dict.fromkeys(("python", "py", "python3", "py3", "ipython", "ipython3"), "python"),
    **dict.fromkeys(
        ("bash", "sh", "shell", "zsh", "console", "shell-session", "terminal"), "shell"
    ),
    **dict.fromkeys(("dockerfile", "docker", "makefile", "make", "powershell", "bat"), "shell"),
    **dict.fromkeys(("yaml", "yml"), "yaml"),
    **dict.fromkeys(("json", "jsonc", "json5"), "json"),
    **dict.fromkeys(("ini", "cfg"), "ini"),
    **dict.fromkeys(("requirements", "pip-requirements"), "requirements"),
    "toml": "toml",
}


class Row(NamedTuple):
    """A line at `start`, the `line`th of the text from 1: its text, and its end."""

    line: int
    start: int
    text: str
    end: str

    @property
    def stop(self) -> int:
        """Where the next line begins."""
        return self.start + len(self.text) + len(self.end)


class Block(NamedTuple):
    """The lines of a block of code; `lead` is what stands in front of each of them.

    `kind` is empty where the text does not say what the block is, and `other` for what is not
    looked at.
    """

    kind: str
    lead: str
    rows: list[Row]

    @property
    def code(self) -> str:
        """The code, without what stands in front of its lines."""
        return "".join(self.part(row) + row.end for row in self.rows)

    def part(self, row: Row) -> str:
        """The code of one line."""
        return row.text[len(self.lead) :] if row.text.startswith(self.lead) else row.text.lstrip()

    @property
    def span(self) -> tuple[int, int]:
        """Where the block stands in the text."""
        return (self.rows[0].start, self.rows[-1].stop) if self.rows else (0, 0)


def fenced(page: Page) -> Iterator[Block]:
    """The blocks between fences of a Markdown text."""
    rows = iter(_rows(page.text))
    for row in rows:
        opened = _FENCE.match(row.text)
        if opened is None:
            continue
        inner: list[Row] = []
        closing = re.compile(rf"[ \t>]*{re.escape(opened['mark'])}[`~]*[ \t]*$")
        for line in rows:
            if closing.match(line.text):
                break
            inner.append(line)
        lead = re.sub(r"[^ \t>]", " ", opened["lead"])
        yield Block(_kind(opened["info"]), lead, inner)


def directives(page: Page) -> Iterator[Block]:
    """The indented blocks below the directives of reStructuredText."""
    rows = _rows(page.text)
    index = 0
    while index < len(rows):
        found = _DIRECTIVE.match(rows[index].text)
        index += 1
        if found is None:
            continue
        outer = len(found["lead"].expandtabs())
        start = index
        while index < len(rows) and (not rows[index].text.strip() or _indent(rows[index]) > outer):
            index += 1
        inner = rows[start:index]
        while inner and (not inner[0].text.strip() or _OPTION.match(inner[0].text)):
            inner = inner[1:]
        while inner and not inner[-1].text.strip():
            inner = inner[:-1]
        if inner:
            lead = inner[0].text[: len(inner[0].text) - len(inner[0].text.lstrip())]
            yield Block(_kind(found["info"]), lead, inner)


def _rows(text: str) -> list[Row]:
    rows: list[Row] = []
    for found in _ROW.finditer(text):
        body = found[0].rstrip("\r\n")
        if found[0]:
            rows.append(Row(len(rows) + 1, found.start(), body, found[0][len(body) :]))
    return rows


def _indent(row: Row) -> int:
    shown = row.text.expandtabs()
    return len(shown) - len(shown.lstrip())


def _kind(info: str) -> str:
    found = _LANGUAGE.match(info.strip())
    name = found["name"].lower() if found else ""
    return _KINDS.get(name, "other") if name or info.strip() else ""
