"""Runs of `programs`, with the real package and with ours."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.http.real.peers import ROOT, SAFETY, environment
from tests.http.real.programs import called
from tests.oracles import oracle_python


@dataclass
class Run:
    """A job under way, or ended."""

    folder: Path
    pid: int

    def ended(self) -> bool:
        # The process that started it says so in a file.
        return (self.folder / "ended").exists()

    def log(self) -> str:
        return (self.folder / "log").read_text()[-6000:]

    def said(self) -> Any:
        """What the program returned, when it has ended."""
        self._until(self.ended)
        path = self.folder / "said"
        assert path.exists(), self.log()
        return json.loads(path.read_text())

    def done(self, *others: Run) -> None:
        """Wait until the program says so; it and `others` have to run meanwhile."""

        def done() -> bool:
            for one in (self, *others):
                assert not one.ended(), one.log()
            return (self.folder / "done").exists()

        self._until(done)

    def go_on(self) -> None:
        """Let the program end, which waits for this."""
        (self.folder / "go").touch()

    def _until(self, happened: Callable[[], bool]) -> None:
        end = time.monotonic() + SAFETY
        while not happened():
            if time.monotonic() > end:
                self._signal(signal.SIGUSR1)  # has it write where it stands
                time.sleep(1.0)
                raise AssertionError(f"not in {SAFETY} s: {self.log()}")
            time.sleep(0.02)

    def _signal(self, number: int) -> None:
        if not self.ended():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def hooks(self) -> list[Any]:
        return called(self.folder)

    def interrupt(self) -> None:
        """As Ctrl-C does: it and its children."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)


class Runs:
    """Starts jobs, each in a process of its own, with a package that was imported once."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._ids = itertools.count()
        self.all: list[Run] = []

    def start(self, name: str, environment: dict[str, str] | None = None, **settings: Any) -> Run:
        """Have a program of `programs` run."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        job = {"id": f"{name}-{next(self._ids)}", "name": name, "settings": settings}
        stdin.write(json.dumps({**job, "environment": environment or {}}) + "\n")
        stdin.flush()
        for line in stdout:
            if line.startswith("started "):
                run = Run(self._folder / str(job["id"]), int(line.split()[1]))
                self.all.append(run)
                return run
        raise AssertionError("the process that starts jobs is gone")


@contextlib.contextmanager
def runs(whose: str, folder: Path) -> Iterator[Runs]:
    """Of `real` or of `ours`."""
    python, module = {
        "real": (lambda: str(oracle_python("0.3.0")), "agentlightning"),
        "ours": (lambda: sys.executable, "agentlightning_compat"),
    }[whose]
    program = str(Path(__file__).with_name("jobs.py"))
    with (folder / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            [python(), program, str(ROOT), module, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=environment(),
        )
    assert process.stdout is not None
    assert process.stdin is not None
    watch = threading.Timer(SAFETY, process.kill)
    watch.start()
    made = Runs(process, folder)
    try:
        ready = any(line == "ready\n" for line in process.stdout)
        assert ready, (folder / "stderr").read_text()[-4000:]
        watch.cancel()
        yield made
    finally:
        watch.cancel()
        for run in made.all:
            run.kill()
        process.kill()
        process.wait(60)
        process.stdin.close()
        process.stdout.close()
