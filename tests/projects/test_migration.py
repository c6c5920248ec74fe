"""`agl-migrate run` makes of each sample project what is in its `after` folder, byte for byte."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter

import pytest

from codemods.cli import main
from tests.projects.running import PROJECTS, load

NAMES = sorted(path.parent.name for path in PROJECTS.glob("*/project.json"))


def test_there_are_six_projects():
    assert len(NAMES) >= 6
    assert sorted(path.name for path in PROJECTS.iterdir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_command_makes_after_of_before(name, tmp_path, monkeypatch):
    code, folder, left = migrated(name, "before", tmp_path, monkeypatch)
    assert left == load(name).get("left", [])
    assert code == (1 if left else 0)
    patch = PROJECTS / name / "by_hand.patch"
    if patch.exists():
        subprocess.run(["git", "apply", patch], cwd=folder, check=True)
    assert contents(folder) == contents(PROJECTS / name / "after")


@pytest.mark.parametrize("name", NAMES)
def test_a_second_run_changes_nothing(name, tmp_path, monkeypatch):
    _, folder, left = migrated(name, "before", tmp_path, monkeypatch)
    first = contents(folder)
    assert main(["run", "--report", str(tmp_path / "again.json")]) == (1 if left else 0)
    assert contents(folder) == first
    assert remaining(tmp_path / "again.json") == left


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_to_rewrite_after_the_edits_by_hand(name, tmp_path, monkeypatch):
    _, folder, left = migrated(name, "after", tmp_path, monkeypatch)
    assert contents(folder) == contents(PROJECTS / name / "after")
    reported = Counter(without_lines(load(name).get("left", [])))
    done = reported - Counter(without_lines(left))
    assert done.total() == reported.total() - len(left)
    assert bool(done) is (PROJECTS / name / "by_hand.patch").exists()


def migrated(name, side, tmp_path, monkeypatch):
    """The exit status, the folder with the result, and what was left to a person."""
    monkeypatch.chdir(tmp_path)
    folder = shutil.copytree(PROJECTS / name / side, tmp_path / name)
    monkeypatch.chdir(folder)
    report = tmp_path / "report.json"
    code = main(["run", "--report", str(report)])
    return code, folder, remaining(report)


def remaining(report):
    files = json.loads(report.read_text())["files"]
    return [
        f"{file['path']}:{finding.get('line_now', finding['line'])} {finding['code']}"
        for file in files
        for finding in file["findings"]
        if not finding["fixed"]
    ]


def without_lines(left):
    return [(place.rpartition(":")[0], place.split()[-1]) for place in left]


def contents(folder):
    """Each file by its path, without the journal that `--undo` reads."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in paths
        if ".agl-migrate" not in path.parts
    }
