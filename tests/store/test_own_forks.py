"""SQLite stores in processes that fork."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agentlightning_compat import SqliteLightningStore

ROOT = Path(__file__).resolve().parents[2]
SAFETY = 60.0

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")

_START = """
import asyncio, os, pickle, signal, sys, threading
from agentlightning_compat import SqliteLightningStore
from agentlightning_compat.errors import StoreClosedError

store = SqliteLightningStore(sys.argv[1])

def write(store, text):
    asyncio.run(store.enqueue_rollout(text))

def child_of(work):
    pid = os.fork()
    if not pid:
        try:
            work()
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
            os._exit(1)
        os._exit(0)
    return pid
"""
# Forked while a thread writes as fast as it can: each child opens the file anew, and writes.
_UNDER_LOAD = """
stop = threading.Event()

async def load():
    while not stop.is_set():
        await asyncio.gather(*(store.enqueue_rollout("load") for _ in range(20)))

def child():
    with_own = pickle.loads(pickle.dumps(store))
    write(with_own, "child")

thread = threading.Thread(target=lambda: asyncio.run(load()))
thread.start()
try:
    for _ in range(15):
        assert os.waitpid(child_of(child), 0)[1] == 0
finally:
    stop.set()
    thread.join()
write(store, "parent")
"""
# The store that the parent opened cannot be used, and says so at once.
_AS_IT_IS = """
def child():
    try:
        write(store, "child")
    except StoreClosedError as error:
        print(error, flush=True)

write(store, "parent")
assert os.waitpid(child_of(child), 0)[1] == 0
write(store, "parent")
"""
# The child stays when its parent is killed; others who come and go see that it uses the file.
_LEFT_ALONE = """
def child():
    own = pickle.loads(pickle.dumps(store))
    write(own, "before")
    print("ready", flush=True)
    sys.stdin.readline()
    write(own, "after")
    print("written", flush=True)
    sys.stdin.readline()

child_of(child)
signal.pause()
"""


def program(text: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _START + text, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


async def inputs(path: Path) -> list[str]:
    async with SqliteLightningStore(path) as store:
        return [str(rollout.input) for rollout in await store.query_rollouts()]


async def test_a_fork_waits_for_what_is_being_written(tmp_path):
    path = tmp_path / "store.db"
    with program(_UNDER_LOAD, path) as process:
        out, _ = process.communicate(timeout=SAFETY)
    assert (process.returncode, out) == (0, "")
    found = await inputs(path)
    assert found.count("child") == 15
    assert found[-1] == "parent"


async def test_a_child_is_told_to_open_the_file_again(tmp_path):
    path = tmp_path / "store.db"
    with program(_AS_IT_IS, path) as process:
        out, _ = process.communicate(timeout=SAFETY)
    assert process.returncode == 0, out
    assert "open it again here" in out
    assert await inputs(path) == ["parent", "parent"]


async def test_others_see_that_a_child_uses_the_file(tmp_path):
    path = tmp_path / "store.db"
    with program(_LEFT_ALONE, path) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.kill()
        process.wait(SAFETY)
        # Opens and closes: the last who closes a file tidies up its log.
        assert await inputs(path) == ["before"]
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "written\n"
        found = await inputs(path)
        process.stdin.write("\n")
    assert found == ["before", "after"]
