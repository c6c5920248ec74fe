"""Every kind of file on its fixtures: the rewrite, the findings, and what holds for all."""

from __future__ import annotations

import pytest

from codemods.registry import all_rules
from tests.formats.cases import ROOT, Case, all_cases
from tests.rules.cases import brief

CASES = all_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rewrite_is_as_expected(case: Case) -> None:
    findings, after = case.run(case.before)
    assert after == case.after
    assert [brief(f) for f in findings] == case.expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_second_run_changes_nothing(case: Case) -> None:
    _, once = case.run(case.before)
    findings, twice = case.run(case.before if once is None else once)
    assert twice is None
    assert not [f for f in findings if f.fixed]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_all_rules_together_give_a_file_that_stays(case: Case) -> None:
    _, once = case.run(case.before, select=[])
    _, twice = case.run(case.before if once is None else once, select=[])
    assert twice is None


def test_every_folder_is_the_one_of_a_rule() -> None:
    assert CASES
    assert {p.name for p in ROOT.iterdir()} <= {r.code for r in all_rules()}
    unread = {f.parent for f in ROOT.glob("*/*/before*")} - {case.folder for case in CASES}
    assert not unread
