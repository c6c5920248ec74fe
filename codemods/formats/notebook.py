"""Notebooks: the code cells as one module, each written back where it stood."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

from codemods.finding import Finding
from codemods.formats import cells, json_text
from codemods.formats.code import joined, parsed, run_rules, split
from codemods.formats.json_text import Node
from codemods.formats.page import Page
from codemods.formats.prose import prose
from codemods.formats.shell import shell

_ESCAPE = re.compile(r"\\u.{4}|\\.", re.DOTALL)

_PLAIN = {"\\n": " \n", '\\"': '""'}


class _Part(NamedTuple):
    """A code cell: where its source stands in the file, and what of it is Python.

    `places` are the indexes of its characters in the file; `number` counts all cells from 1.
    """

    source: Node
    number: int
    cell: cells.Cell
    before: str
    places: list[int]


def notebook(page: Page) -> None:
    """The rules on a notebook's code, the shell commands in it, and its prose."""
    root = json_text.read(page.shown, page.text)
    if not _is_python(root):
        return
    parts: list[_Part] = []
    texts: list[Node] = []
    for number, node in enumerate(_cells(root), 1):
        source = node.get("source") or node.get("input")
        kind = (node.get("cell_type") or node).string
        if source is not None and kind == "code":
            parts.append(_part(page, source, number))
        elif source is not None and kind == "markdown":
            texts.append(source)
    _run(page, parts)
    commands = [span for part in parts for span in _commands(part)]
    if commands:
        shell(page.within(commands, _flat))
    texts += [part.source for part in parts if part.cell.kind == "other"]
    spans = [span for source in texts for span in _strings(source)]
    if spans:
        prose(page.within(sorted(spans), _flat))


def _is_python(root: Node) -> bool:
    metadata = root.get("metadata")
    spec = metadata and metadata.get("kernelspec")
    language = spec and spec.get("language")
    name = language.string if language else "python"
    return name.lower() in ("", "python", "python3", "ipython")


def _cells(root: Node) -> Iterator[Node]:
    found = root.get("cells")
    if found is not None:
        yield from found.items
    sheets = root.get("worksheets")  # what notebooks were before their fourth format
    for sheet in sheets.items if sheets is not None else ():
        inner = sheet.get("cells")
        yield from inner.items if inner is not None else ()


def _strings(source: Node) -> list[tuple[int, int]]:
    """Where the text of a cell stands in the file, between the quotes."""
    nodes = source.items or [source]
    return [(node.start + 1, node.end - 1) for node in nodes if isinstance(node.value, str)]


def _flat(text: str) -> str:
    """Escaped text with what can be read in place of the escapes, of the same length."""
    return _ESCAPE.sub(lambda found: _PLAIN.get(found[0], " " * len(found[0])), text)


def _part(page: Page, source: Node, number: int) -> _Part:
    nodes = [node for node in source.items or [source] if isinstance(node.value, str)]
    before = "".join(node.string for node in nodes)
    places = [at for node in nodes for at in json_text.offsets(page.text, node)]
    return _Part(source, number, cells.read(before, number), before, places)


def _run(page: Page, parts: list[_Part]) -> None:
    text = joined([part.cell.text for part in parts])
    if "agentlightning" not in text:
        return
    tree = parsed(text)
    if tree is None:
        return
    result = run_rules(page.shown, text, tree, page.asked, awaits=True)
    edits: list[tuple[int, int, str]] | None = []
    if result.text is not None:
        edits = _edits(page.text, parts, result.text)
    findings = _placed(page, parts, result.findings)
    if edits is None:
        reason = "the rewrite would move code from one cell to another"
        findings = [
            f._replace(fixed=False, fixable=False, reason=f.reason or reason) for f in findings
        ]
    page.embed(findings, edits or [])


