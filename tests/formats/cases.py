"""The fixtures of files that are no Python: `fixtures/formats/<CODE>/<case>/`.

before.<ext>   the file (its name is `path` of case.json, else `before.<ext>` itself)
after.<ext>    what becomes of it; absent when it must stay untouched
findings.json  what is reported
case.json      optional: {"path": ..., "select": [...], "target": ..., "server": ..., "runtime":
               true, "safe_only": true}
others/        optional: Python files of the project, by relative path

`python -m tests.formats.cases CODE/case ...` writes after and findings.json from what the tool
does now, for reading and committing.
"""

from __future__ import annotations

import ast
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codemods import formats
from codemods.context import Options
from codemods.finding import Finding
from codemods.project import Project
from codemods.registry import select
from tests.rules.cases import brief

ROOT = Path(__file__).resolve().parents[2] / "fixtures" / "formats"


@dataclass(frozen=True)
class Case:
    """One fixture folder."""

    folder: Path

    @property
    def code(self) -> str:
        return self.folder.parent.name

    @property
    def name(self) -> str:
        return f"{self.code}/{self.folder.name}"

    @property
    def before_path(self) -> Path:
        return next(self.folder.glob("before*"))

    @property
    def after_path(self) -> Path:
        return self.folder / self.before_path.name.replace("before", "after", 1)

    @property
    def before(self) -> bytes:
        return self.before_path.read_bytes()

    @property
    def after(self) -> bytes | None:
        return self.after_path.read_bytes() if self.after_path.exists() else None

    @property
    def expected(self) -> list[dict[str, Any]]:
        return json.loads((self.folder / "findings.json").read_text())

    def run(self, data: bytes, **changes: Any) -> tuple[tuple[Finding, ...], bytes | None]:
        path = self.folder / "case.json"
        given = {"path": self.before_path.name, "select": [self.code]}
        given |= (json.loads(path.read_text()) if path.exists() else {}) | changes
        asked = formats.Asked(
            Options(given.get("target", "agentlightning"), given.get("server", "store")),
            select(given["select"]),
            self._project(),
            safe_only=given.get("safe_only", False),
            runtime=given.get("runtime", False),
        )
        return formats.check(given["path"], data, asked)

    def _project(self) -> Project:
        project = Project(".")
        base = self.folder / "others"
        for path in sorted(base.rglob("*.py")):
            text = path.read_text()
            project.add(str(path.relative_to(base)), text, ast.parse(text))
        return project


def all_cases() -> list[Case]:
    return [Case(f.parent) for f in sorted(ROOT.glob("*/*/findings.json"))]


def accept(case: Case) -> None:
    """Write what the tool does now into the fixture."""
    findings, after = case.run(case.before)
    case.after_path.unlink(missing_ok=True)
    if after is not None:
        case.after_path.write_bytes(after)
    rows = ",\n  ".join(json.dumps(brief(f)) for f in findings)
    (case.folder / "findings.json").write_text(f"[\n  {rows}\n]\n" if rows else "[]\n")


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        for folder in sorted({f.parent for f in ROOT.glob("*/*/before*")}):
            found = Case(folder)
            if wanted in (found.name, found.code):
                accept(found)
                print(f"== {found.name}")
                print(found.after.decode() if found.after is not None else "(untouched)")
                print((found.folder / "findings.json").read_text())
