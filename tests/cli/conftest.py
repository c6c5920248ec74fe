"""A folder to work in, and the command: called in this process, or run as a person runs it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from codemods.cli import main

REPOSITORY = Path(__file__).resolve().parents[2]
LEGACY = "from agentlightning import Trainer\n\ntrainer = Trainer(n_workers=4)\n"
MIGRATED = "from agentlightning import Trainer\n\ntrainer = Trainer(n_runners=4)\n"
MANUAL = "from agentlightning.tracer.http import HttpTracer; print(HttpTracer)\n"


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def work(tmp_path, monkeypatch):
    """The current folder, an empty one in a project without a repository and settings."""
    folder = tmp_path / "work"
    folder.mkdir()
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'mine'\n")
    monkeypatch.chdir(folder)
    for name in ("NO_COLOR", "FORCE_COLOR", "AGL_MIGRATE_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def invoke(work, capsys):
    """Call the command in this process."""

    def call(*arguments: str) -> Result:
        capsys.readouterr()
        code = main(arguments)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture
def command(work):
    """Run the command in a process of its own."""

    def call(*arguments: str, **changes: str) -> Result:
        done = subprocess.run(
            [sys.executable, "-m", "agl_migrate", *arguments],
            capture_output=True,
            env=environment(**changes),
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), **changes}


@pytest.fixture
def repository(work):
    """The current folder as a git repository with everything committed when called."""

    def git(*arguments: str, data: bytes | None = None) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        done = subprocess.run(
            ["git", *identity, *arguments], capture_output=True, check=True, input=data
        )
        return done.stdout.decode()

    git("init", "-q")
    return git
