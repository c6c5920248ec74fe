"""Spans to adapt: some by hand, and traces at random."""

from __future__ import annotations

import json
import random
from typing import Any

from agentlightning_compat import Span, TraceStatus

CALL = "openai.chat.completion"


def span(id: str, name: str = "step", **given: Any) -> Span:
    """A span of one attempt; `at=(start, end)` in seconds, `above=` the id of its parent."""
    start, end = given.pop("at", (1.0, 2.0))
    made = Span.from_attributes(
        rollout_id="ro-1",
        attempt_id="at-1",
        sequence_id=given.pop("number", 1),
        trace_id="t" * 32,
        span_id=id,
        parent_id=given.pop("above", None),
        name=name,
        attributes=given.pop("attributes", {}),
        start_time=start,
        end_time=end,
        status=TraceStatus(status_code="OK"),
    )
    assert not given
    return made


def call(id: str, *, response_id: str | None = None, **given: Any) -> Span:
    """A span of an LLM call, which says which one it is by its token ids."""
    attributes: dict[str, Any] = {"prompt_token_ids": [1], "response_token_ids": [ord(id[-1])]}
    if response_id is not None:
        attributes["gen_ai.response.id"] = response_id
    return span(id, CALL, attributes=attributes, **given)


def reward(id: str, value: float, **given: Any) -> Span:
    """A span of a reward."""
    attributes = {"agentlightning.reward.0.name": "primary", "agentlightning.reward.0.value": value}
    return span(id, "agentlightning.annotation", attributes=attributes, **given)


def random_trace(seed: int, *, nested: bool) -> list[Span]:
    """A trace of at most 24 spans.

    Which span is within which by time is open unless `nested`; no two intervals are as long, so
    there is one answer to which is the shortest.
    """
    chance = random.Random(seed)
    count = chance.randint(1, 24)
    times = [float(1 << index) for index in range(2 * count)]
    chance.shuffle(times)
    spans = [
        _random_span(chance, f"span{index:012x}", sorted(times[2 * index : 2 * index + 2]), index)
        for index in range(count)
    ]
    spans.sort(key=lambda one: -(one.end_time - one.start_time))
    for index, one in enumerate(spans):
        above = [other for other in spans[:index] if not nested or _encloses(other, one)]
        chosen = chance.choice([*above, *above, None, "missing"]) if above else None
        one.parent_id = chosen.span_id if isinstance(chosen, Span) else chosen
    chance.shuffle(spans)
    return spans


def _encloses(outer: Span, inner: Span) -> bool:
    return outer.start_time < inner.start_time and outer.end_time > inner.end_time


def _random_span(chance: random.Random, id: str, times: list[float], number: int) -> Span:
    kind = chance.choice(
        [*[_call_of_openai] * 4, *[_call_of_weave] * 2, _reward, _reward, _agent, _agent, _other]
    )
    name, attributes = kind(chance)
    sequence = chance.choice([number, number, 3])
    return span(id, name, attributes=attributes, at=(times[0], times[1]), number=sequence)


def _call_of_openai(chance: random.Random) -> tuple[str, dict[str, Any]]:
    made: dict[str, Any] = {
        "gen_ai.request.model": "m",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": chance.choice(
            [
                "hi",
                json.dumps([{"type": "image_url", "image_url": {"url": "http://a"}}, "text"]),
                json.dumps([{"type": "image_url", "image_url": "no dict"}, {"type": "text"}]),
            ]
        ),
        "gen_ai.completion.0.content": "hello",
        "gen_ai.completion.0.finish_reason": "stop",
        "prompt_token_ids": chance.choice([[1, 2], [], "no list"]),
        "response_token_ids": [chance.randrange(1000)],
    }
    if chance.random() < 0.3:
        made["gen_ai.prompt.prompt_filter_results"] = "none"
    if chance.random() < 0.3:
        made["logprobs.content"] = json.dumps([{"token": "a", "logprob": -0.5}])
    if chance.random() < 0.6:
        made["gen_ai.response.id"] = f"r{chance.randrange(4)}"
    if chance.random() < 0.1:
        made["agent.name"] = "caller"
    return chance.choice([CALL, f"{CALL}.create", "openai.chat"]), made


def _call_of_weave(chance: random.Random) -> tuple[str, dict[str, Any]]:
    output = "agentlightning.operation.output"
    tokens = chance.choice(
        [
            "response_token_ids.0",
            "choices.0.token_ids",
            "choices.0.provider_specific_fields.token_ids",
        ]
    )
    return "openai.chat.completions.create openai.chat.completion", {
        "agentlightning.operation.input.model": "m",
        "agentlightning.operation.input.messages.0.role": "user",
        "agentlightning.operation.input.messages.0.content": "hi",
        f"{output}.id": f"w{chance.randrange(3)}",
        f"{output}.prompt_token_ids": [7, 8],
        f"{output}.{tokens}": [9],
        f"{output}.choices.0.message.content": "hello",
    }


def _reward(chance: random.Random) -> tuple[str, dict[str, Any]]:
    value = float(chance.randrange(100))
    return chance.choice(
        [
            (
                "agentlightning.annotation",
                {"agentlightning.reward.0.name": "a", "agentlightning.reward.0.value": value},
            ),
            ("agentlightning.annotation", {"reward": value}),
            (
                "reward.task",
                {"agentops.task.output": json.dumps({"type": "reward", "value": value})},
            ),
            (
                "agentlightning.operation",
                {"agentlightning.operation.name": "agentlightning.reward"},
            ),
        ]
    )


def _agent(chance: random.Random) -> tuple[str, dict[str, Any]]:
    name = chance.choice(["writer", "reader", "checker"])
    return chance.choice(
        [
            ("run", {"agent.name": name}),
            ("run", {"agentops.span.kind": "agent", "operation.name": name}),
            ("run", {"agentops.span.kind": "task", "operation.name": name}),
            ("run", {"recipient_agent_type": name}),
            ("run", {"langchain.chain.type": name}),
            ("run", {"executor.id": name}),
            ("run", {"type": "agent", "agentlightning.operation.input.name": name}),
            ("langchain.Chain.invoke", {"lc_name": name}),
        ]
    )


def _other(chance: random.Random) -> tuple[str, dict[str, Any]]:
    return chance.choice(["step", "tool", "openai.embeddings"]), {"step": chance.randrange(9)}
