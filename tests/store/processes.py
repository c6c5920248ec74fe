"""Python processes that tests start over a store, talk to by lines, and end."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
LONG = 120.0  # seconds; only what hangs takes that long


class Child:
    """A running script."""

    def __init__(self, script: str, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", script, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def tell(self, line: str) -> None:
        """Have it read a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "it ended"
        return line.strip()

    def rest(self, timeout: float = LONG) -> str:
        """What it prints until it ends by itself."""
        output, _ = self.process.communicate(timeout=timeout)
        assert self.process.returncode == 0
        return output

    def end(self) -> None:
        """It runs no more."""
        self.process.kill()
        self.process.wait(LONG)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


@contextmanager
def running(script: str, *arguments: object) -> Iterator[Child]:
    """A process that does not outlive the test."""
    child = Child(script, *arguments)
    try:
        yield child
    finally:
        child.end()


async def until(condition: Callable[[], Any]) -> None:
    """Return once it holds; it may be a coroutine function."""

    async def poll() -> None:
        while True:
            holds = condition()
            if await holds if inspect.isawaitable(holds) else holds:
                return
            await asyncio.sleep(0.005)

    await asyncio.wait_for(poll(), LONG)
