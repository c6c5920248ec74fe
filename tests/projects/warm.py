"""Copies of a process that has a release imported already: see `warm_server.py`."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.oracles import OracleError, oracle_python

_SERVER = Path(__file__).with_name("warm_server.py")
_END_SECONDS = 10.0


@functools.cache
def warm(release: str) -> WarmInterpreter:
    """The one of this release; started when first asked for, ended with this process."""
    return WarmInterpreter(release)


class WarmInterpreter:
    """A process that forks; `start` gives a program."""

    def __init__(self, release: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="agl-warm-"))
        self._address = str(self._folder / "socket")
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        # Otherwise importing litellm waits for a download.
        environment["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        self._process = subprocess.Popen(
            [str(oracle_python(release)), "-u", str(_SERVER), self._address],
            cwd=self._folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        atexit.register(self.close)
        assert self._process.stdout is not None
        if not any(line == b"ready\n" for line in self._process.stdout):
            raise OracleError(f"agentlightning {release} does not start")

    def start(self, job: dict[str, Any]) -> WarmProcess:
        """Start what `warm_server.py` calls a job."""
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._address)
        connection.sendall(json.dumps(job).encode() + b"\n")
        return WarmProcess(connection)

    def close(self) -> None:
        """End the process and all programs that it started."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(_END_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)


class WarmProcess:
    """What `subprocess.Popen` says of a process, for one that a warm interpreter started."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._said = b""
        self._status: int | None = None
        while b"\n" not in self._said:
            self._read(None)
        self.pid = int(self._said.split(b"\n")[0])

    def poll(self) -> int | None:
        """The exit status, `None` while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """The exit status once it has ended; raises `subprocess.TimeoutExpired`, in seconds."""
        while self._status is None:
            try:
                self._read(timeout)
            except (BlockingIOError, TimeoutError) as error:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0) from error
            if self._said.count(b"\n") == 2:
                self._status = int(self._said.split(b"\n")[1])
                self._connection.close()
        return self._status

    def _read(self, timeout: float | None) -> None:
        self._connection.settimeout(timeout)
        said = self._connection.recv(100)
        if not said:
            raise OracleError("a program's start failed: the interpreter that starts it has gone")
        self._said += said
