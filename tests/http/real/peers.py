"""Servers of both kinds for tests, and where to steer them."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agentlightning_compat import InMemoryLightningStore
from agentlightning_compat.clock import ManualClock
from agentlightning_compat.http.app import StoreApp
from agentlightning_compat.http.launching import ServerThread, bound
from tests.http.real.steering import Steering, Wheel
from tests.oracles import oracle_python

ROOT = Path(__file__).resolve().parents[3]
# Only ends what would hang for ever.
SAFETY = 240.0


@dataclass
class Peer:
    """A store server."""

    url: str
    steering: str

    @property
    def wheel(self) -> Wheel:
        return Wheel(self.steering)


def environment() -> dict[str, str]:
    """Of a real release: it sees its own packages, and downloads nothing at import."""
    found = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return {**found, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}


def free_port() -> int:
    """A port that nobody listens on now; not one of those that connections are given."""
    while True:
        port = random.SystemRandom().randrange(12_000, 32_000)
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


@contextlib.contextmanager
def real_server(folder: Path) -> Iterator[Peer]:
    """The server of 0.3.0 in a process of its own."""
    port = free_port()
    program = str(Path(__file__).with_name("server.py"))
    process = subprocess.Popen(
        [str(oracle_python("0.3.0")), program, str(ROOT), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=folder,
        env=environment(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    watch = threading.Timer(SAFETY, process.kill)
    watch.start()
    try:
        said = next((line for line in process.stdout if line.startswith("steered at ")), None)
        assert said is not None, "the real server did not start"
        watch.cancel()
        yield Peer(f"http://127.0.0.1:{port}", said.split()[-1])
    finally:
        watch.cancel()
        process.kill()
        process.wait(60)
        process.stdin.close()
        process.stdout.close()


class OurServer:
    """A server of ours in this process, steered as the real one is."""

    def __init__(self) -> None:
        self._app = StoreApp(InMemoryLightningStore())
        self._clock = ManualClock()
        listening = bound("127.0.0.1", 0)
        self._url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self._thread = ServerThread(self, listening)
        self._steering = Steering(self.reset, self.advance)
        self.peer = Peer(self._url, self._steering.url)

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        await self._app(scope, receive, send)  # type: ignore[arg-type]

    def reset(self) -> None:
        self._thread.loop.call_soon_threadsafe(self._app.drop_held)
        self._clock = ManualClock()
        self._app = StoreApp(InMemoryLightningStore(clock=self._clock))

    def advance(self, seconds: float) -> None:
        self._clock.advance(seconds)

    def close(self) -> None:
        self._thread.loop.call_soon_threadsafe(self._app.drop_held)
        self._steering.close()
        self._thread.stop()
