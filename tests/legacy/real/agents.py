"""Method hooks, tracing in sync code, adapted tracers and direct calls on the real package."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import agentlightning as agl
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agentlightning_compat.legacy import (
    AgentMethodHook,
    adapt_tracer,
    dev_resources,
    dev_tasks,
    make_rollout,
    resources_update,
    to_result,
    trace_context,
    trace_run,
)

# OpenTelemetry's provider is one per process, and so is the tracer that sets it.
TRACER = agl.OtelTracer()


class HookedAgent(agl.LitAgent[Any]):
    """Legacy hook methods, one sync and one async."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[dict[str, Any]] = []

    def on_rollout_start(self, task: Any, runner: Any, tracer: Any) -> None:
        self.seen.append(
            {
                "started": task.input,
                "mode": task.mode,
                "claims": task.num_claims,
                "metadata": task.metadata,
                "kinds": [type(task).__name__, type(runner).__name__, type(tracer).__name__],
            }
        )

    async def on_rollout_end(self, task: Any, rollout: Any, runner: Any, tracer: Any) -> None:
        self.seen.append(
            {
                "ended": task.input,
                "kind": type(rollout).__name__,
                "same task": rollout.task.rollout_id == task.rollout_id == rollout.rollout_id,
                "final_reward": rollout.final_reward,
                "triplets": [t.reward for t in rollout.triplets or ()],
                "spans": len(rollout.trace or ()),
            }
        )

    def rollout(self, task: Any, resources: Any, rollout: Any) -> Any:
        agl.emit_message("working")
        if task == "float":
            return 0.5
        if task == "triplets":
            triplet = agl.Triplet(
                prompt={"token_ids": [1]}, response={"token_ids": [2]}, reward=0.25
            )
            return to_result([triplet])
        if task == "raise":
            agl.emit_reward(1.0)
            raise ValueError("as planned")
        return None


async def hooks_in_a_runner() -> list[dict[str, Any]]:
    agent = HookedAgent()
    store = agl.InMemoryLightningStore()
    runner = agl.LitAgentRunner(TRACER)
    with runner.run_context(agent=agent, store=store, hooks=[AgentMethodHook()]):
        for task in ("float", "triplets", "none", "raise"):
            with suppress(ValueError):
                await runner.step(task, resources={}, mode="train")
    return agent.seen


def hooks_in_dev() -> dict[str, Any]:
    agent = HookedAgent()
    hook = AgentMethodHook()
    loader = agl.DevTaskLoader(
        tasks=["float", "none"],
        resources={"p": agl.PromptTemplate(template="t", engine="f-string")},
    )
    trainer = agl.Trainer(
        # Only with the algorithm in the main thread does its end stop the runner.
        strategy={"type": "shm", "main_thread": "algorithm"},
        tracer=TRACER,
        algorithm=agl.Baseline(polling_interval=0.1),
        initial_resources=dev_resources(loader),
        runner={"type": "agentlightning.LitAgentRunner", "poll_interval": 0.1},
        hooks=hook,
    )
    trainer.dev(agent, train_dataset=dev_tasks(loader))
    return {
        "is a hook": isinstance(hook, agl.Hook) and isinstance(hook, AgentMethodHook),
        "rewards": [entry["final_reward"] for entry in agent.seen if "ended" in entry],
        "resources": sorted(dev_resources(loader)),
    }


def tracing_in_sync_code() -> dict[str, Any]:
    tracer = TRACER
    found: dict[str, Any] = {}
    with tracer.lifespan():
        with trace_context(tracer, "sync"):
            agl.emit_reward(0.5)
        found["reward"] = agl.find_final_reward(tracer.get_last_trace())
        found["closed"] = agl.get_active_tracer() is None
        try:
            with trace_context(tracer, "failing"):
                agl.emit_reward(0.75)
                raise KeyError("mine")
        except KeyError as error:
            found["raised"] = str(error)
        found["closed after an error"] = agl.get_active_tracer() is None
        found["reward before the error"] = agl.find_final_reward(tracer.get_last_trace())
        found["returned"] = trace_run(tracer, lambda x: (agl.emit_reward(x), x)[1], 0.125)

        async def inside_a_loop() -> Any:
            with trace_context(tracer):
                agl.emit_reward(0.25)
            return agl.find_final_reward(tracer.get_last_trace())

        found["inside a loop"] = asyncio.run(inside_a_loop())
    return found


