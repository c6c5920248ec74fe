"""Markdown and reStructuredText: the code in it by the rules, the prose as findings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from codemods.finding import Finding
from codemods.formats.blocks import Block, Row, directives, fenced
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
    code: list[Block] = []
    commands: list[Block] = []
    for block in blocks:
        if _is_python(block):
            code += [block] if parsed(block.code) is not None else []
        elif block.kind in _DATA:
            commands.append(block)
            _data(page.within([block.span]), block.kind)
    for group in _groups(code):
        _run(page, group)
    page.add(_references(page))
    of_code = [block.span for block in code]
    of_all = sorted([*of_code, *(block.span for block in commands)])
    shell(page.within(_outside(page, of_all)), in_prose=True)
    prose(page.within(_outside(page, of_code)))


def _data(view: Page, kind: str) -> None:
    if kind == "toml":
        toml(view)
    elif kind in LISTS:
        LISTS[kind](view)
    config(view, kind)
    shell(view)


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
    if not block.rows or any(_PROMPT.match(row.text) for row in block.rows):
        return False
    return block.kind == "python" or (not block.kind and bool(_IMPORT.search(block.code)))


def _groups(blocks: list[Block]) -> list[list[Block]]:
    """The blocks that belong together: one with the imports, and those that go on behind it."""
    groups: list[list[Block]] = []
    names: set[str] = set()
    for block in blocks:
        if _IMPORT.search(block.code):
            groups.append([block])
            names = _imported(block.code)
        elif groups and not names & _imported(block.code):
            groups[-1].append(block)
        elif "agentlightning" in block.code:
            groups.insert(0, [block])
    return groups


def _imported(code: str) -> set[str]:
    """The names that a piece of code imports: one of another library hides ours."""
    found = [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name for node in found for alias in node.names}


def _run(page: Page, group: list[Block]) -> None:
    """Run the rules on the code of some blocks as if it were one."""
    text = joined([block.code for block in group])
    result = run_rules(page.shown, text, ast.parse(text), page.asked)
    findings = _placed(group, result.findings)
    new = None if result.text is None else split(result.text, len(group))
    if result.text is not None and new is None:
        reason = "the rewrite would move code from one block to another"
        findings = [
            found._replace(fixed=False, fixable=False, reason=found.reason or reason)
            for found in findings
        ]
    edits = [
        edit for block, code in zip(group, new or (), strict=False) for edit in _edits(block, code)
    ]
    page.embed(findings, edits)


def _placed(group: list[Block], findings: Iterable[Finding]) -> list[Finding]:
    """Findings in the joined code with their places in the text."""
    rows: list[tuple[Block, Row]] = []
    for block in group:
        rows += [(block, row) for row in (block.rows[0], *block.rows)]
        if block.rows[-1].end:
            rows.append((block, block.rows[-1]))  # `joined` ends the last line once more
    return [_moved(found, rows) for found in findings]


def _moved(found: Finding, rows: list[tuple[Block, Row]]) -> Finding:
    block, row = rows[found.line - 1]
    _, last = rows[found.end_line - 1]
    return found._replace(
        line=row.line,
        column=found.column + len(row.text) - len(block.part(row)),
        end_line=last.line,
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
