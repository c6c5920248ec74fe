"""The server of the real release, in its environment: `python server.py ROOT PORT`.

It says where it takes orders, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time

sys.path[0] = sys.argv[1]  # not this folder, whose names are not those of packages
from agentlightning import InMemoryLightningStore, LightningStoreServer  # noqa: E402

from tests.http.real.steering import START, Steering  # noqa: E402

PORT = int(sys.argv[2])
_machine = time.time


class Time:
    """What the real store reads in place of `time.time`: that of the machine until it is set."""

    def __init__(self) -> None:
        self._set: float | None = None

    def __call__(self) -> float:
        return _machine() if self._set is None else self._set

    def set(self, seconds: float) -> None:
        self._set = seconds


def fresh() -> InMemoryLightningStore:
    return InMemoryLightningStore(thread_safe=True, scan_debounce_seconds=0)


async def main() -> None:
    server = LightningStoreServer(fresh(), host="127.0.0.1", port=PORT)
    clock = Time()

    def reset() -> None:
        clock.set(START)
        server.store = fresh()

    await server.start()
    time.time = clock
    logging.disable(logging.CRITICAL)
    steering = Steering(reset, lambda seconds: clock.set(clock() + seconds))
    print("steered at", steering.url, file=sys.__stdout__, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()


asyncio.run(main())
