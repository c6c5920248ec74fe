"""Hands results in, again and again until the server has them."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from agentlightning_compat.errors import CompatError, InternalError
from agentlightning_compat.legacy.spool import Spool
from agentlightning_compat.legacy.task_source import TaskSource

_log = logging.getLogger(__name__)

_FIRST_PAUSE = 0.2  # seconds
_LONGEST_PAUSE = 10.0
_AT_ONCE = 16
# So often are answers believed to be somebody else's, such as the page of a proxy.
_NONSENSE = 5
# Seconds after which results of workers that ended meanwhile are looked for again.
_LOOK_AGAIN = 15.0
# So many results are remembered as delivered.
_REMEMBERED = 100_000


class Delivery:
    """Results on their way, on the background loop; those in a spool survive the process.

    Without a spool a result is handed in once, and an error is the caller's.
    """

    def __init__(
        self,
        source: TaskSource,
        folder: Path | None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        look_again: float = _LOOK_AGAIN,
    ) -> None:
        self._source = source
        self._folder = folder
        self._sleep = sleep
        self._look_again = look_again
        self._next_look = 0.0
        self._spool: Spool | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        # The tasks whose results are under way or delivered.
        self._done: OrderedDict[str, None] = OrderedDict()

    async def start(self) -> None:
        """Deliver what other processes left behind."""
        if self._folder is None:
            return
        now = asyncio.get_running_loop().time()
        if self._spool is None:
            self._spool = Spool(self._folder)
        elif now < self._next_look:
            return
        self._next_look = now + self._look_again
        for path, payload in self._spool.leftovers():
            _log.info("delivering %s, left behind by a worker that ended", path)
            self._send(path, payload)

    def has(self, rollout_id: str, *, shared: bool) -> bool:
        """Whether the result of a task is under way or delivered, so that it need not be done.

        `shared`: other processes may be about to deliver it.
        """
        if rollout_id in self._done:
            return True
        return shared and self._spool is not None and self._spool.holds(rollout_id)

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
        self._remember(payload["rollout_id"])
        task = asyncio.get_running_loop().create_task(self._deliver(path, payload))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _deliver(self, path: Path, payload: dict[str, Any]) -> None:
        assert self._spool is not None
        pause = _FIRST_PAUSE
        nonsense = 0
        while True:
            try:
                async with self._slots:
                    await self._source.deliver(payload)
            except CompatError as error:
                final = not error.retry_may_help
                if isinstance(error, InternalError):
                    nonsense += 1
                    final = nonsense >= _NONSENSE
                if final:
                    aside = self._spool.refuse(path)
                    _log.error("a result was refused, kept as %s: %s", aside, error)
                    self._done.pop(payload["rollout_id"], None)
                    return
                _log.warning("a result waits for the server (%s): %s", path, error)
                if pause == _FIRST_PAUSE:
                    await asyncio.to_thread(self._spool.fasten, path)
            else:
                self._spool.done(path)
                if says_nothing(payload):  # whoever has a retry for it hands it out again
                    self._done.pop(payload["rollout_id"], None)
                return
            await self._sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _remember(self, rollout_id: str) -> None:
        self._done[rollout_id] = None
        self._done.move_to_end(rollout_id)
        if len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)

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


def says_nothing(payload: dict[str, Any]) -> bool:
    """Whether a result is that of an agent that failed: it has nothing but its task."""
    return payload.get("final_reward") is None and not any(
        payload.get(part) for part in ("triplets", "trace", "logs")
    )
