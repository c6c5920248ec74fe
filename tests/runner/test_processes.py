"""Workers as processes: killed, interrupted, and forking."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from agentlightning_compat import SqliteLightningStore
from tests.runner.program import Done
from tests.runner.worker import SAFETY, runner_for, statuses, stocked, within

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def worker(kind, path, number=1):
    """A worker that has begun; it does not outlive the test."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.runner.program", kind, str(path), str(number)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def begun(process) -> str:
    line = process.stdout.readline()
    assert line.startswith("begun"), process.stderr.read()
    return line


async def test_what_a_killed_worker_had_is_run_elsewhere(tmp_path):
    path = tmp_path / "store.db"
    async with SqliteLightningStore(path, scan_debounce_seconds=0.1) as store:
        _, (rollout,) = await stocked(
            1, store, unresponsive_seconds=0.5, max_attempts=5, retry_condition=["unresponsive"]
        )
        with worker("waits", path) as process:
            await asyncio.to_thread(begun, process)
            process.kill()
            await asyncio.to_thread(process.wait)
        # A worker on a slow machine may have been given up on before it was killed.
        before = len(await store.query_attempts(rollout.rollout_id))
        runner = runner_for(Done(), store, max_rollouts=1)
        await within(runner.iter())
        runner.teardown()
        assert await statuses(store) == ["succeeded"]
        *lost, last = await store.query_attempts(rollout.rollout_id)
        assert len(lost) >= before
        assert {(a.status, a.worker_id) for a in lost} == {("unresponsive", "Worker-1")}
        assert (last.status, last.worker_id) == ("succeeded", "Worker-0")
        assert await store.get_worker_by_id("Worker-1") is not None


@pytest.mark.parametrize(
    ("kind", "status"),
    [("waits", "failed"), ("blocks", "failed"), ("idle", None), ("hook", "succeeded")],
)
def test_ctrl_c_ends_a_worker_and_reports(kind, status, tmp_path):
    path = tmp_path / "store.db"

    async def prepare():
        async with SqliteLightningStore(path) as store:
            await stocked(int(status is not None), store)

    async def ended():
        async with SqliteLightningStore(path) as store:
            return await statuses(store)

    asyncio.run(prepare())
    with worker(kind, path) as process:
        begun(process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SAFETY)
    assert "KeyboardInterrupt" in errors
    assert process.returncode in (1, 130, -signal.SIGINT)
    assert asyncio.run(ended()) == ([status] if status else [])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("kind", ["forks", "forks-async"])
def test_the_child_of_an_agent_that_forks_reports_nothing(kind, tmp_path):
    path = tmp_path / "store.db"

    async def prepare():
        async with SqliteLightningStore(path) as store:
            await stocked(2, store)

    async def found():
        async with SqliteLightningStore(path) as store:
            return [
                [span.attributes["agentlightning.reward.0.value"] for span in spans]
                for rollout in await store.query_rollouts(status_in=["succeeded"])
                for spans in [await store.query_spans(rollout.rollout_id)]
            ]

    asyncio.run(prepare())
    with worker(kind, path) as process:
        said, errors = process.communicate(timeout=SAFETY)
    assert process.returncode == 0, errors
    assert said.splitlines() == ["child 0", "child 0", "ended"]
    assert asyncio.run(found()) == [[1.0], [1.0]]
