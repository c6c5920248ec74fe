"""The sign of life that a worker gives its store, however busy its agent is."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Protocol

from agentlightning_compat.runner.limits import Limit
from agentlightning_compat.runner.snapshot import system_snapshot
from agentlightning_compat.store.base import LightningStore
from agentlightning_compat.store.local import LocalStore

_log = logging.getLogger(__name__)

Mode = Literal["asyncio", "thread"]
MODES = ("asyncio", "thread")


class Heartbeat:
    """Calls `update_worker` with a snapshot of the machine every `interval` seconds, give or
    take `jitter`.

    In mode `thread` it does so from a thread with an event loop of its own, so that not even an
    agent that blocks the runner's loop silences it. A store that cannot be called from other
    threads is called from the runner's loop, as in mode `asyncio`. A store that is away is
    called again at the next beat. Without an interval (0 or less) there is no heartbeat.
    """

    def __init__(
        self,
        store: LightningStore,
        worker_id: str,
        *,
        interval: float,
        jitter: float = 0.0,
        mode: Mode = "thread",
        include_gpu: bool = False,
    ) -> None:
        self._pulse = Pulse(store, worker_id, interval, jitter, include_gpu)
        self._threaded = mode == "thread" and from_any_thread(store)
        self._beats: _Beats | None = None

    def start(self) -> None:
        """Begin, as far as that is possible here: an event loop may be needed and not run yet.

        A thread is given a moment for the first beat, so that the worker is known to the store.
        """
        self.ensure()
        if isinstance(self._beats, _ThreadBeats):
            # In the loop that the store may need to answer, not for long.
            self._beats.first.wait(5.0 if _loop() is None else 1.0)

    def ensure(self) -> None:
        """Begin if it does not beat here: after a fork, or in another event loop than before."""
        if self._pulse.interval <= 0 or (self._beats is not None and self._beats.here()):
            return
        if self._threaded:
            self._beats = _ThreadBeats(self._pulse)
        elif _loop() is not None:
            self._beats = _LoopBeats(self._pulse)

    def failure(self) -> BaseException | None:
        """Why it does not beat any more; None while it does, or never had to."""
        return None if self._beats is None else self._beats.failure()

    def stop(self, timeout: float | None = 5.0) -> None:
        """End it; wait for its thread, if it has one, for so many seconds."""
        beats, self._beats = self._beats, None
        if beats is not None:
            beats.stop(timeout)


class Pulse:
    """One beat, and the time until the next; `interval` in seconds."""

    def __init__(
        self,
        store: LightningStore,
        worker_id: str,
        interval: float,
        jitter: float,
        include_gpu: bool,
    ) -> None:
        self.worker_id = worker_id
        self.interval = interval
        self._store = store
        self._jitter = jitter
        self._include_gpu = include_gpu
        self._missed = False

    def pause(self) -> float:
        """Seconds until the next beat."""
        return max(self.interval + random.uniform(-self._jitter, self._jitter), 0.01)

    def look(self) -> dict[str, Any] | None:
        """A snapshot of the machine; None when it could not be taken."""
        try:
            return system_snapshot(self._include_gpu)
        except Exception:
            _log.warning("%s has no snapshot for its heartbeat", self.worker_id, exc_info=True)
            return None

    async def tell(self, stats: dict[str, Any] | None) -> None:
        """Tell the store; that it did not work is logged once, until it works again."""
        given = () if stats is None else (stats,)
        try:
            # Not `asyncio.wait_for`, which before Python 3.12 may swallow the end of this task.
            with Limit(max(self.interval, 1.0), "the store"):
                await self._store.update_worker(self.worker_id, *given)
        except Exception as error:
            level = logging.DEBUG if self._missed else logging.WARNING
            _log.log(level, "the heartbeat of %s is not heard: %r", self.worker_id, error)
            self._missed = True
        else:
            self._missed = False


def from_any_thread(store: Any) -> bool:
    """Whether a store may be called from other threads than that of the runner's loop."""
    # Ours all may, whatever they were told to say of themselves.
    if isinstance(store, LocalStore):
        return True
    return bool(getattr(store, "capabilities", {}).get("thread_safe", False))


class _Beats(Protocol):
    def here(self) -> bool: ...
    def failure(self) -> BaseException | None: ...
    def stop(self, timeout: float | None) -> None: ...


class _ThreadBeats:
    def __init__(self, pulse: Pulse) -> None:
        self.first = threading.Event()
        self._pulse = pulse
        self._stopped = threading.Event()
        self._wake: Callable[[], None] | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(
            target=self._work, name=f"{pulse.worker_id}-heartbeat", daemon=True
        )
        self._thread.start()

    def here(self) -> bool:
        # A thread that died is here: it is not begun again behind the runner's back. In the child
        # of a fork it is not, and neither is its error.
        return self._thread.is_alive() or self._error is not None

    def failure(self) -> BaseException | None:
        if self._thread.is_alive() or self._stopped.is_set():
            return None
        return self._error or RuntimeError("its thread is gone")

    def stop(self, timeout: float | None) -> None:
        self._stopped.set()
        wake = self._wake
        if wake is not None:
            wake()
        if timeout is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _work(self) -> None:
        try:
            asyncio.run(self._beats())
        except asyncio.CancelledError:  # so it is stopped
            return
        except BaseException as error:
            self._error = error
            _log.exception("the heartbeat of %s ended", self._pulse.worker_id)
        finally:
            self.first.set()

    async def _beats(self) -> None:
        self._wake = partial(_cancel, asyncio.get_running_loop(), asyncio.current_task())
        # The first snapshot may take a while, and somebody waits for this.
        await self._pulse.tell(None)
        self.first.set()
        while not self._stopped.is_set():
            await self._pulse.tell(self._pulse.look())
            await asyncio.sleep(self._pulse.pause())


class _LoopBeats:
    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self._loop = asyncio.get_running_loop()
        self._stopped = False
        self._task = self._loop.create_task(self._beats(), name=f"{pulse.worker_id}-heartbeat")

    def here(self) -> bool:
        return self._loop is _loop()

    def failure(self) -> BaseException | None:
        if self._stopped or not self._task.done():
            return None
        if self._task.cancelled():
            return RuntimeError("its task was cancelled")
        return self._task.exception() or RuntimeError("its task ended")

    def stop(self, timeout: float | None) -> None:
        self._stopped = True
        _cancel(self._loop, self._task)

    async def _beats(self) -> None:
        await self._pulse.tell(None)
        while True:
            stats = await asyncio.to_thread(self._pulse.look)
            await self._pulse.tell(stats)
            await asyncio.sleep(self._pulse.pause())


def _cancel(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None] | None) -> None:
    if task is None:
        return
    try:
        loop.call_soon_threadsafe(task.cancel)
    except RuntimeError:  # the loop is closed, the task is over
        return


def _loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