def _placed(page: Page, parts: list[_Part], findings: tuple[Finding, ...]) -> list[Finding]:
    """Findings with their places in the file, and the cell that they are about."""
    rows: list[tuple[_Part, int]] = []
    for part in parts:
        start = 0
        rows.append((part, 0))
        for row in part.before.split("\n"):
            rows.append((part, start))
            start += len(row) + 1
    placed = []
    for found in findings:
        part, _ = rows[found.line - 1]
        start = _place(part, rows, found.line, found.column)
        end = _place(part, rows, found.end_line, found.end_column)
        line, column = page.position(start)
        end_line, end_column = page.position(end)
        placed.append(
            found._replace(
                line=line,
                column=column,
                end_line=end_line,
                end_column=end_column,
                message=f"cell {part.number}: {found.message}",
            )
        )
    return placed


def _place(part: _Part, rows: list[tuple[_Part, int]], line: int, column: int) -> int:
    owner, start = rows[min(line, len(rows)) - 1]
    at = start + column - 1
    if owner is part and at < len(part.places):
        return part.places[at]
    return part.places[-1] + 1 if part.places else part.source.start


def _edits(text: str, parts: list[_Part], after: str) -> list[tuple[int, int, str]] | None:
    """The changes of the cells' strings; None where cells cannot be told apart any more."""
    pieces = split(after, len(parts))
    if pieces is None:
        return None
    edits: list[tuple[int, int, str]] = []
    for part, piece in zip(parts, pieces, strict=True):
        new = part.cell.restored(piece)
        if new is None:
            return None
        if new != part.before:
            edits += _cell_edits(text, part, new)
    return edits


def _cell_edits(text: str, part: _Part, new: str) -> Iterator[tuple[int, int, str]]:
    escapes = text.isascii() and "\\u" in text
    lines = new.split("\n")
    wanted = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    encoded = [json.dumps(line, ensure_ascii=escapes) for line in wanted]
    if isinstance(part.source.value, str):
        yield from _in_one_string(part, wanted, [line[1:-1] for line in encoded])
    else:
        yield from _in_a_list(text, part.source, wanted, encoded)


def _in_one_string(
    part: _Part, wanted: list[str], encoded: list[str]
) -> Iterator[tuple[int, int, str]]:
    old = re.findall(r"[^\n]*\n|[^\n]+", part.before)
    ends = [0]
    for line in old:
        ends.append(ends[-1] + len(line))
    places = [*part.places, part.source.end - 1]
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, wanted, False).get_opcodes():
        if tag != "equal":
            yield places[ends[i1]], places[ends[i2]], "".join(encoded[j1:j2])


def _in_a_list(
    text: str, source: Node, wanted: list[str], encoded: list[str]
) -> Iterator[tuple[int, int, str]]:
    items = source.items
    between = ", "
    if len(items) > 1:
        between = text[items[0].end : items[1].start]
    elif "\n" in text[source.start : items[0].start]:
        between = "," + text[source.start + 1 : items[0].start]
    old = [item.string for item in items]
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, wanted, False).get_opcodes():
        new = encoded[j1:j2]
        if tag == "replace":
            yield items[i1].start, items[i2 - 1].end, between.join(new)
        elif tag == "insert" and i1 < len(items):
            yield items[i1].start, items[i1].start, "".join(line + between for line in new)
        elif tag == "insert":
            yield items[-1].end, items[-1].end, "".join(between + line for line in new)
        elif tag == "delete" and i1:
            yield items[i1 - 1].end, items[i2 - 1].end, ""
        elif tag == "delete":
            last = items[i2].start if i2 < len(items) else items[-1].end
            yield items[0].start, last, ""


def _commands(part: _Part) -> Iterator[tuple[int, int]]:
    """Where the file has what the shell gets from a cell."""
    cell = part.cell
    if cell.kind == "shell":
        yield from _strings(part.source)
    if cell.kind != "python":
        return
    start = 0
    for line, row in zip(part.before.split("\n"), cell.lines, strict=False):
        if line.strip() and any(name in row for name in cell.hidden):
            yield part.places[start], part.places[start + len(line) - 1] + 1
        start += len(line) + 1
