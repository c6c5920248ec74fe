"""Hands results in, again and again until the server has them."""

from __future__ import annotations

import asyncio
import logging
import random
from pathlib import Path
from typing import Any

from agentlightning_compat.errors import CompatError
from agentlightning_compat.legacy.spool import Spool
from agentlightning_compat.legacy.task_source import TaskSource

_log = logging.getLogger(__name__)

_FIRST_PAUSE = 0.2  # seconds
_LONGEST_PAUSE = 10.0
_AT_ONCE = 16


class Delivery:
    """Results on their way, on the background loop; those in a spool survive the process.

    Without a spool a result is handed in once, and an error is the caller's.
    """

    def __init__(self, source: TaskSource, folder: Path | None) -> None:
        self._source = source
        self._folder = folder
        self._spool: Spool | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def start(self) -> None:
        """Deliver what other processes left behind."""
        if self._folder is None or self._spool is not None:
            return
        self._spool = Spool(self._folder)
        for path, payload in self._spool.leftovers():
            _log.info("delivering %s, left behind by a worker that ended", path)
            self._send(path, payload)

    async def hand_in(self, payload: dict[str, Any], patience: float) -> None:
        """Deliver a result; with a spool, return after `patience` seconds at the latest.

        Raises:
            CompatError: there is no spool, and the client did not take it.
        """
        await self.start()
        if self._spool is None:
            await self._source.deliver(payload)
            return
        path = await asyncio.to_thread(self._spool.add, payload)
        await asyncio.wait([self._send(path, payload)], timeout=patience)

    def _send(self, path: Path, payload: dict[str, Any]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._deliver(path, payload))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _deliver(self, path: Path, payload: dict[str, Any]) -> None:
        assert self._spool is not None
        pause = _FIRST_PAUSE
        while True:
            try:
                async with self._slots:
                    await self._source.deliver(payload)
            except CompatError as error:
                if not error.retry_may_help:
                    aside = self._spool.refuse(path)
                    _log.error("a result was refused, kept as %s: %s", aside, error)
                    return
                _log.warning("a result waits for the server (%s): %s", path, error)
            else:
                self._spool.done(path)
                return
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def close(self, patience: float) -> None:
        """Wait for what is under way, `patience` seconds; the rest stays on disk."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=patience)
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)
        if self._spool is None:
            return
        waiting = self._spool.waiting()
        if waiting:
            _log.warning(
                "%s results are not delivered yet and stay in %s; the next worker for this server"
                " delivers them",
                len(waiting),
                waiting[0].parent,
            )
        self._spool.close()
        self._spool = None
