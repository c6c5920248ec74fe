"""Whole programs, with real processes and signals: what ends, and what becomes of the work."""

from __future__ import annotations

import os
import signal

import pytest

from tests.execution.runs import PROCESSES, SERVED, SHM, running, statuses, stock

EACH = pytest.mark.parametrize(
    "strategy", [SHM, PROCESSES, SERVED], ids=["threads", "processes", "served"]
)


@EACH
@pytest.mark.parametrize("algorithm", ["waits", "plain"])
async def test_all_is_run_and_the_algorithm_sees_it(tmp_path, strategy, algorithm) -> None:
    await stock(tmp_path, 6)
    with running(tmp_path, strategy=strategy, n_runners=2, algorithm=algorithm) as run:
        lines = run.to_the_end()
    assert lines[-1] == "returned"
    assert {"algorithm done", "algorithm saw 6"} & set(lines)
    assert await statuses(tmp_path) == ["succeeded"] * 6


@EACH
async def test_without_an_algorithm_it_ends_with_the_runners(tmp_path, strategy) -> None:
    await stock(tmp_path, 5)
    with running(tmp_path, strategy=strategy, n_runners=2, max_rollouts=2) as run:
        assert run.to_the_end()[-1] == "returned"
    assert sorted(await statuses(tmp_path)) == ["queuing", *["succeeded"] * 4]


@EACH
@pytest.mark.parametrize("algorithm", [None, "waits"])
async def test_ctrl_c_finishes_what_is_in_hand(tmp_path, strategy, algorithm) -> None:
    await stock(tmp_path, 6)
    settings = {"strategy": strategy, "n_runners": 2, "agent": "gate", "algorithm": algorithm}
    with running(tmp_path, **settings) as run:
        run.until("begun")
        run.until("begun")
        run.press()
        run.until_logged("Ctrl-C: what is in hand")
        run.go()
        assert run.to_the_end()[-1] == "returned"
    assert await statuses(tmp_path) == ["succeeded"] * 2 + ["queuing"] * 4


@EACH
async def test_ctrl_c_again_drops_it_and_reports(tmp_path, strategy) -> None:
    await stock(tmp_path, 3)
    with running(tmp_path, strategy=strategy, n_runners=2, agent="forever") as run:
        run.until("begun")
        run.until("begun")
        run.press()
        # The handler answers; two signals at once may be one.
        run.until_logged("Ctrl-C: what is in hand")
        run.press()
        assert run.to_the_end()[-1] == "returned"
    assert await statuses(tmp_path) == ["failed", "failed", "queuing"]


@EACH
async def test_ctrl_c_while_there_is_nothing_to_do(tmp_path, strategy) -> None:
    await stock(tmp_path, 1)
    with running(tmp_path, strategy=strategy, n_runners=2) as run:
        run.until("done 0")
        run.send(signal.SIGINT)
        assert run.to_the_end()[-1] == "returned"


@EACH
async def test_a_stop_does_not_wait_for_ever(tmp_path, strategy) -> None:
    await stock(tmp_path, 1)
    short = {**strategy, ("graceful_delay" if strategy is SHM else "graceful_timeout"): 0.2}
    with running(tmp_path, strategy=short, agent="forever") as run:
        run.until("begun")
        run.send(signal.SIGINT)
        assert run.to_the_end()[-1] == "returned"
    assert await statuses(tmp_path) == ["failed"]


@EACH
async def test_an_algorithm_that_fails_ends_all(tmp_path, strategy) -> None:
    await stock(tmp_path, 1)
    short = {**strategy, ("graceful_delay" if strategy is SHM else "graceful_timeout"): 0.2}
    with running(tmp_path, strategy=short, agent="forever", algorithm="fails") as run:
        assert run.to_the_end()[-1] == "raised LookupError this algorithm is broken"
    assert await statuses(tmp_path) == ["failed"]


@EACH
@pytest.mark.parametrize("algorithm", [None, "waits"])
async def test_a_runner_that_fails_ends_all(tmp_path, strategy, algorithm) -> None:
    await stock(tmp_path, 1)
    short = {**strategy, ("graceful_delay" if strategy is SHM else "graceful_timeout"): 0.2}
    with running(tmp_path, strategy=short, broken=True, algorithm=algorithm) as run:
        last = run.to_the_end()[-1]
        assert "this runner is broken" in run.errors()
    assert last in (
        "raised LookupError this runner is broken",
        "raised RuntimeError Subprocesses failed with unexpected exit codes: runner-0 (exitcode=1)",
    )
    assert await statuses(tmp_path) == ["queuing"]


