"""Threads in which agents run that may block."""

from __future__ import annotations

import asyncio
import contextvars
import os
import queue
import threading
from collections.abc import Callable
from typing import Any


def end_if_forked(pid: int) -> None:
    """End a child process in which an agent came back from a call that its parent made.

    The child has a copy of the runner: it would report the rollout a second time.
    """
    if os.getpid() != pid:
        os._exit(0)


class AgentThreads:
    """Threads that are kept for the next call. They are daemons: a call that never comes back
    does not keep the process from ending."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._idle: list[_Thread] = []
        self._lock = threading.Lock()
        self._made = 0
        self._closed = False

    async def run(self, call: Callable[[], Any]) -> Any:
        """Make the call in a thread, in a copy of this context; its result or its error.

        A caller that is cancelled leaves the call behind: it goes on, and nobody hears of it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Result] = loop.create_future()
        inside = contextvars.copy_context()
        self._thread().jobs.put(_Job(call, inside, loop, future))
        result = await future
        return result.taken()

    def close(self) -> None:
        """End the threads, those that are busy when they are done."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for thread in idle:
            thread.jobs.put(None)

    def keep(self, thread: _Thread) -> bool:
        """Have it back for the next call; whether it is still needed."""
        with self._lock:
            if not self._closed:
                self._idle.append(thread)
            return not self._closed

    def _thread(self) -> _Thread:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            self._made += 1
            number = self._made
        return _Thread(self, f"{self._name}-agent-{number}")


class _Result:
    # What came of a call; an error as a value, because a future does not take every error.
    def __init__(self, value: Any, error: BaseException | None) -> None:
        self._value = value
        self._error = error

    def taken(self) -> Any:
        error, self._error = self._error, None
        if error is not None:
            raise error
        return self._value


class _Job:
    def __init__(
        self,
        call: Callable[[], Any],
        inside: contextvars.Context,
        loop: asyncio.AbstractEventLoop,
        future: asyncio.Future[_Result],
    ) -> None:
        self._call = call
        self._inside = inside
        self._loop = loop
        self._future = future
        self._pid = os.getpid()

    def done(self) -> _Result:
        try:
            return _Result(self._inside.run(self._call), None)
        except BaseException as error:  # it is the caller's, sys.exit() included
            return _Result(None, error)
        finally:
            end_if_forked(self._pid)

    def deliver(self, result: _Result) -> None:
        try:
            self._loop.call_soon_threadsafe(self._set, result)
        except RuntimeError:  # the loop was closed meanwhile
            return

    def _set(self, result: _Result) -> None:
        if not self._future.done():
            self._future.set_result(result)


class _Thread:
    def __init__(self, owner: AgentThreads, name: str) -> None:
        self.jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._owner = owner
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        wanted = True
        while wanted:
            job = self.jobs.get()
            if job is None:
                return
            result = job.done()
            wanted = self._owner.keep(self)
            job.deliver(result)
            del job, result  # nothing is kept alive between two calls
