"""The processes that benchmarks/http_store.py asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.oracles import oracle_python

ROOT = Path(__file__).resolve().parents[1]


class Process:
    """One side of one backend in a process of its own."""

    def __init__(self, module: str, side: str, *arguments: str) -> None:
        python = str(oracle_python("0.3.0")) if side == "peer" else sys.executable
        # Otherwise importing litellm waits for a download.
        environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        self._name = f"{module} {side}"
        self._process = subprocess.Popen(
            [python, "-W", "ignore", "-m", f"benchmarks.{module}", side, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )

    def ask(self, **parameters: Any) -> Any:
        """Have something measured.

        Raises:
            RuntimeError: the process ended instead; what it had to say is on standard error.
        """
        assert self._process.stdin is not None
        print(json.dumps(parameters), file=self._process.stdin, flush=True)
        return self.answer()

    def answer(self) -> Any:
        """The next answer.

        Raises:
            RuntimeError: there is none.
        """
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self._name} ended with {self._process.wait()}")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


class Side:
    """A server, and processes that ask it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._server = Process("http_side", name, "serve")
        self._clients = Process("http_side", name, "ask")
        self._runners: Process | None = None
        self._url = self._server.answer()

    def ask(self, **parameters: Any) -> Any:
        """Have the clients measure something."""
        return self._clients.ask(url=self._url, **parameters)

    def lifecycle(self, clients: int, count: int, write: str) -> dict[str, float]:
        """Per rollout: microseconds on the clock, and of CPU time on either side."""
        before = self._server.ask()
        found = self.ask(measure="lifecycle", clients=clients, count=count, write=write)
        scale = 1e6 / count
        return {
            "wall": found["wall"] * scale,
            "client": found["cpu"] * scale,
            "server": (self._server.ask() - before) * scale,
        }

    def runners(self, tasks: int, **parameters: Any) -> dict[str, float]:
        """Per rollout that runners do, as above.

        Raises:
            RuntimeError: a rollout did not go well.
        """
        if self._runners is None:
            self._runners = Process("http_runners", self._name, self._url)
        before = self._server.ask()
        found = self._runners.ask(tasks=tasks, **parameters)
        if found is None:
            raise RuntimeError(f"{self._name} failed with {parameters}")
        scale = 1e6 / tasks
        served = self._server.ask() - before
        return {
            "wall": found["wall"] * scale,
            "client": found["cpu"] * scale,
            "server": served * scale,
        }

    def close(self) -> None:
        """End them all."""
        if self._runners is not None:
            self._runners.close()
        self._clients.close()
        self._server.close()
