"""Lines that jobs wait in, and the threads that take them."""

from __future__ import annotations

import threading
from collections import deque

from agentlightning_compat.errors import StoreClosedError
from agentlightning_compat.store.sql.jobs import Job
from agentlightning_compat.store.sqlite_forks import Turn

_FORKED = "the store was opened before this process was forked: open it again here"


class Lane(threading.Thread):
    """A thread with a line of jobs; several may share one line."""

    def __init__(self, name: str, line: Line, most: int) -> None:
        super().__init__(name=name, daemon=True)
        self._line = line
        self._most = most
        self._turn = Turn(self.leave)

    def run(self) -> None:
        """Work until the line is closed and empty."""
        try:
            while self._next():
                pass
        finally:
            with self._turn:
                self.end()

    def _next(self) -> bool:
        """Do what is there; nothing of it is kept while the next is waited for."""
        jobs = self._line.take(self._most, self.pause())
        if jobs is None:
            return False
        with self._turn:
            if jobs:
                self.work(jobs)
            self.idle()
        return True

    def pause(self) -> float | None:
        """How long to wait for jobs before `idle` is called."""
        return None

    def work(self, jobs: list[Job]) -> None:
        """Do the jobs and answer them."""
        raise NotImplementedError

    def idle(self) -> None:
        """Called after every turn."""

    def end(self) -> None:
        """Called at the end, in this thread."""

    def leave(self) -> None:
        """Called in a process that was forked, where this thread does not run."""
        self._line.abandon()
        self.end()


class Line:
    """Jobs that wait for a thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ready = threading.Condition(self._lock)
        self._jobs: deque[Job] = deque()
        self._waiting = 0  # threads
        self._closed = ""
        self._nudged = False

    def put(self, job: Job) -> None:
        """At the end of the line.

        Raises:
            StoreClosedError: it takes no more.
        """
        with self._lock:
            if self._closed:
                raise StoreClosedError(self._closed)
            self._jobs.append(job)
            if self._waiting:
                self._ready.notify()

    def nudge(self) -> None:
        """Have the thread ask for its pause again."""
        with self._lock:
            self._nudged = True
            self._ready.notify()

    def close(self) -> None:
        """Take no more; what is in the line is still done."""
        with self._lock:
            self._closed = self._closed or "the store was closed"
            self._ready.notify_all()

    def abandon(self) -> None:
        """Take no more, without the threads, which may have held the lock when they vanished."""
        self._lock = threading.Lock()
        self._ready = threading.Condition(self._lock)
        self._waiting = 0
        self._jobs.clear()
        self._closed = _FORKED

    def take(self, most: int, pause: float | None) -> list[Job] | None:
        """The next jobs, none after the pause; None at the end."""
        with self._lock:
            if not self._jobs and not self._closed and not self._nudged:
                self._waiting += 1
                self._ready.wait(pause)
                self._waiting -= 1
            self._nudged = False
            if not self._jobs and self._closed:
                return None
            return [self._jobs.popleft() for _ in range(min(most, len(self._jobs)))]
