"""What agents returned becomes the report that a real legacy runner makes of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import agentlightning_compat as agl
from agentlightning_compat.legacy.raw_results import to_report
from tests.oracles import run_in_oracle

REAL = """
import sys, json
import agentlightning as agl
from agentlightning.runner.legacy import LegacyAgentRunner

class Tracer(agl.DummyTracer):
    def __init__(self, spans): self.spans = spans
    def get_last_trace(self): return self.spans

def made(case):
    spans = [agl.Span.model_validate(item) for item in case["traced"]]
    exporter = agl.TracerTraceToTriplet()
    runner = LegacyAgentRunner(None, None, Tracer(spans), exporter)
    kind, value = case["returned"]
    if kind == "triplets":
        value = [agl.Triplet.model_validate(item) for item in value]
    elif kind == "report":
        value = agl.RolloutLegacy.model_validate(value)
    elif kind == "spans":
        value = [agl.Span.model_validate(item) for item in value]
    try:
        return runner._to_rollout_object(value, "rollout-1").model_dump(mode="json")
    except Exception as error:
        return type(error).__name__

answer([made(case) for case in json.load(sys.stdin)])
"""


def ours(case):
    kind, value = case["returned"]
    if kind == "triplets":
        value = [agl.Triplet.model_validate(item) for item in value]
    elif kind == "report":
        value = agl.RolloutLegacy.model_validate(value)
    elif kind == "spans":
        value = [agl.Span.model_validate(item) for item in value]
    traced = [agl.Span.model_validate(item) for item in case["traced"]]
    export = agl.TracerTraceToTriplet().adapt
    return to_report(value, "rollout-1", traced, export).model_dump(mode="json")


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
TRIPLETS = st.builds(
    lambda n, reward: {
        "prompt": {"token_ids": [n]},
        "response": {"token_ids": [n]},
        "reward": reward,
    },
    st.integers(0, 9),
    st.none() | NUMBERS,
)


def span(number, kind, reward, parent):
    attributes = {
        "call": {"gen_ai.response.id": f"r{number}", "prompt_token_ids": [1, number]},
        "reward": {
            "agentlightning.reward.0.name": "primary",
            "agentlightning.reward.0.value": reward,
        },
        "other": {"x": number},
    }[kind]
    name = {"call": "openai.chat.completion", "reward": "agentlightning.annotation"}.get(kind, "s")
    return {
        "rollout_id": "rollout-1",
        "attempt_id": "a",
        "sequence_id": number + 1,
        "trace_id": "a" * 32,
        "span_id": f"{number + 1:016x}",
        "parent_id": f"{parent + 1:016x}" if parent < number else None,
        "name": name,
        "status": {"status_code": "OK", "description": None},
        "attributes": attributes,
        "events": [],
        "links": [],
        "start_time": 10.0 + number,
        "end_time": 10.5 + number,
        "context": None,
        "parent": None,
        "resource": {"attributes": {}, "schema_url": ""},
    }


PLAN = st.tuples(st.sampled_from(["call", "reward", "other"]), NUMBERS, st.integers(0, 9))
SPANS = st.lists(PLAN, max_size=6).map(
    lambda plan: [span(n, kind, reward, parent) for n, (kind, reward, parent) in enumerate(plan)]
)
REPORTS = st.fixed_dictionaries(
    {"rollout_id": st.just("other")},
    optional={
        "final_reward": NUMBERS,
        "triplets": st.lists(TRIPLETS, max_size=2),
        "trace": st.just([{"name": "own"}]),
        "logs": st.just(["line"]),
        "metadata": st.just({"m": 1}),
    },
)
RETURNED = st.one_of(
    st.tuples(st.just("plain"), st.none() | NUMBERS | st.booleans() | st.integers(-3, 3)),
    st.tuples(st.just("plain"), st.text(max_size=3) | st.just({"a": 1}) | st.just([])),
    st.tuples(st.just("plain"), st.just([{"name": "x"}, {"y": 2}]) | st.just([1, "mixed"])),
    st.tuples(st.just("triplets"), st.lists(TRIPLETS, max_size=3)),
    st.tuples(st.just("report"), REPORTS),
    st.tuples(st.just("spans"), SPANS),
)
CASES = st.lists(
    st.fixed_dictionaries({"returned": RETURNED, "traced": SPANS}), min_size=120, max_size=120
)


@pytest.mark.oracle
@settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[*settings().phases][:3],
)
@given(cases=CASES)
def test_reports_equal_those_of_the_real_runner(cases):
    cases = json.loads(json.dumps(cases))
    for case, real in zip(cases, run_in_oracle("0.3.0", REAL, cases), strict=True):
        assert json.loads(json.dumps(ours(case))) == real, case
