"""Programs that run beside a test: started in a session of their own, stopped with all children."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType

from tests.projects.warm import WarmProcess, warm

_PAUSE_SECONDS = 0.02


class ProgramError(RuntimeError):
    """A program did not print what was waited for; says what it wrote instead."""


class Program:
    """A process; entering starts it, leaving kills it and its children. Its output is in files.

    A pipe would have to be read all the time, and is kept open by children that live on.
    """

    def __init__(
        self, command: list[str], environment: dict[str, str], folder: Path, files: Path
    ) -> None:
        """`folder` is where it runs; its output goes to `files` with `.out` and `.err` added."""
        self.command = command
        self._environment = environment
        self._folder = folder
        self._out, self._err = (files.with_name(f"{files.name}.{kind}") for kind in ("out", "err"))

    def __enter__(self) -> Program:
        self._process = self._start()
        return self

    def _start(self) -> subprocess.Popen[bytes] | WarmProcess:
        with self._out.open("wb") as stdout, self._err.open("wb") as stderr:
            return subprocess.Popen(
                self.command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def wait(self, seconds: float) -> int | None:
        """The exit status, `None` if the program still runs after the time."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def line(self, start: str, seconds: float) -> str:
        """Wait for a line of output that starts so.

        Raises:
            ProgramError: the program ended, or the time is over, without such a line.
        """
        deadline = time.monotonic() + seconds
        while True:
            ended = self._process.poll() is not None
            for line in self.output().splitlines(keepends=True):
                if line.startswith(start) and line.endswith("\n"):
                    return line.strip()
            if ended or time.monotonic() > deadline:
                raise ProgramError(f"{self.command} did not print {start!r}: {self.log()[-4000:]}")
            time.sleep(_PAUSE_SECONDS)

    def output(self) -> str:
        """What it wrote to standard output so far."""
        return self._out.read_text(errors="replace")

    def log(self) -> str:
        """What it wrote to standard error so far."""
        return self._err.read_text(errors="replace")


class WarmProgram(Program):
    """A program that runs in a copy of a process in which a release is imported already."""

    def __init__(
        self,
        release: str,
        arguments: list[str],
        environment: dict[str, str],
        folder: Path,
        files: Path,
    ) -> None:
        """`arguments` are those of the interpreter: a script, or `-P script` or `-m module`."""
        super().__init__(arguments, environment, folder, files)
        self._release = release

    def _start(self) -> WarmProcess:
        job = {
            "arguments": self.command,
            "folder": str(self._folder),
            "environment": self._environment,
            "out": str(self._out),
            "err": str(self._err),
        }
        return warm(self._release).start(job)
