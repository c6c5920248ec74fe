"""The hooks for pre-commit and the GitHub action do what they say."""

import json
import os
import re
import shlex
import subprocess
import sys

import pytest
import yaml

from tests.cli.conftest import LEGACY, MANUAL, REPOSITORY, environment

HOOKS = {
    hook["id"]: hook for hook in yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())
}
ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text())
MOVED = "from agentlightning.tracer.triplet import TripletExporter as T\n"


def hook(invoke, name):
    program, *arguments = shlex.split(HOOKS[name]["entry"])
    assert program == "agl-migrate"
    return invoke(*arguments)


def test_the_hook_that_checks(work, invoke):
    assert HOOKS["agl-migrate-check"]["pass_filenames"] is False
    (work / "a.py").write_text("x = 1\n")
    assert hook(invoke, "agl-migrate-check").code == 0
    (work / "a.py").write_text(LEGACY)
    assert hook(invoke, "agl-migrate-check").code == 1
    assert (work / "a.py").read_text() == LEGACY


def test_the_hook_that_rewrites_takes_what_is_staged(work, invoke, repository):
    (work / "a.py").write_text(MOVED)
    repository("add", ".")
    assert hook(invoke, "agl-migrate-run").code == 0
    assert "TracerTraceToTriplet" in (work / "a.py").read_text()


@pytest.fixture
def action(work, tmp_path):
    """Run the script of the action's last step, with the command in place of an installed one."""
    program = tmp_path / "agl-migrate"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m agl_migrate "$@"\n')
    program.chmod(0o755)

    def run(**inputs):
        given = {name: spec["default"] for name, spec in ACTION["inputs"].items()} | inputs
        step = ACTION["runs"]["steps"][-1]
        values = {
            name: re.sub(
                r"\$\{\{ (inputs\.([a-z-]+)|github\.action_path) \}\}",
                lambda found: given[found[2]] if found[2] else str(REPOSITORY),
                text,
            )
            for name, text in step["env"].items()
        }
        return subprocess.run(
            # As GitHub runs it.
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            env=environment(AGL_MIGRATE=str(program), **values),
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_action_fails_on_findings_only(work, action):
    (work / "a.py").write_text("x = 1\n")
    assert action().returncode == 0
    (work / "a.py").write_text(LEGACY)
    assert action().returncode == 1


def test_the_inputs_of_the_action(work, action):
    (work / "a.py").write_text(LEGACY + MANUAL)
    (work / "b").mkdir()
    (work / "b" / "c.py").write_text(MANUAL)
    assert "AGL105" not in action(select="AGL2").stdout
    assert "AGL201" not in action(ignore="AGL201, AGL202").stdout
    done = action(paths="a.py b", select="AGL105")
    assert [line.split(":")[0] for line in done.stdout.splitlines()[1:3]] == ["a.py", "b/c.py"]
    assert action(paths="--help").returncode == 2


def test_the_annotations_have_file_line_and_message(work, action):
    (work / "a.py").write_text(LEGACY + MANUAL)
    (work / "b.py").write_text("import agentlightning\nx = (\n")
    done = action()
    first, *lines = done.stdout.splitlines()
    _, command, path = first.split("::")
    assert command == "add-matcher"
    with open(path) as file:
        findings, errors = (m["pattern"][0] for m in json.load(file)["problemMatcher"])
    found = [m for line in lines if (m := re.match(findings["regexp"], line))]
    assert [(m[findings["file"]], m[findings["line"]], m[findings["code"]]) for m in found] == [
        ("a.py", "3", "AGL201"),
        ("a.py", "4", "AGL105"),
    ]
    assert all(m[findings["message"]] for m in found)
    [wrong] = [m for line in done.stderr.splitlines() if (m := re.match(errors["regexp"], line))]
    assert (wrong[errors["file"]], wrong[errors["line"]]) == ("b.py", "2")
    assert wrong[errors["message"]].startswith("syntax error")


def test_the_action_installs_this_very_version(tmp_path):
    steps = ACTION["runs"]["steps"]
    assert ACTION["runs"]["using"] == "composite"
    assert all(step.get("shell") == "bash" for step in steps if "run" in step)
    # What a user of the action gives is never part of a script.
    assert not any("${{" in step.get("run", "") for step in steps)
    assert '"$SOURCE"' in steps[1]["run"]
    assert os.path.exists(REPOSITORY / "pyproject.toml")
