"""All in one process, each side in a thread."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, Literal

from agentlightning_compat.environment import LightningEnvVar, resolve_bool_env_var
from agentlightning_compat.errors import InvalidRequestError
from agentlightning_compat.execution.base import (
    AlgorithmBundle,
    ExecutionStrategy,
    RunnerBundle,
)
from agentlightning_compat.execution.events import ExecutionEvent, ThreadingEvent
from agentlightning_compat.execution.interrupts import Interrupts
from agentlightning_compat.execution.supervised import Supervised
from agentlightning_compat.store.base import LightningStore
from agentlightning_compat.store.threaded import LightningStoreThreaded

_log = logging.getLogger(__name__)

_ALGORITHM = "algorithm"


class SharedMemoryExecutionStrategy(ExecutionStrategy):
    """Runs the algorithm and the runners as threads of this process.

    Args:
        n_runners: how many runners.
        main_thread: who is on the thread that calls `execute`: the algorithm, or the first
            runner. A debugger follows what is on it.
        join_timeout: seconds that threads have for ending when they were cancelled; after that
            they are left behind (they do not keep the process from ending).
        graceful_delay: seconds that a side has for ending by itself once a stop was asked for,
            before it is cancelled.
        poll_interval: seconds between two looks at the stop event.
        managed_store: whether the store is made safe for threads; the default is the variable
            AGL_MANAGED_STORE, or yes.

    The runners are asked to stop when the algorithm is done. The algorithm goes on when the
    runners are done (after their `max_rollouts`), unless it ends with them. The first Ctrl-C is a
    stop: what is in hand is finished. The second cancels it, and it is reported as failed.

    Raises:
        InvalidRequestError: an argument makes no sense.
    """

    alias: str = "shm"

    def __init__(
        self,
        n_runners: int = 1,
        main_thread: Literal["algorithm", "runner"] = "runner",
        join_timeout: float = 15.0,
        graceful_delay: float = 5.0,
        poll_interval: float = 0.05,
        managed_store: bool | None = None,
    ) -> None:
        if main_thread not in ("algorithm", "runner"):
            raise InvalidRequestError(
                f"main_thread must be 'algorithm' or 'runner', not {main_thread!r}"
            )
        if n_runners < 1:
            raise InvalidRequestError(f"n_runners is at least 1, not {n_runners}")
        self.n_runners = n_runners
        self.main_thread = main_thread
        self.join_timeout = join_timeout
        self.graceful_delay = graceful_delay
        self.poll_interval = poll_interval
        self.managed_store = resolve_bool_env_var(
            LightningEnvVar.AGL_MANAGED_STORE, override=managed_store, fallback=True
        )

    def execute(
        self, algorithm: AlgorithmBundle, runner: RunnerBundle, store: LightningStore
    ) -> None:
        """See `ExecutionStrategy`."""
        shared = LightningStoreThreaded(store) if self.managed_store else store
        try:
            _Run(self, algorithm, runner, shared).execute()
        finally:
            if isinstance(shared, LightningStoreThreaded) and shared is not store:
                shared.release()


class _Run:
    # One call of execute().

    def __init__(
        self,
        strategy: SharedMemoryExecutionStrategy,
        algorithm: AlgorithmBundle,
        runner: RunnerBundle,
        store: LightningStore,
    ) -> None:
        self._strategy = strategy
        self._algorithm = algorithm
        self._runner = runner
        self._store = store
        self._event: ExecutionEvent = ThreadingEvent()
        self._errors: SimpleQueue[BaseException] = SimpleQueue()
        self._sides: list[Supervised] = []
        self._runners_left = strategy.n_runners
        self._lock = threading.Lock()
        self._algorithm_side: Supervised | None = None
        self._interrupted = False

    def execute(self) -> None:
        with Interrupts(self._stop, self._drop):
            threads: list[threading.Thread] = []
            try:
                here, *others = self._jobs()
                threads = [_thread(name, job) for name, job in others]
                here[1]()
            except KeyboardInterrupt:
                _log.warning("interrupted: everything is asked to stop")
                self._event.set()
            finally:
                self._join(threads)
        if not self._errors.empty():
            raise self._errors.get()

    def _jobs(self) -> list[tuple[str, Callable[[], None]]]:
        jobs = [
            (f"runner-{number}", partial(self._run_runner, number))
            for number in range(self._strategy.n_runners)
        ]
        algorithm = (_ALGORITHM, self._run_algorithm)
        if self._strategy.main_thread == "algorithm":
            return [algorithm, *jobs]
        return [jobs[0], algorithm, *jobs[1:]]

    def _run_algorithm(self) -> None:
        self._run_side(_ALGORITHM, lambda: self._algorithm(self._store, self._event))
        # With the algorithm gone, nobody adds to the queue.
        self._event.set()

    def _run_runner(self, number: int) -> None:
        try:
            self._run_side(
                f"runner-{number}", lambda: self._runner(self._store, number, self._event)
            )
        finally:
            self._runner_ended()

    def _runner_ended(self) -> None:
        with self._lock:
            self._runners_left -= 1
        if self._runners_left:
            return
        if self._interrupted:
            self._drop_algorithm()
        if self._event.is_set():
            return
        if getattr(self._algorithm, "ends_with_runners", False):
            self._event.set()
        else:
            _log.warning(
                "all runners have ended and the algorithm goes on: nothing that it adds to the"
                " queue is run"
            )

    def _run_side(self, name: str, bundle: Callable[[], Any]) -> None:
        strategy = self._strategy
        side = Supervised(
            name,
            self._event,
            strategy.graceful_delay,
            strategy.join_timeout,
            strategy.poll_interval,
        )
        self._sides.append(side)
        if name == _ALGORITHM:
            self._algorithm_side = side
        try:
            side.run(bundle)
        except BaseException as error:
            self._event.set()
            here = threading.current_thread() is threading.main_thread()
            if here and isinstance(error, KeyboardInterrupt):
                raise
            _log.exception("%s failed: everything is asked to stop", name)
            self._errors.put(error)

    def _stop(self) -> None:
        _log.warning("Ctrl-C: what is in hand is finished; once more, and it is dropped")
        self._interrupted = True
        self._event.set()
        if not self._runners_left:
            self._drop_algorithm()

    def _drop_algorithm(self) -> None:
        # It has nothing to wait for, and no way to hear of the stop but to be cancelled.
        if self._algorithm_side is not None:
            self._algorithm_side.drop()

    def _drop(self) -> None:
        _log.warning("Ctrl-C again: what is in hand is dropped and reported as failed")
        self._event.set()
        for side in list(self._sides):
            side.drop()

    def _join(self, threads: list[threading.Thread]) -> None:
        """Wait for the threads; once a stop was asked for, not for ever."""
        strategy = self._strategy
        patience = strategy.graceful_delay + strategy.join_timeout + 1.0
        deadline: float | None = None
        while any(thread.is_alive() for thread in threads):
            if deadline is None and self._event.is_set():
                deadline = time.monotonic() + patience
            if deadline is not None and time.monotonic() > deadline:
                break
            for thread in threads:
                thread.join(strategy.poll_interval / len(threads))
        names = [thread.name for thread in threads if thread.is_alive()]
        if names:
            _log.error("these do not end and are left behind: %s", ", ".join(names))


def _thread(name: str, job: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=job, name=name, daemon=True)
    thread.start()
    return thread
