"""One line for each finding, as compilers write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codemods.output.console import paint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codemods.finding import Finding
    from codemods.output import Report


def render(report: Report) -> Iterator[str]:
    """The findings by place, and a line that counts them."""
    outcome = report.outcome
    total = 0
    fixable = 0
    for finding in outcome.findings():
        total += 1
        fixable += finding.fixable
        yield line(finding, coloured=report.is_coloured) + "\n"
    if not total:
        yield f"No legacy use in {count(outcome.scanned, 'file')}.\n"
        return
    files = sum(1 for file in outcome.files if file.findings)
    yield f"Found {count(total, 'legacy use')} in {count(files, 'file')}.\n"
    if fixable:
        what = "all of them" if fixable == total else f"the {fixable} marked [*]"
        yield f"`agl-migrate run{report.place}` rewrites {what}.\n"


def line(finding: Finding, *, coloured: bool = False) -> str:
    """One finding: place, code, whether it is rewritten, message, and why not."""
    place = paint(f"{finding.path}:{finding.line}:{finding.column}:", "bold", on=coloured)
    code = paint(finding.code, "red", on=coloured)
    mark = paint("[*] ", "cyan", on=coloured) if finding.fixable else ""
    reason = f" ({finding.reason})" if finding.reason else ""
    return f"{place} {code} {mark}{finding.message}{reason}"


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
