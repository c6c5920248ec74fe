"""The triplets are those that the real adapters make of the same spans."""

from __future__ import annotations

import itertools

import pytest

from agentlightning_compat import LlmProxyTraceToTriplet, TracerTraceToTriplet
from tests.adapter.traces import random_trace
from tests.oracles import run_in_oracle

pytestmark = pytest.mark.oracle

_REAL = """
import logging
logging.disable(logging.CRITICAL)
import json, sys
from agentlightning.adapter import LlmProxyTraceToTriplet, TracerTraceToTriplet
from agentlightning.adapter.triplet import RewardMatchPolicy
from agentlightning.types import Span
made = []
for options, spans in json.load(sys.stdin):
    adapter = LlmProxyTraceToTriplet() if options is None else TracerTraceToTriplet(**{
        **options, "reward_match": RewardMatchPolicy(options["reward_match"])})
    triplets = adapter.adapt([Span.model_validate(span) for span in spans])
    made.append([triplet.model_dump() for triplet in triplets])
answer(made)
"""

_OPTIONS = [
    {
        "repair_hierarchy": repair,
        "reward_match": match,
        "agent_match": agent,
        "exclude_llm_call_in_reward": exclude,
        **further,
    }
    for repair, match, agent, exclude, further in itertools.product(
        [True, False],
        ["first_occurrence", "first_sibling"],
        [None, "^writer$", "er"],
        [True, False],
        [{}, {"llm_call_match": r"^openai\\.chat"}, {"_skip_empty_token_spans": True}],
    )
]


def _ours(options, spans):
    adapter = LlmProxyTraceToTriplet() if options is None else TracerTraceToTriplet(**options)
    return [triplet.model_dump() for triplet in adapter(spans)]


def test_triplets_of_random_traces():
    # 0.3.0 loses spans that its repair puts below themselves, so with it spans nest by time.
    of_tracers = [
        (options, random_trace(seed, nested=options["repair_hierarchy"]))
        for seed, options in enumerate(_OPTIONS * 12)
    ]
    of_proxy = [(None, _of_proxy(random_trace(seed, nested=False), seed)) for seed in range(200)]
    cases = [*of_tracers, *of_proxy]
    real = run_in_oracle(
        "0.3.0",
        _REAL,
        [(options, [span.model_dump() for span in spans]) for options, spans in cases],
    )
    for (options, spans), expected in zip(cases, real, strict=True):
        assert _ours(options, spans) == expected, (options, spans)
    _assert_rich(real[: len(of_tracers)], 500, 50)
    _assert_rich(real[len(of_tracers) :], 100, 20)
    made = [triplet for triplets in real[: len(of_tracers)] for triplet in triplets]
    assert sum(triplet["metadata"]["agent_name"] == "writer" for triplet in made) > 50
    assert any(triplet["prompt"]["image_urls"] for triplet in made)


def _assert_rich(made, triplets, rewards):
    """The traces are not all of the kind that there is nothing to see in."""
    found = [triplet for trace in made for triplet in trace]
    assert len(found) > triplets
    assert sum(triplet["reward"] is not None for triplet in found) > rewards


def _of_proxy(spans, seed):
    for index, span in enumerate(spans):
        if "prompt_token_ids" not in span.attributes:
            continue
        if (seed + index) % 2:
            span.name = "litellm_request"
            span.attributes["prompt_token_ids"] = [[1, 2], "[1, 2]", "no list", []][index % 4]
        else:
            span.name = "raw_gen_ai_request"
            vllm = "llm.hosted_vllm"
            span.attributes[f"{vllm}.id"] = f"v{index % 3}"
            span.attributes[f"{vllm}.prompt_token_ids"] = "[5, 6]"
            span.attributes.update(
                [
                    {f"{vllm}.response_token_ids": "[[7, 8], [9]]"},
                    {f"{vllm}.choices": "[{'token_ids': [3]}]"},
                    {f"{vllm}.choices": "[broken"},
                    {f"{vllm}.response_token_ids": "[[]]", f"{vllm}.choices": "[{}]"},
                ][index % 4]
            )
    return spans
