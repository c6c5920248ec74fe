"""Migrated agents give the same rewards on 0.3.0 as their originals gave on 0.1.2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import codemods
from codemods.finding import Finding
from tests.oracles import run_in_oracle

ROOT = Path(__file__).resolve().parents[2]
CODES = ["AGL101", "AGL102", "AGL106", "AGL22", "AGL30"]

AGENTS = """
from agentlightning import LLM, LitAgent, Rollout


class OnlyTraining(LitAgent):
    def training_rollout(self, task, rollout_id, resources):
        return 0.25 if rollout_id and resources["main_llm"].endpoint else 0.5


class Both(LitAgent):
    def training_rollout(self, sample, rid, res):
        def label():
            return f"{rid}:{res['main_llm'].model}"

        return float(label().endswith(":small"))

    def validation_rollout(self, sample, rid, res):
        res = {"main_llm": LLM(endpoint=res["main_llm"].endpoint, model="other")}
        return self.training_rollout(sample, rid, res) + 0.125


class Leaf(OnlyTraining):
    def validation_rollout(self, task, rollout_id, resources):
        return super().training_rollout(task, rollout_id=rollout_id, resources=resources) / 2


class Halved:
    def training_rollout(self, task, rollout_id, resources):
        return super().training_rollout(task, rollout_id, resources) / 2


class Mixed(Halved, OnlyTraining):
    pass


class Asynchronous(LitAgent):
    async def training_rollout_async(self, task, rollout_id, resources, val=False):
        rollout = {"id": rollout_id, "val": val}
        return 0.75 if rollout["val"] else 0.5

    async def validation_rollout_async(self, task, rollout_id, resources):
        return await self.training_rollout_async(task, rollout_id, resources, val=True)


class AsyncTrainingOnly(LitAgent):
    async def training_rollout_async(self, task, rollout_id, resources):
        rollout_id = rollout_id.upper()
        return 0.5 if rollout_id else 0.0


class SyncTrainingAsyncValidation(LitAgent):
    def training_rollout(self, task, rollout_id, resources):
        return 0.5

    async def validation_rollout_async(self, task, rollout_id, resources):
        return 0.75


class Alias(LitAgent):
    async def training_rollout_async(self, task, rollout_id, resources):
        return 0.5

    validation_rollout_async = training_rollout_async


class Reports(LitAgent):
    def training_rollout(self, task, rollout_id, resources):
        return self._execute(task, rollout_id=rollout_id, is_training=True)

    def validation_rollout(self, task, rollout_id, resources):
        rollout = Rollout(rollout_id=rollout_id, final_reward=0.25)
        return rollout

    def _execute(self, task, *, rollout_id, is_training):
        if is_training:
            return Rollout(rollout_id=rollout_id, final_reward=0.75)
        return None


class Nothing(LitAgent):
    def training_rollout(self, task, rollout_id, resources):
        print(rollout_id)
        return {"reward": task}


class Elsewhere(LitAgent):
    def training_rollout(self, task, rollout_id, resources):
        return OnlyTraining().training_rollout(task, f"{rollout_id}-again", resources)


AGENTS = [
    OnlyTraining, Both, Leaf, Mixed, Asynchronous, AsyncTrainingOnly,
    SyncTrainingAsyncValidation, Alias, Reports, Nothing, Elsewhere,
]
"""

# As 0.1.2's runner calls an agent, and as it reads the result.
ON_LEGACY = """
import asyncio

RESOURCES = {"main_llm": LLM(endpoint="http://localhost:1/v1", model="small")}
rewards = {}
for cls in AGENTS:
    for mode in ("train", "val", None):
        agent = cls()
        name = "training_rollout" if mode == "train" else "validation_rollout"
        if cls.training_rollout_async is not LitAgent.training_rollout_async:
            result = asyncio.run(getattr(agent, name + "_async")("task", "id-1", RESOURCES))
        else:
            result = getattr(agent, name)("task", "id-1", RESOURCES)
        result = result.final_reward if isinstance(result, Rollout) else result
        rewards[f"{cls.__name__} {mode}"] = result if isinstance(result, float) else None
answer(rewards)
"""

ON_STORE = """
import asyncio
from agentlightning import InMemoryLightningStore, LitAgentRunner
from agentlightning.emitter import find_final_reward
from agentlightning.tracer import OtelTracer

RESOURCES = {"main_llm": LLM(endpoint="http://localhost:1/v1", model="small")}

async def main():
    rewards = {}
    for cls in AGENTS:
        for mode in ("train", "val", None):
            store, runner = InMemoryLightningStore(), LitAgentRunner(OtelTracer())
            with runner.run_context(agent=cls(), store=store):
                rollout = await runner.step("task", resources=RESOURCES, mode=mode)
            spans = await store.query_spans(rollout.rollout_id)
            rewards[f"{cls.__name__} {mode}"] = find_final_reward(spans)
    return rewards

answer(asyncio.run(main()))
"""


def migrated() -> tuple[str, tuple[Finding, ...]]:
    fixed = codemods.fix_source(AGENTS, select=CODES)
    return fixed.code, fixed.findings


def test_every_legacy_method_of_the_agents_is_rewritten() -> None:
    code, findings = migrated()
    assert "rollout_id, resources)" not in code
    assert [f for f in findings if not f.fixed] == []


@pytest.mark.oracle
def test_same_rewards_in_every_mode() -> None:
    before: dict[str, Any] = run_in_oracle("0.1.2", AGENTS + ON_LEGACY)
    code, _ = migrated()
    path = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    after = run_in_oracle("0.3.0", path + code + ON_STORE)
    assert len(before) == 33
    assert after == before
