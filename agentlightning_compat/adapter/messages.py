"""Chat messages, as OpenAI's fine-tuning takes them, from the spans that a tracer took."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypedDict

from agentlightning_compat.adapter.base import TraceAdapter
from agentlightning_compat.model import Span

# What a message of a role has besides the role.
_FIELDS: dict[str, tuple[str, ...]] = {
    "developer": ("content",),
    "system": ("content",),
    "user": ("content",),
    "assistant": ("content",),
    "tool": ("content", "tool_call_id"),
}


class OpenAIMessages(TypedDict):
    """A conversation, and the tools that the model could call."""

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None


class TraceToMessages(TraceAdapter[list[OpenAIMessages]]):
    """Makes a conversation of each LLM call: what was asked, what came back, and the tools.

    The tools that were called are spans right below the call.
    """

    def adapt(self, source: Sequence[Span], /) -> list[OpenAIMessages]:
        """The conversations, in the order of the spans.

        Raises:
            ValueError: a span says something that is no conversation; the text names it.
        """
        children: dict[str, list[Span]] = defaultdict(list)
        for span in source:
            if span.parent_id is not None:
                children[span.parent_id].append(span)
        return [
            made
            for span in source
            if (made := _conversation(span, children[span.span_id])) is not None
        ]

    def get_tool_calls(
        self, completion: Span, all_spans: Sequence[Span], /
    ) -> Iterable[dict[str, Any]]:
        """What the spans right below a call say of the tools that it called.

        Raises:
            ValueError: a span says something that is no call of a tool.
        """
        below = [span for span in all_spans if span.parent_id == completion.span_id]
        return iter(_tool_calls(below))


def _conversation(span: Span, below: list[Span]) -> OpenAIMessages | None:
    asked = _part(span, "gen_ai.prompt", list)
    answered = _part(span, "gen_ai.completion", list)
    request = _part(span, "gen_ai.request", dict)
    response = _part(span, "gen_ai.response", dict)
    if not (asked or answered or request or response):
        return None
    calls = _tool_calls(below)
    try:
        tools = request.get("functions")
        return OpenAIMessages(
            messages=[
                *(_asked(message) for message in asked),
                *_answers(answered, calls),
            ],
            tools=None if tools is None else [_tool(tool) for tool in tools],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(
            f"span {span.span_id} ({span.name}) is no conversation: {error!r}"
        ) from error


def _part(span: Span, prefix: str, kind: type) -> Any:
    found = group_genai_dict(span.attributes, prefix)
    if found and not isinstance(found, kind):
        raise ValueError(f"{prefix} of span {span.span_id} ({span.name}) is no {kind.__name__}")
    return found or kind()


def _tool_calls(spans: Sequence[Span]) -> list[dict[str, Any]]:
    return [call for span in spans if (call := _part(span, "tool", dict))]


def _asked(message: dict[str, Any]) -> dict[str, Any]:
    role = message["role"]
    if role == "assistant" and "tool_calls" in message:
        calls = [
            _call(call["id"], "function", call["name"], call["arguments"])
            for call in message["tool_calls"]
        ]
        return {"role": role, "content": None, "tool_calls": calls}
    if role not in _FIELDS:
        raise ValueError(f"a message is of {', '.join(_FIELDS)}, not of {role!r}")
    return {"role": role, **{name: _field(message, role, name) for name in _FIELDS[role]}}


def _field(message: dict[str, Any], role: str, name: str) -> Any:
    value = message.get(name, "" if name == "content" else None)
    # Contents may have parts, such as images; an assistant that calls tools may say nothing.
    accepted = (str, list) if name == "content" else (str,)
    if isinstance(value, accepted) or (value is None and role == "assistant"):
        return value
    raise ValueError(f"the {name} of a message of {role!r} is {value!r}")


def _answers(answered: list[dict[str, Any]], calls: list[dict[str, Any]]) -> Iterator[Any]:
    for answer in answered:
        if answer.get("role") != "assistant":
            continue
        made: dict[str, Any] = {"role": "assistant", "content": answer.get("content")}
        if calls:
            made["tool_calls"] = [
                _call(call["call"]["id"], call["call"]["type"], call["name"], call["parameters"])
                for call in calls
            ]
        yield made


def _call(id: Any, kind: Any, name: Any, arguments: Any) -> dict[str, Any]:
    return {"id": id, "type": kind, "function": {"name": name, "arguments": arguments}}


def _tool(function: dict[str, Any]) -> dict[str, Any]:
    parameters = function["parameters"]
    return {
        "type": "function",
        "function": {
            "name": function["name"],
            "description": function.get("description", ""),
            "parameters": json.loads(parameters) if isinstance(parameters, str) else parameters,
        },
    }


def group_genai_dict(data: Mapping[str, Any], prefix: str) -> Any:
    """What is below the prefix, nested.

    Numbers make a list, whichever are missing, and what is beside them is left out.
    """
    below = f"{prefix}."
    nested: dict[str, Any] = {}
    for key, value in data.items():
        if not key.startswith(below):
            continue
        *parents, last = key[len(below) :].split(".")
        node = nested
        for part in parents:
            child = node.get(part)
            if not isinstance(child, dict):
                child = node[part] = {}
            node = child
        # What is further down says more.
        if not isinstance(node.get(last), dict):
            node[last] = value
    return _listed(nested)


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    numbers = sorted((key for key in node if key.isdigit()), key=int)
    if numbers:
        return [_listed(node[number]) for number in numbers]
    return {key: _listed(value) for key, value in node.items()}
