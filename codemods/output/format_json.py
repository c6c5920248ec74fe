"""The report as JSON. The keys of one `schema` number never change their meaning.

schema    1; a new number for any change that a reader could trip over
tool      name and version
command   "check" or "run"
options   target, server, select, ignore, dry_run
summary   files_scanned, files_parsed, files_changed, findings, fixed, remaining, errors,
          needs_runtime (rewritten code calls agentlightning_compat),
          rules (by code: title, findings, fixed)
files     path, changed, findings (line, column, end_line, end_column count from 1, the end is
          exclusive, places are those before the run; code, message, applicability, fixable,
          fixed, reason, symbol, ran: how often, by the report of --usage, null where it says
          nothing)
errors    path, line (0 where there is none), message, advice
skipped   path, reason
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codemods.finding import Finding
    from codemods.outcome import FileOutcome
    from codemods.output import Report

SCHEMA = 1


def render(report: Report) -> Iterator[str]:
    """One JSON object."""
    yield json.dumps(content(report), indent=2) + "\n"


def content(report: Report) -> dict[str, object]:
    """The report as plain values."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        number = version("agentlightning-compat")
    except PackageNotFoundError:
        number = "unknown"
    outcome, settings = report.outcome, report.settings
    return {
        "schema": SCHEMA,
        "tool": {"name": "agl-migrate", "version": number},
        "command": report.command,
        "options": {
            "target": settings.target,
            "server": settings.server,
            "select": list(settings.select),
            "ignore": list(settings.ignore),
            "dry_run": report.is_dry,
        },
        "summary": _summary(report),
        "files": [_file(report, file) for file in outcome.files],
        "errors": [problem._asdict() for problem in outcome.problems],
        "skipped": [note._asdict() for note in outcome.notes],
    }


def _summary(report: Report) -> dict[str, object]:
    outcome = report.outcome
    findings = list(outcome.findings())
    fixed = sum(f.fixed for f in findings)
    return {
        "files_scanned": outcome.scanned,
        "files_parsed": outcome.parsed,
        "files_changed": len(outcome.changed()),
        "findings": len(findings),
        "fixed": fixed,
        "remaining": len(findings) - fixed,
        "errors": len(outcome.problems),
        "needs_runtime": outcome.needs_runtime(),
        "rules": _rules(findings),
    }


def _rules(findings: list[Finding]) -> dict[str, object]:
    if not findings:
        return {}
    from codemods.registry import all_rules

    titles = {rule.code: rule.title for rule in all_rules()}
    return {
        code: {
            "title": titles.get(code, ""),
            "findings": sum(f.code == code for f in findings),
            "fixed": sum(f.code == code and f.fixed for f in findings),
        }
        for code in sorted({f.code for f in findings})
    }


def _file(report: Report, file: FileOutcome) -> dict[str, object]:
    lines = [finding.line for finding in report.placed(file)]
    return {
        "path": file.path,
        "changed": file.after is not None,
        "findings": [
            _finding(finding) | {"line_now": line}
            for finding, line in zip(file.findings, lines, strict=True)
        ],
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {name: value for name, value in finding._asdict().items() if name != "path"}
