"""In every file that the tool reads, each legacy use is rewritten or a finding."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

from codemods.applying import rewrite_file
from codemods.context import Options
from codemods.engine import check_file, context_for
from codemods.finding import Finding
from codemods.project import Project
from codemods.registry import all_rules
from tests.rules.cases import Case, all_cases
from tests.safety.sites import sites

PROJECTS = Path(__file__).resolve().parents[2] / "fixtures" / "projects"
# Fixtures without findings show look-alikes; what they hold was judged by a person.
CASES = [case for case in all_cases() if case.expected]


def silent(text: str, findings: tuple[Finding, ...], project: tuple[str, ...] = ()) -> list[str]:
    """The sites of a text that no finding speaks of."""
    symbols = {finding.symbol.rpartition(".")[2] for finding in findings}
    told = {line for f in findings for line in range(f.line, f.end_line + 1)}
    tree = ast.parse(text)
    found = list(sites(tree, project))
    missed = []
    for site in found:
        near = not told.isdisjoint(range(site.first, site.last + 1))
        # One finding speaks for a name's import and its other uses in the file.
        if not near and site.word not in symbols and site.word not in str(findings):
            missed.append(site)
    uses = {site.binds: [s for s in found if s.reads == site.binds] for site in missed}
    return [
        f"{site.line}: {site.word}"
        for site in missed
        # An import is as legacy as the uses of its name are, and they are all told of.
        if not uses[site.binds] or any(use in missed for use in uses[site.binds])
    ]


def modules(paths: Iterable[str]) -> tuple[str, ...]:
    """The names under which the files of a project can import each other."""
    parts = [Path(path).with_suffix("").parts for path in paths]
    return tuple(".".join(p[start:]) for p in parts for start in range(len(p)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_use_in_a_fixture_is_found(case: Case) -> None:
    options = {name: case.options[name] for name in ("path",)}
    import codemods

    found = codemods.lint_source(case.before, others=case.others, **options)
    assert silent(case.before, found, modules(case.others)) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_rewrite_leaves_is_still_found(case: Case) -> None:
    import codemods

    fixed = case.run(case.before, select=[])
    left = codemods.lint_source(fixed.code, others=case.others, path=case.options["path"])
    assert silent(fixed.code, left, modules(case.others)) == []


@pytest.mark.parametrize("name", sorted(p.name for p in PROJECTS.iterdir() if p.is_dir()))
def test_every_use_in_a_sample_project_is_rewritten_or_found(name: str) -> None:
    folder = PROJECTS / name / "before"
    project = Project(str(folder))
    for path in sorted(folder.rglob("*.py")):
        text = path.read_bytes().decode()
        project.add(str(path), text, ast.parse(text))
    own = modules(str(path.relative_to(folder)) for path in folder.rglob("*.py"))
    counted = 0
    for module in list(project.modules.values()):
        ctx = context_for(project, module, Options())
        found = check_file(ctx, all_rules(), module.path).findings
        counted += len(list(sites(module.tree, own)))
        assert silent(module.text, found, own) == []
        result = rewrite_file(ctx, all_rules(), module.path)
        if result.text is not None:
            left = tuple(f for f in result.findings if not f.fixed)
            after = [s.word for s in sites(ast.parse(result.text), own)]
            known = [w for w in after if w in str(left)]
            assert sorted(after) == sorted(known)
    assert counted, "the sample has no legacy use at all"
