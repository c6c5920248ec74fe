"""Each sample project does the same on the old release and, migrated, on the new one."""

from __future__ import annotations

import pytest

from tests.projects.running import SIDES, Outcome, load, missing_lines, run_scenario, scenarios


@pytest.mark.oracle
@pytest.mark.parametrize(("name", "scenario"), scenarios())
def test_a_project_does_the_same_before_and_after(name, scenario):
    wanted = load(name)["scenarios"][scenario]
    ran = {side: run_scenario(name, side, scenario) for side in SIDES}
    for side, outcome in ran.items():
        check(wanted, outcome, f"{name}/{side}")
    before, after = ran["before"], ran["after"]
    for what in wanted.get("same", ["questions"]):
        assert after.same(what) == before.same(what), what


def check(wanted: dict, outcome: Outcome, where: str) -> None:
    """What holds for each side alone."""
    about = f"{where}\n{outcome.log()}"
    assert not outcome.undone, about
    assert outcome.rewards() == wanted.get("rewards", []), about
    assert len(outcome.results) == len(wanted.get("server", {}).get("tasks", [])), about
    statuses = [result["status"] for result in outcome.results if result and "status" in result]
    failed = wanted.get("failed", [])
    if statuses:  # a legacy report has none
        assert [i for i, status in enumerate(statuses) if status != "succeeded"] == failed, about
    for program, output in zip(wanted["programs"], outcome.outputs, strict=True):
        assert not missing_lines(output, program.get("prints", [])), about


def test_every_scenario_says_what_has_to_come_out():
    found = scenarios()
    assert found
    for name, scenario in found:
        wanted = load(name)["scenarios"][scenario]
        printed = [line for program in wanted["programs"] for line in program.get("prints", [])]
        assert wanted.get("rewards") or printed, (name, scenario)