async def test_the_work_of_a_process_that_is_killed_goes_to_another(tmp_path) -> None:
    await stock(
        tmp_path, 1, unresponsive_seconds=0.5, max_attempts=2, retry_condition=["unresponsive"]
    )
    with running(tmp_path, strategy=PROCESSES, n_runners=2, agent="once", algorithm="waits") as run:
        _, worker = run.until("hangs")
        os.kill(int(worker), signal.SIGKILL)
        lines = run.to_the_end()
    assert lines[-1].startswith("raised RuntimeError Subprocesses failed")
    assert "(exitcode=-9)" in lines[-1]
    assert await statuses(tmp_path) == ["succeeded"]


async def test_an_exit_code_can_be_allowed(tmp_path) -> None:
    await stock(tmp_path, 1)
    strategy = {**PROCESSES, "allowed_exit_codes": [0, -9]}
    with running(tmp_path, strategy=strategy, agent="forever") as run:
        _, _, worker = run.until("begun")
        os.kill(int(worker), signal.SIGKILL)
        assert run.to_the_end()[-1] == "returned"


async def test_when_all_processes_are_killed_it_ends(tmp_path) -> None:
    await stock(tmp_path, 1)
    strategy = {**PROCESSES, "graceful_timeout": 0.2}
    with running(tmp_path, strategy=strategy, agent="forever", algorithm="waits") as run:
        _, _, worker = run.until("begun")
        os.kill(int(worker), signal.SIGKILL)
        assert "(exitcode=-9)" in run.to_the_end()[-1]


async def test_processes_end_with_the_one_that_started_them(tmp_path) -> None:
    await stock(tmp_path, 4)
    with running(tmp_path, strategy=PROCESSES, n_runners=2, agent="gate") as run:
        run.until("begun")
        run.until("begun")
        run.send(signal.SIGKILL)
        run.until_logged("the process that started it is gone")
        run.go()
        lines = run.to_the_end()
    assert len([line for line in lines if line.startswith("done")]) == 2
    assert await statuses(tmp_path) == ["succeeded"] * 2 + ["queuing"] * 2


@pytest.mark.parametrize(("agent", "step"), [("block", "SIGINT"), ("deaf", "SIGKILL")])
async def test_a_process_that_does_not_end_is_told_with_more_force(tmp_path, agent, step) -> None:
    await stock(tmp_path, 1)
    strategy = {**PROCESSES, "graceful_timeout": 0.1, "terminate_timeout": 0.5}
    with running(tmp_path, strategy=strategy, agent=agent) as run:
        run.until("begun")
        run.send(signal.SIGINT)
        # Ctrl-C was pressed, so how the processes ended is no error.
        assert run.to_the_end()[-1] == "returned"
        assert f"they get {step}" in run.errors()


async def test_the_runner_can_be_in_the_main_process(tmp_path) -> None:
    await stock(tmp_path, 3)
    strategy = {**PROCESSES, "main_process": "runner"}
    with running(tmp_path, strategy=strategy, algorithm="waits") as run:
        _, main = run.until("pid")
        lines = run.to_the_end()
    assert {line.split()[2] for line in lines if line.startswith("begun")} == {main}
    assert lines[-1] == "returned"
    assert await statuses(tmp_path) == ["succeeded"] * 3


async def test_runners_alone(tmp_path) -> None:
    await stock(tmp_path, 4)
    strategy = {**PROCESSES, "role": "runner"}
    with running(tmp_path, strategy=strategy, n_runners=2, max_rollouts=2) as run:
        assert run.to_the_end()[-1] == "returned"
    assert await statuses(tmp_path) == ["succeeded"] * 4


@pytest.mark.parametrize("start", ["spawn", "forkserver"])
async def test_however_processes_are_started(tmp_path, start) -> None:
    await stock(tmp_path, 3)
    with running(tmp_path, strategy=SERVED, n_runners=2, start=start, algorithm="waits") as run:
        assert run.to_the_end()[-2:] == ["algorithm done", "returned"]
    assert await statuses(tmp_path) == ["succeeded"] * 3
