"""Programs written for 0.1 and 0.2, unmodified, on this runtime: what they do on the real release.

What that is stands in each project's `project.json`, and tests/projects finds it to be true.
"""

from __future__ import annotations

import pytest

from tests.projects.running import load, missing_lines, run_scenario, scenarios

EVERY = scenarios()
SERVED = [(name, one) for name, one in EVERY if "server" in load(name)["scenarios"][one]]


@pytest.mark.oracle
@pytest.mark.parametrize(("name", "scenario"), SERVED)
def test_a_program_does_the_same_as_on_the_real_release(name, scenario):
    """The release serves the tasks."""
    check(name, scenario, served=True)


@pytest.mark.parametrize(("name", "scenario"), EVERY)
def test_a_program_does_the_same_where_there_is_no_release(name, scenario):
    """On any Python; the tasks come from a script for the release, which runs here as well."""
    check(name, scenario, served=False)


def check(name, scenario, served):
    wanted = load(name)["scenarios"][scenario]
    ran = run_scenario(name, "before", scenario, shim=True, served=served)
    assert ran.undone == [], ran.log()
    assert ran.rewards() == wanted.get("rewards", []), ran.log()
    for output, program in zip(ran.outputs, wanted["programs"], strict=True):
        assert missing_lines(output, program.get("prints", [])) == [], ran.log()
