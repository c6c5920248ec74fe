"""Rewriting many files: here, or in processes where there is enough to do."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from codemods import progress
from codemods.applying import apply
from codemods.detection import Detector, Task
from codemods.engine import FileResult
from codemods.faults import fault
from codemods.outcome import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codemods.config import Settings
    from codemods.survey import Unit
    from codemods.timings import Timings

ENOUGH = 16
"""From so many files on, starting processes costs less than it saves."""


class Order(NamedTuple):
    """All tasks of a run, and how they are to be done.

    `units` are all files of the index, for processes that have to build it again.
    """

    tasks: Sequence[Task]
    units: Sequence[Unit]
    settings: Settings
    timings: Timings
    safe_only: bool = False
    notes: bool = False


class Done(NamedTuple):
    """What became of one task, and the seconds that each rule took for it."""

    result: FileResult | Problem
    seconds: dict[str, float]


_order: Order | None = None
"""What a worker process works on. A forked one inherits it: closures cannot be pickled."""


def rewrite_all(
    order: Order, jobs: int | None = None, method: str | None = None
) -> Iterator[FileResult | Problem]:
    """The results of all tasks, in their order.

    `jobs` is the number of processes; None takes one for each processor where that pays.
    `method` is how they are started; None takes what suits the platform.
    """
    count = len(order.tasks)
    if jobs is None:
        jobs = _processors() if count >= ENOUGH else 1
    jobs = min(jobs, count)
    if jobs > 1:
        done = _in_processes(order, jobs, method or _start_method())
    else:
        done = (rewrite(order, index).result for index in range(count))
    yield from progress.track("Rewriting", done, count)


def rewrite(order: Order, index: int) -> Done:
    """Do one task."""
    unit, ctx, detected = order.tasks[index]
    before = dict(order.timings.rules)
    try:
        result: FileResult | Problem = apply(
            ctx, detected, unit.shown, safe_only=order.safe_only, notes=order.notes
        )
    except Exception as error:
        result = fault(unit.shown, error)
    spent = {code: now - before.get(code, 0.0) for code, now in order.timings.rules.items()}
    return Done(result, spent)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start_method() -> str:
    # A fork shares the index for nothing; on macOS it is not safe to count on.
    return "fork" if hasattr(os, "fork") and sys.platform != "darwin" else "spawn"


def _in_processes(order: Order, jobs: int, method: str) -> Iterator[FileResult | Problem]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    global _order  # noqa: PLW0603 - the one way into a forked process
    payload = b""
    if method == "fork":
        import libcst  # noqa: F401 - once, before the fork, and not once in each process

        _order = order
    else:
        payload = _packed(order)
    import agl_migrate

    count = len(order.tasks)
    pool = ProcessPoolExecutor(
        jobs, get_context(method), initializer=agl_migrate.start_worker, initargs=(payload,)
    )
    try:
        chunk = max(1, count // (jobs * 4))
        for done in pool.map(work, range(count), chunksize=chunk):
            order.timings.add_rules(done.seconds)
            yield done.result
    finally:
        _order = None
        pool.shutdown(cancel_futures=True)


def start(payload: bytes) -> None:
    """Make a process ready to work; called in it, once."""
    import signal

    global _order  # noqa: PLW0603
    # An interruption from the keyboard goes to all; the first process sees to it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if payload:
        _order = _unpacked(payload)


def work(index: int) -> Done:
    """Do one task in a worker process."""
    assert _order is not None
    return rewrite(_order, index)


def _packed(order: Order) -> bytes:
    files = [(unit.path, unit.data) for unit in order.units]
    wanted = [order.units.index(task.unit) for task in order.tasks]
    settings = tuple(order.settings)
    rest = (order.timings.enabled, order.safe_only, order.notes)
    return pickle.dumps((os.getcwd(), files, wanted, settings, rest))


def _unpacked(payload: bytes) -> Order:
    from codemods.config import Settings
    from codemods.survey import Survey
    from codemods.timings import Timings

    folder, files, wanted, values, (enabled, safe_only, notes) = pickle.loads(payload)
    os.chdir(folder)
    settings, timings = Settings(*values), Timings(enabled=enabled)
    survey = Survey(settings, timings)
    units = survey.take(files)
    detector = Detector(survey.project, settings, timings.watch(settings.rules()))
    tasks = _Tasks(detector, [units[index] for index in wanted])
    return Order(tasks, units, settings, timings, safe_only, notes)


class _Tasks(Sequence[Task]):
    """Tasks whose hits are looked for when their turn comes."""

    def __init__(self, detector: Detector, units: Sequence[Unit]) -> None:
        self._detector = detector
        self._units = units

    def __len__(self) -> int:
        return len(self._units)

    def __getitem__(self, index: int) -> Task:  # type: ignore[override]
        task = self._detector.look(self._units[index])
        assert isinstance(task, Task)  # it was one in the process that gave the order
        return task
