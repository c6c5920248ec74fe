"""Bounds in the same task, asking a store again, work to its end, and threads."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading

import pytest

from agentlightning_compat.errors import (
    RolloutNotFoundError,
    StoreBusyError,
    StoreClosedError,
    StoreUnavailableError,
)
from agentlightning_compat.runner.limits import Limit
from agentlightning_compat.runner.patience import Patience, comes_back, uninterrupted
from agentlightning_compat.runner.threads import AgentThreads
from tests.runner.worker import until, within

counted = pytest.mark.skipif(sys.version_info < (3, 11), reason="tasks do not count")


async def test_a_limit_ends_what_takes_longer():
    limit = Limit(0.01, "the nap")
    with pytest.raises(TimeoutError, match=r"the nap took longer than 0\.01 s"), limit:
        await asyncio.Event().wait()
    assert limit.expired
    await asyncio.sleep(0)  # nothing is left of the cancellation


@pytest.mark.parametrize("seconds", [None, 60.0])
async def test_a_limit_leaves_alone_what_is_quick(seconds):
    with Limit(seconds, "it") as limit:
        await asyncio.sleep(0)
    assert not limit.expired
    with pytest.raises(KeyError), Limit(seconds, "it"):
        raise KeyError


async def test_a_limit_keeps_the_context():
    mark: contextvars.ContextVar[int] = contextvars.ContextVar("mark")
    with Limit(60.0, "it"):
        await asyncio.sleep(0)
        mark.set(1)
    assert mark.get() == 1


@counted
async def test_a_cancellation_from_elsewhere_is_none_of_the_limits():
    reached = asyncio.Event()

    async def work():
        with Limit(60.0, "it"):
            reached.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(work())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@counted
async def test_limits_within_limits():
    with Limit(60.0, "outer") as outer:
        with pytest.raises(TimeoutError, match="inner"), Limit(0.01, "inner"):
            await asyncio.Event().wait()
        await asyncio.sleep(0)
    assert not outer.expired


class ClientConnectionError(Exception):
    """As a client library may have it."""


class OfIt(ClientConnectionError):
    pass


@pytest.mark.parametrize(
    ("error", "back"),
    [
        (StoreUnavailableError(), True),
        (StoreBusyError(), True),
        (StoreClosedError(), False),
        (RolloutNotFoundError(), False),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (asyncio.TimeoutError(), True),
        (OfIt(), True),
        (ValueError(), False),
        (OSError(28, "no space"), False),
    ],
)
def test_what_comes_back(error, back):
    assert comes_back(error) == back


def failing(*errors):
    """A call that fails with these in turn, and then says how often it was made."""
    calls = []

    async def call():
        calls.append(1)
        if len(calls) <= len(errors):
            raise errors[len(calls) - 1]
        return len(calls)

    return call


QUICK = Patience(pauses=(0.0, 0.001))


async def test_patience_asks_again():
    errors = [StoreUnavailableError()] * 5
    assert await within(QUICK.ask(failing(*errors))) == 6


async def test_patience_does_not_ask_for_nothing():
    with pytest.raises(ValueError, match="no"):
        await QUICK.ask(failing(StoreUnavailableError(), ValueError("no")))


async def test_patience_ends():
    with pytest.raises(StoreUnavailableError):
        await within(
            Patience(0.01, pauses=(0.001,)).ask(failing(*[StoreUnavailableError()] * 10**5))
        )


async def test_patience_ends_sooner_in_a_hurry():
    patience = Patience(10**6, hurried=0.01, pauses=(0.001,))
    patience.hurry()
    with pytest.raises(StoreUnavailableError):
        await within(patience.ask(failing(*[StoreUnavailableError()] * 10**5)))


async def test_work_that_is_not_interrupted():
    begun, go = asyncio.Event(), asyncio.Event()
    ended = []

    async def work():
        begun.set()
        await go.wait()
        ended.append(1)
        return 5

    task = asyncio.ensure_future(uninterrupted(work))
    await begun.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await within(task)
    assert ended == [1]
    assert await uninterrupted(work) == 5


async def test_work_whose_task_is_taken_away_is_begun_again():
    begun, tasks = asyncio.Event(), []

    async def work():
        tasks.append(asyncio.current_task())
        if len(tasks) == 1:
            begun.set()
            await asyncio.Event().wait()
        return len(tasks)

    task = asyncio.ensure_future(uninterrupted(work))
    await begun.wait()
    tasks[0].cancel()
    assert await within(task) == 2


async def test_an_error_on_the_way_out_is_logged(caplog):
    begun, go = asyncio.Event(), asyncio.Event()

    async def work():
        begun.set()
        await go.wait()
        raise ValueError("oh")

    task = asyncio.ensure_future(uninterrupted(work))
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await within(task)
    assert "oh" in caplog.text
    with pytest.raises(ValueError, match="oh"):
        await uninterrupted(work)


async def test_threads_are_kept_and_ended():
    threads = AgentThreads("test")
    first = await within(threads.run(threading.current_thread))
    second = await within(threads.run(threading.current_thread))
    assert first is second
    assert first.daemon
    assert first.name == "test-agent-1"
    threads.close()
    await until(lambda: not first.is_alive())


async def test_a_call_that_is_left_behind_does_not_hold_up_the_next():
    threads, go = AgentThreads("test"), threading.Event()
    started = threading.Event()

    def call():
        started.set()
        go.wait(60)
        return threading.current_thread()

    behind = asyncio.ensure_future(threads.run(call))
    await until(started.is_set)
    behind.cancel()
    with pytest.raises(asyncio.CancelledError):
        await behind
    other = await within(threads.run(threading.current_thread))
    assert other.name == "test-agent-2"
    threads.close()
    go.set()
    await until(lambda: not [t for t in threading.enumerate() if t.name.startswith("test-agent")])


async def test_a_thread_has_a_copy_of_the_context():
    mark: contextvars.ContextVar[int] = contextvars.ContextVar("mark")
    mark.set(1)
    threads = AgentThreads("test")

    def call():
        seen = mark.get()
        mark.set(2)
        return seen

    assert await within(threads.run(call)) == 1
    assert mark.get() == 1
    threads.close()


def test_a_call_that_outlives_its_loop():
    threads, go, over = AgentThreads("test"), threading.Event(), threading.Event()
    started = threading.Event()

    def call():
        started.set()
        go.wait(60)
        over.set()

    async def program():
        task = asyncio.ensure_future(threads.run(call))
        await until(started.is_set)
        return task

    asyncio.run(program())
    go.set()
    assert over.wait(60)
    # The thread is well, and there for the next call in another loop.
    assert asyncio.run(threads.run(lambda: 5)) == 5
    threads.close()
