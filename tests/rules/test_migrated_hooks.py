"""Hooks of migrated agents see on 0.3.0 what they saw on the legacy runner of 0.2.2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import codemods
from codemods.finding import Finding
from tests.oracles import run_in_oracle

ROOT = Path(__file__).resolve().parents[2]

REGISTERED = """
import asyncio

from agentlightning import LLM, LitAgent, Trainer

LOG = []


class Base(LitAgent):
    def training_rollout(self, task, rollout_id, resources):
        return 0.5

    def on_rollout_start(self, task, runner, tracer):
        super().on_rollout_start(task, runner, tracer)
        LOG.append(["base starts", task.input])

    def on_rollout_end(self, task, rollout, runner, tracer):
        LOG.append(["base ends", rollout.final_reward])


class Leaf(Base):
    def on_rollout_end(self, task, rollout, runner, tracer):
        super().on_rollout_end(task, rollout, runner, tracer)
        LOG.append(["leaf ends", type(task).__name__, task.input, task.mode])


class Stays(LitAgent):
    def training_rollout(self, task, rollout_id, resources):
        return 1.0

    async def send(self, *what):
        LOG.append(["sent", *what])

    def on_rollout_end(self, task, rollout, runner, tracer):
        asyncio.run(self.send(type(task).__name__, rollout.final_reward, type(rollout).__name__))


class Notes:
    def on_rollout_start(self, task, runner, tracer):
        LOG.append([self.name, task.input])


class First(Notes, LitAgent):
    name = "first"

    def training_rollout(self, task, rollout_id, resources):
        return 0.0


class Second(Notes, LitAgent):
    name = "second"

    def training_rollout(self, task, rollout_id, resources):
        return 0.0


def train(agent):
    Trainer(n_workers=1).fit_v0(agent, "http://localhost:9999")


def main():
    train(Leaf())
    Trainer(n_workers=1).fit_v0(Stays(), "http://localhost:9999")
    trainer = Trainer(n_workers=1)
    trainer.fit_v0(First(), "http://localhost:9999")
    trainer.fit_v0(Second(), "http://localhost:9999")
"""
MOVED = """
import asyncio

from agentlightning import LLM, LitAgent, Trainer

LOG = []


class Moved(LitAgent):
    def __init__(self):
        super().__init__()
        self.turns = {}

    def training_rollout(self, task, rollout_id, resources):
        if task == "fails":
            raise RuntimeError(task)
        self.turns[rollout_id] += 1
        return 0.25 * len(task)

    def on_rollout_start(self, task, runner, tracer):
        self.turns[task.rollout_id] = 0
        LOG.append(["start", task.input, task.mode, task.metadata.get("x"), tracer is runner.tracer])

    def on_rollout_end(self, task, rollout, runner, tracer):
        same = task.rollout_id == rollout.rollout_id
        LOG.append(["end", rollout.final_reward, self.turns.pop(task.rollout_id), same])


class Awaits(LitAgent):
    def training_rollout(self, task, rollout_id, resources):
        return 1.0

    async def send(self, *what):
        LOG.append(["sent", *what])

    def on_rollout_end(self, task, rollout, runner, tracer):
        asyncio.run(self.send(task.input, rollout.final_reward))


def main():
    trainer = Trainer(n_workers=1)
    trainer.fit_v0(Moved(), "http://localhost:9999")
    Trainer(n_workers=1).fit_v0(Awaits(), "http://localhost:9999")
"""

TASKS = ["four", "fails", "a"]

ON_LEGACY = f"""
from agentlightning import DevTaskLoader
from agentlightning.adapter import TracerTraceToTriplet
from agentlightning.runner import LegacyAgentRunner
from agentlightning.tracer import AgentOpsTracer
from agentlightning.types import Task

RESOURCES = {{"main_llm": LLM(endpoint="http://localhost:1/v1", model="small")}}
tracer = AgentOpsTracer()
tracer.init()
tracer.init_worker(0)

def run(self, agent, url):
    tasks = [Task(rollout_id=f"id-{{i}}", input=t, mode="train") for i, t in enumerate({TASKS!r})]
    loader = DevTaskLoader(tasks=tasks, resources=RESOURCES)
    runner = LegacyAgentRunner(agent, loader, tracer, TracerTraceToTriplet(), max_tasks=len(tasks))
    assert runner.iter() == len(tasks)

Trainer.fit_v0 = run
main()
answer(LOG)
"""

ON_STORE = f"""
from contextlib import suppress

from agentlightning import InMemoryLightningStore, LitAgentRunner
from agentlightning.tracer import OtelTracer

RESOURCES = {{"main_llm": LLM(endpoint="http://localhost:1/v1", model="small")}}
started = []
Trainer.fit = lambda trainer, agent: started.append((agent, trainer.hooks))
main()

async def run():
    for agent, hooks in started:
        for task in {TASKS!r}:
            store, runner = InMemoryLightningStore(), LitAgentRunner(OtelTracer())
            with runner.run_context(agent=agent, store=store, hooks=hooks):
                with suppress(RuntimeError):
                    await runner.step(task, resources=RESOURCES, mode="train")

asyncio.run(run())
answer(LOG)
"""

PROGRAMS = {"moved": MOVED, "registered": REGISTERED}


def migrated(source: str) -> tuple[str, tuple[Finding, ...]]:
    fixed = codemods.fix_source(source)
    return fixed.code, fixed.findings


def test_hooks_of_plain_agents_become_classes() -> None:
    code, findings = migrated(MOVED)
    for name in ("MovedHook", "AwaitsHook"):
        assert f"class {name}(Hook)" in code
        assert f"hooks=[{name}()]" in code
    assert [f for f in findings if not f.fixed] == []


def test_other_hooks_stay_and_are_registered() -> None:
    code, findings = migrated(REGISTERED)
    assert code.count("hooks=[AgentMethodHook()]") == 3
    assert "(Hook)" not in code
    assert [f for f in findings if not f.fixed] == []


@pytest.mark.oracle
@pytest.mark.parametrize("program", PROGRAMS)
def test_hooks_see_the_same(program: str) -> None:
    source = PROGRAMS[program]
    before: list[Any] = run_in_oracle("0.2.2", source + ON_LEGACY)
    code, _ = migrated(source)
    path = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    after = run_in_oracle("0.3.0", path + code + ON_STORE)
    assert len(before) >= 6
    assert after == before
