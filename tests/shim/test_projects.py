"""Programs written for 0.1 and 0.2, unmodified, on this runtime: what they do on the real release."""

from __future__ import annotations

import pytest

from tests.projects.running import load, missing_lines, run_scenario, scenarios

pytestmark = pytest.mark.oracle  # which serves the tasks


@pytest.mark.parametrize(("name", "scenario"), scenarios())
def test_a_program_does_the_same_as_on_the_real_release(name, scenario):
    wanted = load(name)["scenarios"][scenario]
    ran = run_scenario(name, "before", scenario, shim=True)
    assert ran.undone == [], ran.log()
    assert ran.rewards() == wanted.get("rewards", []), ran.log()
    for output, program in zip(ran.outputs, wanted["programs"], strict=True):
        assert missing_lines(output, program.get("prints", [])) == [], ran.log()
