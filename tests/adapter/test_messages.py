"""Conversations of LLM calls."""

from __future__ import annotations

import json

import pytest

from agentlightning_compat import Span, TraceToMessages
from tests.adapter.traces import span
from tests.oracles import run_in_oracle

_PROMPT = "gen_ai.prompt"
_ANSWER = "gen_ai.completion"
_FUNCTION = "gen_ai.request.functions.0"
_TOOL = {
    "tool.name": "add",
    "tool.parameters": '{"a": 1}',
    "tool.call.id": "call-1",
    "tool.call.type": "function",
}


def _chat(*messages: dict, answer: str | None = "yes", **further) -> Span:
    attributes = {
        f"{_PROMPT}.{index}.{key}": value
        for index, message in enumerate(messages)
        for key, value in message.items()
    }
    if answer is not None:
        attributes |= {f"{_ANSWER}.0.role": "assistant", f"{_ANSWER}.0.content": answer}
    return span("call", attributes={**attributes, **further})


_USER = {"role": "user", "content": "2 + 2?"}

CONVERSATIONS = {
    "question and answer": [_chat({"role": "system", "content": "be brief"}, _USER)],
    "several calls, and spans that are none": [_chat(_USER), span("b"), _chat(_USER, answer="4")],
    "a tool was called": [_chat(_USER), span("tool", above="call", attributes=_TOOL)],
    "two tools were called, and a span below them is none": [
        _chat(_USER),
        span("tool1", above="call", attributes=_TOOL),
        span("tool2", above="call", attributes={**_TOOL, "tool.call.id": "call-2"}),
        span("tool3", above="tool2", attributes=_TOOL),
        span("other", above="call", attributes={"x": 1}),
    ],
    "the tool answered": [
        _chat(_USER, {"role": "tool", "content": "4", "tool_call_id": "call-1"}, answer="four")
    ],
    "calls in the history": [
        _chat(
            {
                "role": "assistant",
                "tool_calls.0.id": "i",
                "tool_calls.0.name": "f",
                "tool_calls.0.arguments": "{}",
            }
        )
    ],
    "functions as text": [
        _chat(
            _USER, **{f"{_FUNCTION}.name": "add", f"{_FUNCTION}.parameters": '{"type": "object"}'}
        )
    ],
    "functions, nested": [
        _chat(
            _USER,
            **{
                f"{_FUNCTION}.name": "add",
                f"{_FUNCTION}.description": "adds",
                f"{_FUNCTION}.parameters.type": "object",
            },
        )
    ],
    "nothing said by the assistant": [_chat({"role": "assistant"}, answer=None)],
    "no content": [_chat({"role": "system"}, {"role": "user"})],
    "further fields": [_chat({"role": "developer", "content": "x", "name": "n"})],
    "a request only": [span("a", attributes={"gen_ai.request.model": "m"})],
    "gaps, and what is beside the numbers": [
        span(
            "a",
            attributes={
                f"{_PROMPT}.7.role": "user",
                f"{_PROMPT}.7.content": "b",
                f"{_PROMPT}.3.role": "user",
                f"{_PROMPT}.3.content": "a",
                f"{_PROMPT}.prompt_filter_results": "none",
            },
        )
    ],
    "no answer of the assistant": [span("a", attributes={f"{_ANSWER}.0.role": "user"})],
    "a tool without a conversation": [span("a"), span("b", above="a", attributes={"tool.0.x": 1})],
}

REFUSED = {
    "no role": ([_chat({"content": "x"})], "role"),
    "a strange role": ([_chat({"role": "robot", "content": "x"})], "robot"),
    "the call that a tool answers is missing": (
        [_chat({"role": "tool", "content": "x"})],
        "tool_call_id",
    ),
    "a number is no content": ([_chat({"role": "user", "content": 7})], "content"),
    "a prompt that is no list": ([span("a", attributes={f"{_PROMPT}.role": "user"})], _PROMPT),
    "a response that is a list": (
        [span("a", attributes={"gen_ai.response.0.id": "x"})],
        "gen_ai.response",
    ),
    "a tool call that is a list": (
        [_chat(_USER), span("b", above="call", attributes={"tool.0.x": 1})],
        "tool",
    ),
    "a tool call without an id": (
        [_chat(_USER), span("b", above="call", attributes={"tool.name": "f"})],
        "call",
    ),
    "a function without parameters": ([_chat(_USER, **{f"{_FUNCTION}.name": "f"})], "parameters"),
}


def test_a_call_of_a_tool():
    made = TraceToMessages()(CONVERSATIONS["a tool was called"])
    call = {
        "id": "call-1",
        "type": "function",
        "function": {"name": "add", "arguments": '{"a": 1}'},
    }
    assert made == [
        {
            "messages": [_USER, {"role": "assistant", "content": "yes", "tool_calls": [call]}],
            "tools": None,
        }
    ]


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_conversation_is_refused_by_name(case):
    spans, reason = REFUSED[case]
    with pytest.raises(ValueError, match=reason) as caught:
        TraceToMessages().adapt(spans)
    assert spans[-1].span_id in str(caught.value) or "call" in str(caught.value)


def test_content_of_several_parts():
    parts = {"role": "user", "content.0.type": "text", "content.0.text": "hi"}
    (made,) = TraceToMessages().adapt([_chat(parts, answer=None)])
    assert made["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    json.dumps(made)


def test_calls_of_tools_can_be_asked_for_alone():
    spans = CONVERSATIONS["two tools were called, and a span below them is none"]
    calls = list(TraceToMessages().get_tool_calls(spans[0], spans))
    assert [call["call"]["id"] for call in calls] == ["call-1", "call-2"]


@pytest.mark.oracle
def test_messages_are_those_of_the_real_adapter():
    code = """
import json, sys
from agentlightning.adapter import TraceToMessages
from agentlightning.types import Span
made = []
for spans in json.load(sys.stdin):
    try:
        made.append(TraceToMessages().adapt([Span.model_validate(span) for span in spans]))
    except (KeyError, ValueError):
        made.append("refused")
answer(made)
"""
    cases = [*CONVERSATIONS.values(), *(spans for spans, _ in REFUSED.values())]
    real = run_in_oracle("0.3.0", code, [[one.model_dump() for one in spans] for spans in cases])
    assert real[len(CONVERSATIONS) :] == ["refused"] * len(REFUSED)
    for case, expected in zip(CONVERSATIONS, real[: len(CONVERSATIONS)], strict=True):
        assert TraceToMessages().adapt(CONVERSATIONS[case]) == expected, case
