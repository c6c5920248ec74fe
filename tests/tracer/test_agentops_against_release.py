"""An agent traced by AgentOps under the real 0.3.0 and under this package: the same spans."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.llm_stub import llm_stub
from tests.oracles import run_in_oracle

pytestmark = pytest.mark.oracle

_PROGRAM = """
import asyncio, json, sys

async def scenario(agl, base_url):
    tracer, found = agl.AgentOpsTracer(), {}
    with tracer.lifespan():
        import openai
        client = openai.OpenAI(base_url=base_url, api_key="none")
        later = openai.AsyncOpenAI(base_url=base_url, api_key="none")
        tools = [{"type": "function", "function": {
            "name": "add", "description": "adds", "parameters": {"type": "object"}}}]

        async def talk():
            ask = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}]
            client.chat.completions.create(model="m", messages=ask, temperature=0.5)
            agl.emit_reward(0.25)
            await later.chat.completions.create(model="m", messages=ask, max_tokens=9)

        async def calls_a_tool():
            with agl.operation(name="step"):
                ask = [{"role": "user", "content": "please add"}]
                client.chat.completions.create(model="m", messages=ask, tools=tools)
            agl.emit_reward(1.0)

        async def fails():
            agl.emit_message("before")
            raise ValueError("bad")

        for function in (talk, calls_a_tool, fails):
            try:
                async with tracer.trace_context(function.__name__):
                    await function()
            except ValueError:
                pass
            found[function.__name__] = tracer.get_last_trace()
        client.close()
        await later.close()
    return {name: described(agl, spans) for name, spans in found.items()}

def described(agl, spans):
    names = {span.span_id: span.name for span in spans}
    adapted = agl.TracerTraceToTriplet()(spans)
    return {
        "spans": [
            [span.name, names.get(span.parent_id), span.status.model_dump(), values(span)]
            for span in spans
        ],
        "triplets": json.loads(json.dumps([triplet.model_dump() for triplet in adapted])),
        "messages": agl.TraceToMessages()(spans),
    }

def values(span):
    made = {key: list(v) if isinstance(v, tuple) else v for key, v in span.attributes.items()}
    # AgentOps gives these as values that not all releases of OpenTelemetry take.
    made.pop("agentops.session.end_state", None)
    if span.name.startswith("tool_call"):
        made.pop("agentops.span.kind", None)
    return made
"""
_RULES = [
    {"when": "add", "call": "add", "arguments": {"a": 1}},
    {"say": "echo"},
]


def _ours(base_url: str, folder: Path):
    code = f"""{_PROGRAM}
import agentlightning_compat
print(json.dumps(asyncio.run(scenario(agentlightning_compat, {base_url!r}))))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _real(base_url: str):
    end = f"import agentlightning\nanswer(asyncio.run(scenario(agentlightning, {base_url!r})))"
    return run_in_oracle("0.3.0", _PROGRAM + end)


def test_spans_triplets_and_messages_are_the_same(tmp_path):
    with llm_stub(_RULES) as base_url:
        real = _real(base_url)
    with llm_stub(_RULES) as base_url:
        ours = _ours(base_url, tmp_path)
    assert list(ours) == list(real)
    for name in real:
        assert ours[name] == real[name], name
    assert len(real["talk"]["triplets"]) == 2
    assert any(span[0].startswith("tool_call") for span in real["calls_a_tool"]["spans"])
