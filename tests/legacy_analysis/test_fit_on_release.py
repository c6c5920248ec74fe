"""What the rules make of `fit`, run on the real 0.3.0."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import codemods
from tests.projects.programs import Program, WarmProgram

pytestmark = pytest.mark.oracle

SECONDS = 60
ROOT = Path(__file__).resolve().parents[2]
AGENT = """
import sys
from agentlightning import LLM, AgentLightningClient, DevTaskLoader, LitAgent, Trainer


class Echo(LitAgent):
    def training_rollout(self, task, rollout_id, resources):
        print("TASK", task["n"], sorted(resources), flush=True)
        return 1.0


def dev_task_loader() -> DevTaskLoader:
    return DevTaskLoader(
        tasks=[{"n": 1}, {"n": 2}],
        resources={"llm": LLM(endpoint="http://localhost:1/v1", model="m")},
    )

"""
TRIALS = """
def main(loader: DevTaskLoader, told: bool):
    first = Trainer(n_workers=1, dev=True)
    first.fit(Echo(), "http://localhost:1", dev_task_loader())
    print("FIRST", flush=True)
    second = Trainer(n_workers=1, dev=told)
    second.fit(Echo(), "http://localhost:1", loader)
    print("SECOND", flush=True)
    third = Trainer(dev=told)
    told = None
    third.fit(Echo(), backend="http://localhost:1", dev_backend=loader)
    print("THIRD", flush=True)


if __name__ == "__main__":
    main(DevTaskLoader([{"n": 3}], {}), len(sys.argv) > 0)
"""
FLEETS = """
if __name__ == "__main__":
    Trainer(n_workers=2, max_tasks=1).fit(Echo(), "http://127.0.0.1:PORT/")
    print("FIRST", flush=True)
    url = "http://127.0.0.1:PORT"
    trainer = Trainer(max_tasks=1)
    trainer.fit(Echo(), AgentLightningClient(url, poll_interval=0.2))
    print("SECOND", flush=True)

    def launch(trainer: Trainer, url: str):
        trainer.fit(Echo(), url)

    launch(Trainer(max_tasks=1), url)
    print("THIRD", flush=True)
"""
STORE = """
import asyncio
import agentlightning as agl


async def main():
    server = agl.LightningStoreServer(agl.InMemoryLightningStore(), "127.0.0.1", PORT)
    await server.start()
    await server.add_resources({})
    queued = [await server.enqueue_rollout(input={"n": n}, mode="train") for n in range(4)]
    print("UP", flush=True)
    done = await server.wait_for_rollouts(rollout_ids=[r.rollout_id for r in queued], timeout=50)
    print(*[r.status for r in done], flush=True)
    await server.stop()


asyncio.run(main())
"""
OLD = """
import asyncio
import agentlightning as agl


async def main():
    server = agl.AgentLightningServer(host="127.0.0.1", port=PORT)
    await server.start()
    # Empty resources would be "not found" to clients, who drop the task then.
    llm = agl.LLM(endpoint="http://localhost:1/v1", model="m")
    await server.update_resources({"llm": llm})
    queued = [await server.queue_task(sample={"n": n}, mode="train") for n in range(3)]
    print("UP", flush=True)
    for task in queued:
        done = await server.poll_completed_rollout(task, timeout=50)
        print(done.final_reward, flush=True)
    await server.stop()


asyncio.run(main())
"""
STAYING = """
if __name__ == "__main__":
    Trainer(n_workers=1, max_tasks=2).fit(Echo(), "http://127.0.0.1:PORT/")
    Trainer(max_tasks=1).fit(agent=Echo(), backend=AgentLightningClient("http://127.0.0.1:PORT"))
    print("DONE", flush=True)
"""


@contextmanager
def started(folder: Path, name: str, code: str) -> Iterator[Program]:
    """A program on the real release."""
    (folder / name).write_text(code)
    settings = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "AGENTOPS_API_KEY": "dummy"}
    environment = {**os.environ, **settings}
    with WarmProgram("0.3.0", ["-P", name], environment, folder, folder / name) as program:
        yield program


def finish(program: Program) -> list[str]:
    """The lines of our own that a program printed, once it has ended well."""
    assert program.wait(SECONDS) == 0, program.log()[-4000:]
    words = ("TASK", "FIRST", "SECOND", "THIRD", "DONE", "succeeded", "failed", "1.0", "None")
    return [line for line in program.output().splitlines() if line.startswith(words)]


def served(folder: Path, server: str, client: str, mode: str) -> tuple[list[str], list[str]]:
    """What a server and the rewritten client printed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    code = codemods.fix_source((AGENT + client).replace("PORT", port), server=mode).code
    with started(folder, "serve.py", server.replace("PORT", port)) as serving:
        serving.line("UP", SECONDS)
        with started(folder, "client.py", code) as working:
            return finish(working), finish(serving)


def test_trial_runs_end(tmp_path: Path) -> None:
    fixed = codemods.fix_source(AGENT + TRIALS)
    with started(tmp_path, "trials.py", fixed.code) as program:
        lines = finish(program)
    assert lines == [
        "TASK 1 ['llm']",
        "TASK 2 ['llm']",
        "FIRST",
        "TASK 3 []",
        "SECOND",
        "TASK 3 []",
        "THIRD",
    ]


def test_fleets_work_for_a_store_server(tmp_path: Path) -> None:
    lines, server = served(tmp_path, STORE, FLEETS, "store")
    assert sorted(lines[:2]) == ["TASK 0 []", "TASK 1 []"]
    assert lines[2:] == ["FIRST", "TASK 2 []", "SECOND", "TASK 3 []", "THIRD"]
    assert server == ["succeeded succeeded succeeded succeeded"]


def test_old_server_stays(tmp_path: Path) -> None:
    lines, server = served(tmp_path, OLD, STAYING, "legacy")
    assert lines == ["TASK 0 ['llm']", "TASK 1 ['llm']", "TASK 2 ['llm']", "DONE"]
    assert server == ["1.0", "1.0", "1.0"]
