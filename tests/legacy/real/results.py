"""Runs agents whose result goes through `to_result` on the real runner; prints what is stored."""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

import agentlightning as agl
import numpy as np
from agentlightning.adapter import TracerTraceToTriplet
from opentelemetry import trace as otel

from agentlightning_compat.legacy import to_result

Make = Callable[[], Any]


class Agent(agl.LitAgent[Any]):
    def __init__(self, make: Make) -> None:
        super().__init__()
        self.make = make

    def rollout(self, task: Any, resources: Any, rollout: Any) -> Any:
        return to_result(self.make())


def triplet(number: int, reward: float | None, **metadata: Any) -> agl.Triplet:
    return agl.Triplet(
        prompt={"token_ids": [number, 1, 2]},
        response={"token_ids": [number, 3]},
        reward=reward,
        metadata=metadata,
    )


def report(**fields: Any) -> agl.RolloutLegacy:
    return agl.RolloutLegacy(rollout_id="of-another-age", **fields)


def otel_json(
    name: str, span: int, parent: int | None, second: int, attributes: dict[str, Any]
) -> dict[str, Any]:
    return {
        "name": name,
        "context": {"trace_id": f"0x{7:032x}", "span_id": f"0x{span:016x}", "trace_state": "[]"},
        "kind": "SpanKind.INTERNAL",
        "parent_id": None if parent is None else f"0x{parent:016x}",
        "start_time": f"2025-08-01T10:00:{second:02d}.000000Z",
        "end_time": f"2025-08-01T10:00:{second + 1:02d}.500000Z",
        "status": {"status_code": "UNSET"},
        "attributes": attributes,
        "events": [],
        "links": [],
        "resource": {"attributes": {}, "schema_url": ""},
    }


def trace_of_two_calls() -> list[dict[str, Any]]:
    reward = json.dumps({"type": "reward", "value": 0.25})
    return [
        otel_json("session", 1, None, 0, {}),
        otel_json("writer", 2, 1, 2, {"agent.name": "writer"}),
        otel_json(
            "openai.chat.completion",
            3,
            2,
            4,
            {"prompt_token_ids": [1, 2], "response_token_ids": [3], "gen_ai.response.id": "a"},
        ),
        otel_json("judge", 4, 1, 8, {"agentops.entity.output": reward}),
    ]


def dumped_spans() -> list[dict[str, Any]]:
    return [
        agl.Span.from_attributes(
            name="openai.chat.completion",
            attributes={"prompt_token_ids": [5], "response_token_ids": [6]},
            start_time=1_700_000_000.0,
            end_time=1_700_000_001.0,
        ).model_dump()
    ]


def core_fields() -> list[Any]:
    return [agl.emit_reward(0.5, propagate=False)]


def spans_of_0_2() -> list[dict[str, Any]]:
    return [
        {"name": "agentlightning.reward", "attributes": {"reward": 0.75}, "start_time": 1.0},
    ]


CASES: dict[str, Make] = {
    "none": lambda: None,
    "float": lambda: 0.5,
    "int": lambda: 1,
    "bool": lambda: True,
    "np.float64": lambda: np.float64(0.25),
    "np.float32": lambda: np.float32(0.25),
    "np.array of one": lambda: np.array([0.25]),
    "empty list": list,
    "string": lambda: "done",
    "dict": lambda: {"reward": 1.0},
    "tuple": lambda: (1.0, "x"),
    "mixed list": lambda: [1.0, {"a": 1}],
    "triplets": lambda: [triplet(10, 0.1), triplet(20, None), triplet(30, 0.3)],
    "triplets without reward": lambda: [triplet(10, None), triplet(20, None)],
    "triplets of agents": lambda: [
        triplet(10, 0.1, agent_name="writer", response_id="r1"),
        triplet(20, 0.2, agent_name="critic", response_id="r1"),
    ],
    "report of a reward": lambda: report(final_reward=0.5),
    "empty report": report,
    "report of triplets": lambda: report(
        final_reward=1.0, triplets=[triplet(10, 0.1), triplet(20, None)]
    ),
    "report of triplets with another end": lambda: report(
        final_reward=1.0, triplets=[triplet(10, None), triplet(20, 0.5)]
    ),
    "report with metadata and logs": lambda: report(
        final_reward=1.0, metadata={"tries": 3}, logs=["one", "two"]
    ),
    "report of a trace": lambda: report(final_reward=1.0, trace=trace_of_two_calls()),
    "report of a trace and its triplets": lambda: report(
        triplets=[triplet(10, 0.5)], trace=dumped_spans()
    ),
    "otel json": trace_of_two_calls,
    "dumped spans": dumped_spans,
    "spans of 0.2": spans_of_0_2,
    "unknown dicts": lambda: [{"question": "why", "score": 3}],
    "core fields": core_fields,
    "nan": lambda: float("nan"),
    "infinite triplet": lambda: [triplet(1, float("inf"))],
}


def traced_call() -> None:
    tracer = otel.get_tracer("test")
    with tracer.start_as_current_span("openai.chat.completion") as span:
        span.set_attributes({"prompt_token_ids": [7], "response_token_ids": [8]})


def after_call(make: Make) -> Make:
    def run() -> Any:
        traced_call()
        return make()

    return run


CASES["float after a traced call"] = after_call(lambda: 0.5)
CASES["triplets after a traced call"] = after_call(lambda: [triplet(10, 0.1)])


def own_trace() -> Any:
    with otel.get_tracer("test").start_as_current_span("step"):
        pass
    spans = agl.get_active_tracer().get_last_trace()
    return report(final_reward=0.5, trace=[span.model_dump() for span in spans])


CASES["the tracer's own trace"] = own_trace


async def outcome(runner: Any, store: Any, make: Make) -> dict[str, Any]:
    with runner.run_context(agent=Agent(make), store=store):
        try:
            rollout = await runner.step({"q": 1}, resources={}, mode="train")
        except (ValueError, TypeError) as error:
            return {"error": f"{type(error).__name__}: {error}"}
    spans = list(await store.query_spans(rollout.rollout_id))
    writers = TracerTraceToTriplet(agent_match="writer").adapt(spans) if spans else []
    return {
        "status": rollout.status,
        "reward": agl.find_final_reward(spans),
        "triplets": [
            [t.prompt["token_ids"], t.response["token_ids"], t.reward]
            for t in (TracerTraceToTriplet().adapt(spans) if spans else [])
        ],
        "writers": [t.prompt["token_ids"] for t in writers],
        "names": [span.name for span in spans],
        "parents": [span.parent_id for span in spans],
    }


async def main() -> dict[str, Any]:
    store = agl.InMemoryLightningStore()
    runner = agl.LitAgentRunner(agl.OtelTracer())
    return {name: await outcome(runner, store, make) for name, make in CASES.items()}


if __name__ == "__main__":
    json.dump(asyncio.run(main()), sys.stdout)
