"""Every rule on its fixtures: the rewrite, the findings, and what holds for all of them."""

from __future__ import annotations

import ast

import pytest

from codemods.registry import all_rules
from tests.formats.cases import Case as FormatCase
from tests.formats.cases import all_cases as all_format_cases
from tests.rules.cases import ROOT, Case, all_cases, brief

CASES = all_cases()
FORMAT_CASES = all_format_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rewrite_is_as_expected(case: Case) -> None:
    fixed = case.run(case.before)
    expected = case.before if case.after is None else case.after
    assert fixed.code == expected
    assert [brief(f) for f in fixed.findings] == case.expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_second_run_changes_nothing(case: Case) -> None:
    once = case.run(case.before)
    twice = case.run(once.code)
    assert twice.code == once.code
    assert not [f for f in twice.findings if f.fixed]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_all_rules_together_give_code_that_stays(case: Case) -> None:
    once = case.run(case.before, select=[])
    ast.parse(once.code)
    twice = case.run(once.code, select=[])
    assert twice.code == once.code


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_rule_has_words_and_fixtures(rule) -> None:
    for words in (rule.title, rule.why, rule.before, rule.after):
        assert words.strip()
    cases: list[Case | FormatCase] = [c for c in CASES if c.folder.parent.name == rule.code]
    cases += [case for case in FORMAT_CASES if case.code == rule.code]
    assert any(case.after is not None for case in cases) or rule.applicability == "manual"
    assert any(case.after is None and not case.expected for case in cases), "no no-op case"
    assert {p.name for p in ROOT.iterdir()} <= {r.code for r in all_rules()}
