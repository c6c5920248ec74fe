"""What a person reads after a run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from codemods.output.console import paint
from codemods.output.format_text import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from codemods.finding import Finding
    from codemods.output import Report


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
        summary.postponed(),
        summary.left(),
        summary.runtime(),
        summary.following(),
    ):
        yield from (line + "\n" for line in part)


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
        changed = len(self._report.outcome.changed())
        verb = "Would rewrite" if self._report.is_dry else "Rewrote"
        if not changed:
            yield self._bold("Nothing was rewritten.")
            return
        places = count(len(self._fixed), "legacy use")
        yield self._bold(f"{verb} {places} in {count(changed, 'file')}.")
        yield ""
        yield from self._table(self._fixed)

    def review(self) -> Iterator[str]:
        doubtful = [f for f in self._fixed if f.applicability != "safe"]
        if doubtful:
            yield ""
            yield self._bold("To review, since behaviour may differ:")
            yield from self._places(doubtful)

    def postponed(self) -> Iterator[str]:
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

    def runtime(self) -> Iterator[str]:
        if self._report.outcome.needs_runtime():
            files = {f.path for f in self._fixed if f.applicability == "shim"}
            yield ""
            yield self._bold("agentlightning-compat is a runtime dependency now:")
            yield f"  helpers of it are called in {count(len(files), 'file')}; add it as one."

    def following(self) -> Iterator[str]:
        yield ""
        if self._report.is_dry:
            yield "Next: `agl-migrate run` without --diff writes this."
            return
        changed = bool(self._report.outcome.changed())
        steps = ["read `git diff`"] if changed else []
        if self._left:
            code = self._left[0].code
            steps.append(f"do by hand what is left (`agl-migrate explain {code}` says more)")
        if self._postponed:
            steps.append("run without --safe-only")
        if changed:
            steps.append("run your tests")
        yield f"Next: {', '.join(steps)}."
        if changed:
            yield "`agl-migrate run --undo` takes it all back."

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
        groups: dict[tuple[str, str], dict[str, list[int]]] = {}
        for f in findings:
            files = groups.setdefault((f.code, f.applicability), {})
            files.setdefault(f.path, []).append(f.line)
        for (code, applicability), files in sorted(groups.items()):
            shown = paint(code, "yellow", on=self._coloured)
            yield f"  {shown}  {self._title(code)} ({applicability})"
            for path, lines in files.items():
                numbers = ", ".join(str(line) for line in sorted(set(lines)))
                yield f"      {path}:{numbers}"
