"""What a person reads after a run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from codemods.output.console import paint
from codemods.output.format_text import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from codemods.finding import Finding
    from codemods.outcome import FileOutcome
    from codemods.output import Report

RUNTIME = b"agentlightning-compat"


def render(report: Report) -> Iterator[str]:
    """Files, rewrites by rule, what to review, what is left, what comes next."""
    findings = report.findings()
    if not findings and not report.outcome.changed():
        yield f"No legacy use in {count(report.outcome.scanned, 'file')}.\n"
        return
    summary = _Summary(report, findings)
    for part in (
        summary.rewritten(),
        summary.review(),
        summary.runtime(),
        summary.postponed(),
        summary.left(),
        summary.following(),
    ):
        yield from (line + "\n" for line in part)


def _lists_runtime(file: FileOutcome) -> bool:
    """Whether a run added the helpers to a file of requirements."""
    if file.after is None or file.path.endswith((".py", ".pyi")):
        return False
    return RUNTIME in file.after and RUNTIME not in file.before


def _scripts_with_requirements(files: Sequence[FileOutcome]) -> list[str]:
    """The Python files that require agentlightning, and not the helpers."""
    return [
        file.path
        for file in files
        if file.path.endswith(".py")
        and any(finding.code == "AGL124" for finding in file.findings)
        and RUNTIME not in (file.before if file.after is None else file.after)
    ]


class _Summary:
    """The parts of the text, each empty where there is nothing to say."""

    def __init__(self, report: Report, findings: Sequence[Finding]) -> None:
        from codemods.registry import all_rules

        self._report = report
        self._titles = {rule.code: rule.title for rule in all_rules()}
        self._fixed = [f for f in findings if f.fixed]
        self._postponed = [f for f in findings if not f.fixed and f.fixable]
        self._left = [f for f in findings if not f.fixed and not f.fixable]

    def rewritten(self) -> Iterator[str]:
        """How much, and how often by which rule."""
        changed = len(self._report.outcome.changed())
        is_dry = self._report.is_dry
        if not changed:
            yield self._bold("Nothing would be rewritten." if is_dry else "Nothing was rewritten.")
            return
        files = count(changed, "file")
        if not self._fixed:  # then --todo had something to say
            verb = "Would write" if is_dry else "Wrote"
            yield self._bold(f"{verb} TODO comments into {files}, and nothing else.")
            return
        verb = "Would rewrite" if is_dry else "Rewrote"
        yield self._bold(f"{verb} {count(len(self._fixed), 'legacy use')} in {files}.")
        yield ""
        yield from self._table(self._fixed)

    def review(self) -> Iterator[str]:
        """Rewrites that are right for most, and that a person should read."""
        doubtful = [f for f in self._fixed if f.applicability not in ("safe", "shim")]
        if doubtful:
            yield ""
            yield self._bold("To review, since behaviour may differ:")
            yield from self._places(doubtful)

    def runtime(self) -> Iterator[str]:
        """Rewrites that call helpers at run time, and what that means for the requirements."""
        helped = [f for f in self._fixed if f.applicability == "shim"]
        if not helped:
            return
        yield ""
        yield self._bold("To review, with helpers that agentlightning-compat has at run time:")
        yield from self._places(helped)
        if self._report.settings.target != "agentlightning":
            return
        listed = [f.path for f in self._report.outcome.changed() if _lists_runtime(f)]
        if listed:
            verb = "would be" if self._report.is_dry else "is"
            yield f"  The requirement {verb} added to {', '.join(listed)}."
            if scripts := _scripts_with_requirements(self._report.outcome.files):
                yield f"  Add it by hand to {', '.join(scripts)}."
        else:
            yield "  Your project needs agentlightning-compat as a requirement for them."

    def postponed(self) -> Iterator[str]:
        """What --safe-only kept from being rewritten."""
        if self._postponed:
            yield ""
            yield self._bold("Left out by --safe-only: a run without it rewrites these.")
            yield from self._places(self._postponed)

    def left(self) -> Iterator[str]:
        if not self._left:
            return
        yield ""
        yield self._bold(f"Left to you: {count(len(self._left), 'legacy use')}.")
        for f in self._left:
            place = paint(f"{f.path}:{f.line}:{f.column}:", "bold", on=self._coloured)
            yield f"  {place} {paint(f.code, 'red', on=self._coloured)} {f.message}"
            if f.reason:
                yield f"      {f.reason}"

    def following(self) -> Iterator[str]:
        """What to do next."""
        changed = bool(self._report.outcome.changed())
        steps = []
        if self._report.outcome.problems:
            steps.append("see to the errors below")
        if self._report.is_dry:
            if changed:
                steps.append("the same command without --diff writes this")
        elif changed:
            steps.append("read `git diff`" if self._report.is_versioned else "read what changed")
        if self._left and not self._report.is_dry:
            code = self._left[0].code
            steps.append(f"do by hand what is left (`agl-migrate explain {code}` says more)")
        if self._postponed:
            steps.append("run without --safe-only")
        if changed and not self._report.is_dry:
            steps.append("run your tests")
        if steps:
            yield ""
            yield f"Next: {', '.join(steps)}."
        if changed and not self._report.is_dry:
            yield f"`agl-migrate run --undo{self._report.place}` takes it all back."

    @property
    def _coloured(self) -> bool:
        return self._report.is_coloured

    def _bold(self, text: str) -> str:
        return paint(text, "bold", on=self._coloured)

    def _table(self, findings: Iterable[Finding]) -> Iterator[str]:
        by_code = Counter(f.code for f in findings)
        width = max((len(self._title(code)) for code in by_code), default=0)
        for code, number in sorted(by_code.items()):
            shown = paint(code, "cyan", on=self._coloured)
            yield f"  {shown}  {self._title(code):{width}}  {number:5}"

    def _title(self, code: str) -> str:
        return self._titles.get(code, "")

    def _places(self, findings: Iterable[Finding]) -> Iterator[str]:
        groups: dict[str, dict[str, list[int]]] = {}
        for f in findings:
            groups.setdefault(f.code, {}).setdefault(f.path, []).append(f.line)
        for code, files in sorted(groups.items()):
            shown = paint(code, "yellow", on=self._coloured)
            yield f"  {shown}  {self._title(code)}"
            for path, lines in files.items():
                numbers = ", ".join(str(line) for line in sorted(set(lines)))
                yield f"      {path}:{numbers}"
