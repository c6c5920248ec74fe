"""The fixtures of the rules: `fixtures/rules/<CODE>/<case>/`.

before.py      the source that the rule sees (or `before_path` of case.json names its place)
after.py       what becomes of it; absent when it must stay untouched
findings.json  what is reported: line, code, applicability, fixable, and a part of the message
case.json      optional: {"select": [...], "target": ..., "server": ..., "path": "pkg/mod.py"}
others/        optional: further files of the project, by relative path

`python -m tests.rules.cases CODE/case ...` writes after.py and findings.json from what the tool
does now, for reading and committing.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import codemods
from codemods.finding import Finding

ROOT = Path(__file__).resolve().parents[2] / "fixtures" / "rules"


@dataclass(frozen=True)
class Case:
    """One fixture folder."""

    folder: Path

    @property
    def name(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}"

    @property
    def before(self) -> str:
        return read(self.folder / "before.py")

    @property
    def after(self) -> str | None:
        path = self.folder / "after.py"
        return read(path) if path.exists() else None

    @property
    def expected(self) -> list[dict[str, Any]]:
        return json.loads((self.folder / "findings.json").read_text())

    @property
    def options(self) -> dict[str, Any]:
        path = self.folder / "case.json"
        given = json.loads(path.read_text()) if path.exists() else {}
        return {"select": [self.folder.parent.name], "path": "source.py"} | given

    @property
    def others(self) -> dict[str, str]:
        base = self.folder / "others"
        return {str(p.relative_to(base)): read(p) for p in sorted(base.rglob("*.py"))}

    def run(self, code: str, **changes: Any) -> codemods.Fixed:
        return codemods.fix_source(code, others=self.others, **(self.options | changes))


def read(path: Path) -> str:
    """The text of a file with its line endings as they are."""
    return path.read_bytes().decode()


def all_cases() -> list[Case]:
    return [Case(f.parent) for f in sorted(ROOT.glob("*/*/before.py"))]


def brief(finding: Finding) -> dict[str, Any]:
    full = finding._asdict()
    names = ("line", "code", "applicability", "fixable", "fixed", "message", "reason")
    return {name: full[name] for name in names if full[name] != ""}


def accept(case: Case) -> None:
    """Write what the tool does now into the fixture."""
    fixed = case.run(case.before)
    after = case.folder / "after.py"
    if fixed.code == case.before:
        after.unlink(missing_ok=True)
    else:
        after.write_bytes(fixed.code.encode())
    rows = ",\n  ".join(json.dumps(brief(f)) for f in fixed.findings)
    (case.folder / "findings.json").write_text(f"[\n  {rows}\n]\n" if rows else "[]\n")


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        for found in all_cases():
            if wanted in (found.name, found.folder.parent.name):
                accept(found)
                print(f"== {found.name}")
                print(found.after if found.after is not None else "(untouched)")
                print((found.folder / "findings.json").read_text())
