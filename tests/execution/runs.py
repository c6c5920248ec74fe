"""Runs of `program.py`, as processes that can be sent signals."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from agentlightning_compat import RolloutConfig, SqliteLightningStore

ROOT = Path(__file__).resolve().parents[2]
# Only ends what would hang for ever.
SAFETY = 60.0
SHM = {"type": "shm", "graceful_delay": 60.0}
# Without a server: both sides share the file.
PROCESSES = {"type": "cs", "managed_store": False, "graceful_timeout": 60.0}
# Any free port.
SERVED = {"type": "cs", "server_port": 0, "graceful_timeout": 60.0}


class Run:
    """A program that runs in a session of its own."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        program = Path(__file__).with_name("program.py")
        with (folder / "errors").open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, str(program), str(folder), json.dumps(settings)],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        self.lines: list[str] = []
        self._new: Queue[str | None] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._new.put(line.strip())
        self._new.put(None)

    def until(self, start: str) -> list[str]:
        """Wait for a line with this start; its words."""
        while True:
            line = self._next()
            assert line is not None, f"ended without {start!r}: {self.lines} {self.errors()}"
            if line.startswith(start):
                return line.split()

    def to_the_end(self) -> list[str]:
        """Wait until the program and all that it started are gone: nobody can write any more."""
        while self._next() is not None:
            pass
        self._process.wait(SAFETY)
        return self.lines

    def press(self) -> None:
        """Ctrl-C, as a terminal sends it: to all processes."""
        os.killpg(self._process.pid, signal.SIGINT)

    def send(self, number: signal.Signals) -> None:
        """To the program alone."""
        self._process.send_signal(number)

    def go(self) -> None:
        """Let through who waits at the gate."""
        (self.folder / "go").touch()

    def until_logged(self, text: str) -> None:
        """Wait for an entry in the log."""
        deadline = time.monotonic() + SAFETY
        while text not in self.errors():
            assert time.monotonic() < deadline, f"never logged: {text!r} in {self.errors()}"
            time.sleep(0.01)

    def errors(self) -> str:
        return (self.folder / "errors").read_text()

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(SAFETY)
        self._reader.join(SAFETY)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _next(self) -> str | None:
        try:
            line = self._new.get(timeout=SAFETY)
        except Empty:
            raise AssertionError(f"nothing more came: {self.lines} {self.errors()}") from None
        if line is not None:
            self.lines.append(line)
        return line


@contextlib.contextmanager
def running(folder: Path, **settings: Any) -> Iterator[Run]:
    """Run it; at the end nothing of it is left."""
    run = Run(folder, settings)
    try:
        yield run
    finally:
        run.close()


async def stock(folder: Path, count: int, **config: Any) -> None:
    """Put rollouts into the store that the program will have."""
    async with SqliteLightningStore(folder / "store.db") as store:
        await store.add_resources({})
        for number in range(count):
            await store.enqueue_rollout(number, config=RolloutConfig(**config))


async def statuses(folder: Path) -> list[str]:
    """What became of the rollouts."""
    async with SqliteLightningStore(folder / "store.db") as store:
        return [rollout.status for rollout in await store.query_rollouts()]
