"""An event loop in another thread, and agents in the thread that called.

Sync agents of the legacy API ran where `iter()` was called, in the main thread as a rule: what
they made there, such as a database connection or a signal handler, works nowhere else.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import os
import queue
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from agentlightning_compat.runner.threads import end_if_forked

T = TypeVar("T")

_Job = tuple[contextvars.Context, Callable[[], Any], "concurrent.futures.Future[Any]"]


class CallerThread:
    """Stands for the runner's own threads: calls are made in the thread that serves."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()

    async def run(self, call: Callable[[], Any]) -> Any:
        """Have a call made, in a copy of this context; its result or its error."""
        done: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._jobs.put((contextvars.copy_context(), call, done))
        return await asyncio.wrap_future(done)

    def close(self) -> None:
        """Nothing is kept here."""

    def finish(self) -> None:
        """Serve no more."""
        self._jobs.put(None)

    def serve(self) -> None:
        """Make the calls that come, until `finish`."""
        pid = os.getpid()
        while (job := self._jobs.get()) is not None:
            inside, call, done = job
            if not done.set_running_or_notify_cancel():
                continue
            try:
                result = inside.run(call)
            except StopIteration as error:  # a future does not take it
                done.set_exception(RuntimeError(f"the agent raised {error!r}"))
            except BaseException as error:
                done.set_exception(error)
            else:
                done.set_result(result)
            finally:
                end_if_forked(pid)


def run_here(main: Callable[[CallerThread], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end, in a loop of another thread, and make here the calls that it
    has made. An interrupt (Ctrl-C) cancels it and is raised when it has ended."""
    caller = CallerThread()
    outcome: concurrent.futures.Future[T] = concurrent.futures.Future()
    started: concurrent.futures.Future[Callable[[], Any]] = concurrent.futures.Future()

    async def work() -> T:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        assert task is not None
        started.set_result(partial(loop.call_soon_threadsafe, task.cancel))
        return await main(caller)

    def run() -> None:
        try:
            outcome.set_result(asyncio.run(work()))
        except BaseException as error:  # the caller's, whatever it is
            outcome.set_exception(error)
        finally:
            caller.finish()

    thread = threading.Thread(target=run, name="legacy-runner", daemon=True)
    thread.start()
    try:
        caller.serve()
    except BaseException:
        started.result()()
        caller.serve()
        thread.join()
        raise
    thread.join()
    return outcome.result()
