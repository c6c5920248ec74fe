"""The bridge from sync code to coroutines."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from agentlightning_compat.legacy import wait


async def answer(value: int = 42) -> int:
    await asyncio.sleep(0)
    return value


def test_the_result_is_returned():
    assert wait(answer()) == 42


def test_the_error_is_raised():
    async def fail() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        wait(fail())


def test_all_calls_share_one_loop():
    async def loop() -> int:
        return id(asyncio.get_running_loop())

    others: list[int] = []
    thread = threading.Thread(target=lambda: others.append(wait(loop())))
    thread.start()
    thread.join()
    assert others == [wait(loop())]


def test_inside_a_loop_it_says_to_await():
    async def inside() -> None:
        wait(answer())

    with pytest.raises(RuntimeError, match="use `await`"):
        asyncio.run(inside())


def test_a_thread_beside_a_loop_may_wait():
    async def beside() -> int:
        return await asyncio.to_thread(wait, answer(7))

    assert asyncio.run(beside()) == 7


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_has_a_loop_of_its_own():
    assert wait(answer(1)) == 1
    child = os.fork()
    if child == 0:
        # A hang in the child ends by the alarm, which is not exit code 0.
        import signal

        signal.alarm(20)
        os._exit(0 if wait(answer(2)) == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert wait(answer(3)) == 3
