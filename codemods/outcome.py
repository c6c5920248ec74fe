"""What came of a run: per file, and what could not be dealt with.

Named tuples, since this is imported by runs over thousands of files that find nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codemods.finding import Finding


class Problem(NamedTuple):
    """Something that went wrong with one file; it makes the command exit with 2.

    `line` counts from 1 and is 0 where there is none; `advice` is what a person can do.
    """

    path: str
    line: int
    message: str
    advice: str = ""


class Note(NamedTuple):
    """A file or folder that was passed over on purpose."""

    path: str
    reason: str


class FileOutcome(NamedTuple):
    """One file with findings. `path` is for the eye, `real` as it was opened.

    `after` are the bytes to write, None where nothing changes.
    """

    path: str
    real: str
    findings: tuple[Finding, ...]
    before: bytes
    after: bytes | None = None

    def only_checked(self) -> FileOutcome:
        """This file as `check` reports it: with what can be rewritten, and nothing written."""
        findings = tuple(finding._replace(fixed=False) for finding in self.findings)
        return self._replace(findings=findings, after=None)

    def untouched(self, reason: str) -> FileOutcome:
        """This file when it could not be rewritten after all."""
        findings = [
            f._replace(fixed=False, fixable=False, reason=f.reason or reason) for f in self.findings
        ]
        return self._replace(findings=tuple(findings), after=None)


class Outcome(NamedTuple):
    """All of a run, by path. `scanned` files were looked at, `parsed` of them had to be read."""

    files: tuple[FileOutcome, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Note, ...] = ()
    scanned: int = 0
    parsed: int = 0

    def findings(self) -> Iterator[Finding]:
        """Every finding, by path and place."""
        for file in self.files:
            yield from file.findings

    def changed(self) -> list[FileOutcome]:
        """The files with bytes to write."""
        return [file for file in self.files if file.after is not None]

    def remaining(self) -> list[Finding]:
        """The findings that nothing was rewritten for."""
        return [finding for finding in self.findings() if not finding.fixed]

    def needs_runtime(self) -> bool:
        """Whether rewritten code calls helpers of agentlightning_compat."""
        return any(f.fixed and f.applicability == "shim" for f in self.findings())
