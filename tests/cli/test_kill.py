"""A run that is killed, wherever it is, leaves all files as they were or can be taken back."""

import json
import random
import subprocess
import sys

import pytest

from tests.cli.conftest import LEGACY, MANUAL, MIGRATED, environment

# Runs the command, and kills its process before the nth change that it makes to any file.
KILLED = """
import json, os, signal, sys
from codemods import cli

left = int(sys.argv[1])
EVENTS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod")

def hook(event, arguments):
    global left
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if writes or event in EVENTS:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.dont_write_bytecode = True
sys.addaudithook(hook)
sys.exit(cli.main(sys.argv[2:]))
"""
NAMES = ("a.py", "sub/b.py", "sub/c.py")


def killed_at(step, *arguments):
    """Run the command, killed at a step; whether it was."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(step), *arguments],
        env=environment(PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        check=False,
    )
    return done.returncode == -9


@pytest.fixture
def files(work):
    (work / "sub").mkdir()
    for name in NAMES:
        (work / name).write_text(LEGACY)
    return work


def chosen(count):
    """Some of that many steps, spread at random, the first and the last among them."""
    assert count > 8
    starts = range(1, count - 1, 4)
    return [0, *(random.randrange(s, min(s + 4, count)) for s in starts), count - 1]


def texts(files):
    return {(files / name).read_text() for name in NAMES}


def changes_of(files, invoke, *arguments):
    """The number of changes that a command makes: from so many on it is not killed any more."""
    low, high = 0, 64
    while low < high:
        middle = (low + high) // 2
        if killed_at(middle, *arguments):
            low = middle + 1
        else:
            high = middle
        invoke("run", "--undo")
        if "--undo" in arguments:
            invoke("run")
    return low


def test_a_killed_run_is_taken_back(files, invoke):
    halves = 0
    for step in chosen(changes_of(files, invoke, "run")):
        assert texts(files) == {LEGACY}
        assert killed_at(step, "run")
        halves += len(texts(files)) == 2
        undone = invoke("run", "--undo")
        assert (undone.code == 0) or "no run to undo" in undone.err
        assert texts(files) == {LEGACY}
        assert invoke("check").code == 1
    assert halves


def test_a_killed_undo_is_ended_by_the_next(files, invoke):
    invoke("run")
    halves = 0
    for step in chosen(changes_of(files, invoke, "run", "--undo")):
        assert texts(files) == {MIGRATED}
        assert killed_at(step, "run", "--undo")
        halves += len(texts(files)) == 2
        invoke("run", "--undo")
        assert texts(files) == {LEGACY}
        assert invoke("run").code == 0
    assert halves


def test_the_run_after_a_killed_one_does_its_work(files, invoke):
    (files / "left.py").write_text(MANUAL)
    assert killed_at(9, "run", "--todo")
    result = invoke("run", "--todo", "--report", "report.json")
    assert result.code == 1
    assert texts(files) == {MIGRATED}
    assert (files / "left.py").read_text().count("TODO") == 1
    assert json.loads((files / "report.json").read_text())["summary"]["files_changed"] == 4
