"""Markdown and reStructuredText: the code in it by the rules, the prose as findings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from difflib import SequenceMatcher

from codemods.finding import Finding
from codemods.formats.blocks import Block, directives, fenced
from codemods.formats.code import joined, parsed, run_rules, split
from codemods.formats.configs import config
from codemods.formats.page import Page, Spot
from codemods.formats.pins import LISTS
from codemods.formats.prose import prose
from codemods.formats.shell import shell
from codemods.formats.toml_pins import toml
from codemods.legacy.dotted import judge

_PROMPT = re.compile(r"\s*>>> ")
_IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t]+agentlightning\b", re.MULTILINE)
_DATA = ("shell", "yaml", "json", "ini", "toml", "requirements")
_AUTODOC = re.compile(
    r"^[ \t]*(?::::|\.\.[ \t]+(?:auto\w+|currentmodule|module)::)[ \t]+"
    r"(?P<path>agentlightning(?:\.\w+)+)[ \t]*\r?$",
    re.MULTILINE,
)


def markdown(page: Page) -> None:
    """A Markdown text: what is between its fences, directives of mkdocstrings, and the rest."""
    _document(page, fenced(page))


def rst(page: Page) -> None:
    """A reStructuredText: what is below its directives for code, and the rest."""
    _document(page, directives(page))


def _document(page: Page, blocks: Iterable[Block]) -> None:
    code: list[tuple[int, int]] = []
    commands: list[tuple[int, int]] = []
    before = ""
    for block in blocks:
        if _is_python(block):
            if parsed(block.code) is None:
                continue
            if "agentlightning" in block.code:
                _alone(page, block)
                before = block.code if _IMPORT.search(block.code) else before
            elif before:
                _behind(page, block, before)
                if not _imported(before) & _imported(block.code):
                    before += block.code
            code.append(block.span)
        elif block.kind in _DATA:
            commands.append(block.span)
            view = page.within([block.span])
            if block.kind == "toml":
                toml(view)
            elif block.kind in LISTS:
                LISTS[block.kind](view)
            config(view, block.kind)
            shell(view)
    page.add(_references(page))
    outside = page.within(_outside(page, sorted([*code, *commands])))
    shell(outside, in_prose=True)
    prose(page.within(_outside(page, code)))


def _outside(page: Page, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    position = 0
    for start, end in spans:
        yield position, start
        position = end
    yield position, len(page.text)


def _references(page: Page) -> Iterator[Spot]:
    """Directives that have the documentation of a name put in."""
    for found in _AUTODOC.finditer(page.text):
        verdict = judge(found["path"], page.asked.options.target, "module")
        if verdict is not None:
            yield Spot(
                *found.span("path"),
                "AGL123",
                verdict.message,
                verdict.new,
                verdict.reason,
                verdict.applicability,
                symbol=verdict.path,
            )


def _is_python(block: Block) -> bool:
    """Whether a block says, or shows, that it is Python and nobody's session with it."""
    if any(_PROMPT.match(row.text) for row in block.rows):
        return False
    return block.kind == "python" or (not block.kind and bool(_IMPORT.search(block.code)))


def _imported(code: str) -> set[str]:
    """The names that a piece of code imports: one of another library hides ours."""
    found = [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name for node in found for alias in node.names}


def _alone(page: Page, block: Block) -> None:
    """Run the rules on a block that stands for itself."""
    tree = ast.parse(block.code)
    result = run_rules(page.shown, block.code, tree, page.asked)
    edits = [] if result.text is None else _edits(block, result.text)
    page.embed([_placed(block, found) for found in result.findings], edits)


def _behind(page: Page, block: Block, before: str) -> None:
    """Run the rules on a block that goes on where earlier ones ended."""
    both = joined([before, block.code])
    tree = parsed(both)
    if tree is None:
        return
    lines = both[: both.index(block.code, len(before))].count("\n")
    result = run_rules(page.shown, both, tree, page.asked)
    findings = [
        replace(found, line=found.line - lines, end_line=found.end_line - lines)
        for found in result.findings
        if found.line > lines
    ]
    if not findings:
        return
    new = None if result.text is None else split(result.text, 2)
    if result.text is not None and (new is None or new[0] != _first(page, before)):
        reason = "it takes a change of an earlier block as well"
        findings = [
            replace(found, fixed=False, fixable=False, reason=found.reason or reason)
            for found in findings
        ]
        new = None
    page.embed([_placed(block, f) for f in findings], [] if new is None else _edits(block, new[1]))


def _first(page: Page, before: str) -> str | None:
    """What becomes of the blocks before when nothing follows them."""
    text = joined([before])
    result = run_rules(page.shown, text, ast.parse(text), page.asked)
    parts = split(text if result.text is None else result.text, 1)
    return None if parts is None else parts[0]


def _placed(block: Block, found: Finding) -> Finding:
    first = block.rows[0].line
    row = block.rows[min(found.line, len(block.rows)) - 1]
    last = block.rows[min(found.end_line, len(block.rows)) - 1]
    return replace(
        found,
        line=first + found.line - 1,
        column=found.column + len(row.text) - len(block.part(row)),
        end_line=first + found.end_line - 1,
        end_column=found.end_column + len(last.text) - len(block.part(last)),
    )


def _edits(block: Block, new: str) -> Iterator[tuple[int, int, str]]:
    """The changes of a block's lines, each with what stands in front of the block's lines."""
    old = [block.part(row) + row.end for row in block.rows]
    wanted = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", new)
    lead = block.lead
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, wanted, False).get_opcodes():
        if tag != "equal":
            start = block.rows[i1].start if i1 < len(block.rows) else block.rows[-1].stop
            end = block.rows[i2 - 1].stop if i2 > i1 else start
            lines = (lead + line if line.strip() else line for line in wanted[j1:j2])
            yield start, end, "".join(lines)
