"""What a trainer hands to an execution strategy: the algorithm's side and the runners' side."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import copy
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from agentlightning_compat.algorithm.base import Algorithm
from agentlightning_compat.execution.events import ExecutionEvent
from agentlightning_compat.model import Dataset
from agentlightning_compat.runner.base import Runner
from agentlightning_compat.store.base import LightningStore
from agentlightning_compat.trainer.progress import Progress

_log = logging.getLogger(__name__)

_LOOK = 0.05


class AlgorithmPart:
    """Runs an algorithm, or without one waits until it is told to stop.

    `set_up` is called with the store before. `ends_with_runners`: whether there is nothing left
    to do when all runners have ended.
    """

    def __init__(
        self,
        algorithm: Algorithm | None,
        datasets: tuple[Dataset[Any] | None, Dataset[Any] | None],
        set_up: Callable[[LightningStore], None],
        *,
        ends_with_runners: bool,
    ) -> None:
        self._algorithm = algorithm
        self._datasets = datasets
        self._set_up = set_up
        self.ends_with_runners = ends_with_runners

    async def __call__(self, store: LightningStore, event: ExecutionEvent) -> None:
        """Run it."""
        self._set_up(store)
        async with _progress(store):
            if self._algorithm is None:
                while not event.is_set():
                    await asyncio.sleep(_LOOK)
            else:
                await self._run(self._algorithm)

    async def _run(self, algorithm: Algorithm) -> None:
        train, val = self._datasets
        if algorithm.is_async():
            made: Any = algorithm.run(train_dataset=train, val_dataset=val)
            await made
        else:
            await _in_thread(lambda: algorithm.run(train_dataset=train, val_dataset=val))


class RunnerPart:
    """Runs a runner for each worker."""

    def __init__(self, runners: Runners, agent: Any, hooks: Sequence[Any]) -> None:
        self._runners = runners
        self._agent = agent
        self._hooks = hooks

    async def __call__(self, store: LightningStore, worker_id: int, event: ExecutionEvent) -> None:
        """Set up, run until the end, and tear down. Errors of the teardown are logged only."""
        runner = self._runners.take()
        with contextlib.ExitStack() as undo:
            runner.init(agent=self._agent, hooks=self._hooks)
            undo.callback(_quietly, runner.teardown)
            runner.init_worker(worker_id, store)
            undo.callback(_quietly, runner.teardown_worker, worker_id)
            await runner.iter(event=event)


class Runners:
    """A runner for each worker of a process: the first is the one that the trainer has.

    A runner keeps what belongs to its worker, so that two of them cannot share one. `make`
    makes more of them; without it the others are copies.
    """

    def __init__(self, first: Runner[Any], make: Callable[[], Runner[Any]] | None) -> None:
        self._first = first
        self._make = make
        self._taken = False
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        # In another process there is one worker only, and what makes more may not get there.
        return {**self.__dict__, "_lock": None, "_make": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def take(self) -> Runner[Any]:
        """One that nobody else has."""
        with self._lock:
            taken, self._taken = self._taken, True
        if not taken:
            return self._first
        return copy.copy(self._first) if self._make is None else self._make()

    def again(self) -> None:
        """For the next run."""
        self._taken = False


@contextlib.asynccontextmanager
async def _progress(store: LightningStore) -> AsyncIterator[None]:
    telling = asyncio.create_task(Progress(store).tell(), name="progress")
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _in_thread(call: Callable[[], Any]) -> None:
    """Make the call in a thread that does not keep the process from ending.

    The event loop goes on meanwhile, and the call may have one of its own: `asyncio.run` works.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[BaseException | None] = loop.create_future()
    inside = contextvars.copy_context()

    def finish(error: BaseException | None) -> None:
        if not done.done():
            done.set_result(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            inside.run(call)
        except BaseException as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # nobody waits any more
            loop.call_soon_threadsafe(finish, error)

    threading.Thread(target=run, name="algorithm", daemon=True).start()
    try:
        error = await done
    except asyncio.CancelledError:
        _log.error(
            "the algorithm is no coroutine and cannot be interrupted: its thread is left behind"
        )
        raise
    if error is not None:
        raise error


def _quietly(call: Callable[..., object], *arguments: Any) -> None:
    try:
        call(*arguments)
    except Exception:
        _log.exception("%s failed", getattr(call, "__qualname__", call))
