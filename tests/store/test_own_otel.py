"""Spans of the OpenTelemetry SDK, which is in the environment of the real release."""

from __future__ import annotations

import pytest

from tests.oracles import run_in_oracle

pytestmark = pytest.mark.oracle

_RUN = """
import asyncio, json, sys
sys.path.insert(0, json.load(sys.stdin))
from opentelemetry.sdk.trace import TracerProvider
from agentlightning_compat.store.memory import InMemoryLightningStore
tracer = TracerProvider().get_tracer("here")

def made(name):
    with tracer.start_as_current_span(name) as span:
        span.set_attribute("n", 1)
    return span

async def main():
    store = InMemoryLightningStore()
    rollout = await store.start_rollout("task")
    key = (rollout.rollout_id, rollout.attempt.attempt_id)
    first = made("first")
    found = [
        await store.add_otel_span(*key, first),
        await store.add_otel_span(*key, made("explicit"), 7),
        await store.add_otel_span(*key, made("after")),
        await store.add_otel_span(*key, first),
    ]
    stored = await store.query_spans(rollout.rollout_id)
    try:
        await store.add_otel_span("nobody", "x", first)
    except ValueError as error:
        refused = type(error).__name__
    answer({
        "returned": [span and [span.name, span.sequence_id] for span in found],
        "stored": [[span.name, span.sequence_id, span.attributes] for span in stored],
        "refused": refused,
    })

asyncio.run(main())
"""


def test_spans_of_the_sdk_are_numbered_and_stored_once(request):
    assert run_in_oracle("0.3.0", _RUN, str(request.config.rootpath)) == {
        "returned": [["first", 1], ["explicit", 7], ["after", 8], None],
        "stored": [["first", 1, {"n": 1}], ["explicit", 7, {"n": 1}], ["after", 8, {"n": 1}]],
        "refused": "RolloutNotFoundError",
    }