class OldTracer:
    """As written for 0.1's `BaseTracer`; knows nothing of stores or async."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.flavour = "old"

    def init(self) -> None:
        self.calls.append("init")

    def init_worker(self, worker_id: int) -> None:
        self.calls.append(f"init_worker {worker_id}")

    def teardown_worker(self, worker_id: int) -> None:
        self.calls.append(f"teardown_worker {worker_id}")

    def teardown(self) -> None:
        self.calls.append("teardown")

    @contextmanager
    def trace_context(self, name: str | None = None) -> Iterator[Any]:
        self.exporter.clear()
        yield self.provider.get_tracer("old")

    def get_last_trace(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())


class CallingAgent(agl.LitAgent[Any]):
    def rollout(self, task: Any, resources: Any, rollout: Any) -> Any:
        tracer = self.runner.tracer.provider.get_tracer("old")
        with tracer.start_as_current_span("openai.chat.completion") as span:
            span.set_attributes({"prompt_token_ids": [1, 2], "response_token_ids": [3]})
        with agl.operation(judge="strict"):
            pass
        if task == "emit":
            agl.emit_reward(0.5)
            return None
        return 0.75


async def adapted() -> dict[str, Any]:
    old = OldTracer()
    tracer = adapt_tracer(old)
    store = agl.InMemoryLightningStore()
    runner = agl.LitAgentRunner(tracer)
    found: dict[str, Any] = {"is a tracer": isinstance(tracer, agl.Tracer)}
    with runner.run_context(agent=CallingAgent(), store=store):
        for task in ("emit", "return"):
            done = await runner.step(task, resources={})
            spans = list(await store.query_spans(done.rollout_id))
            found[task] = {
                "status": done.status,
                "names": sorted(span.name for span in spans),
                "numbers": len({span.sequence_id for span in spans}),
                "triplets": [
                    [t.prompt["token_ids"], t.reward]
                    for t in agl.TracerTraceToTriplet().adapt(spans)
                ],
            }
    found["last trace"] = [type(span).__name__ for span in tracer.get_last_trace()]
    found["calls"] = old.calls
    found["own attributes"] = tracer.flavour
    trainer = agl.Trainer(tracer=tracer)
    found["trainer takes it"] = trainer.tracer is tracer
    return found


def values() -> dict[str, Any]:
    class Direct(agl.LitAgent[Any]):
        def rollout(self, task: Any, resources: Any, rollout: Any) -> Any:
            return [task, rollout.rollout_id, rollout.attempt.attempt_id, rollout.mode]

    rollout = make_rollout("q", rollout_id="rollout-1", mode="train")
    task = agl.Task(rollout_id="r", input={"q": 1}, mode="val", resources_id="x")
    update = resources_update("rs-1", {"llm": agl.LLM(endpoint="http://x", model="m")})
    return {
        "direct": Direct().rollout("q", {}, rollout),
        "rollout": isinstance(rollout, agl.AttemptedRollout),
        "update": [type(update).__name__, update.resources_id, update.version],
        "tasks": dev_tasks([task]),
        "loader of tasks": dev_tasks(agl.DevTaskLoader(tasks=[task], resources=update)),
        "resources": sorted(dev_resources(agl.DevTaskLoader(tasks=[task], resources=update))),
    }


def main() -> dict[str, Any]:
    return {
        "hooks in a runner": asyncio.run(hooks_in_a_runner()),
        "hooks in dev": hooks_in_dev(),
        "tracing": tracing_in_sync_code(),
        "adapted": asyncio.run(adapted()),
        "values": values(),
    }


if __name__ == "__main__":
    json.dump(main(), sys.stdout)
