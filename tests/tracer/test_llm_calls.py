"""Calls of OpenAI's client, traced by the real AgentOps and by a real instrumentation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import agentlightning_compat
from tests.llm_stub import tokens
from tests.tracer.llm_program import COUNT

_ROOT = Path(__file__).parents[2]


def _run(code: list[str], folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    for name in ("AGENTOPS_API_KEY", "AGENTOPS_LOGGING_TO_FILE"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, *code],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=["agentops", "instrumentation"])
def traced(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("llm")
    answer = _run(["-m", "tests.tracer.llm_program", request.param], folder)
    return request.param, json.loads(answer.splitlines()[-1])


def test_each_call_is_a_triplet_of_its_rollout_with_its_reward(traced):
    kind, found = traced
    assert len(found["rollouts"]) == COUNT
    for number, rollout in enumerate(found["rollouts"]):
        assert rollout["status"] == ("failed" if number == COUNT - 1 else "succeeded")
        triplets = rollout["triplets"]
        assert [triplet["reward"] for triplet in triplets] == [number, number + 0.5]
        for step, triplet in zip(("first", "second"), triplets, strict=True):
            text = f"{step} {number}"
            assert text in json.dumps(triplet["prompt"]["raw_content"])
            assert text in json.dumps(triplet["response"]["raw_content"])
            if kind == "agentops":
                assert triplet["prompt"]["token_ids"] == tokens(text)
                assert triplet["response"]["token_ids"] == tokens(text)


def test_nothing_leaves_the_machine_and_nothing_is_left_behind(traced):
    _, found = traced
    assert found["connected"] == ["127.0.0.1"]
    assert found["threads"] == []
    assert found["files"] == []


def test_agentops_has_a_span_above_each_rollout(traced):
    kind, found = traced
    if kind != "agentops":
        return
    for number, rollout in enumerate(found["rollouts"]):
        (above,) = [made for name, made in rollout["spans"] if name.endswith(".session")]
        state = "ERROR" if number == COUNT - 1 else "OK"
        assert above["agentops.session.end_state"] == f"StatusCode.{state}"


def test_an_agentops_of_the_users_own_has_to_be_there(tmp_path):
    code = """
from agentlightning_compat import AgentOpsTracer
try:
    AgentOpsTracer(agentops_managed=False).init_worker(0)
except RuntimeError as error:
    assert "agentops.init()" in str(error)
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
mine = TracerProvider()
trace.set_tracer_provider(mine)
first = AgentOpsTracer()
second = AgentOpsTracer(agentops_managed=False, instrument_managed=False)
for tracer in (first, second):
    with tracer.lifespan():
        assert tracer.trace_run(lambda: 7) == 7
        print(*[span.name for span in tracer.get_last_trace()])
assert trace.get_tracer_provider() is mine
"""
    assert _run(["-c", code], tmp_path).split() == ["<lambda>.session"] * 2


def test_without_agentops_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "agentops", None)
    with pytest.raises(NotImplementedError, match=r"agentlightning-compat\[agentops\]"):
        agentlightning_compat.AgentOpsTracer().init_worker(0)
