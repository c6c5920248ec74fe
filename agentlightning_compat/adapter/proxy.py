"""Triplets from the spans of LiteLLM's proxy."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from agentlightning_compat.adapter.base import TraceToTripletBase
from agentlightning_compat.adapter.contents import token_ids
from agentlightning_compat.emitter.reward import get_reward_value
from agentlightning_compat.model import Span, Triplet

_VLLM = "llm.hosted_vllm"


class _Tokens(NamedTuple):
    asked: list[int]
    answered: list[int]


class LlmProxyTraceToTriplet(TraceToTripletBase):
    """Makes triplets of token ids. The order is that of sequence ids only.

    Clocks of a proxy and of a runner may differ, so times mean nothing here. A reward belongs to
    the latest call before it that has none yet.
    """

    def adapt(self, source: Sequence[Span], /) -> list[Triplet]:
        """The triplets of the spans of one attempt."""
        triplets: list[Triplet] = []
        unrewarded: list[tuple[int, Triplet]] = []
        seen: set[str] = set()
        for span in sorted(source, key=lambda span: (span.sequence_id, span.start_time or 0.0)):
            tokens = _tokens(span)
            response_id = _response_id(span.attributes)
            if tokens is not None and response_id not in seen:
                triplets.append(_triplet(tokens, response_id))
                unrewarded.append((span.sequence_id, triplets[-1]))
                if response_id is not None:
                    seen.add(response_id)
            reward = get_reward_value(span)
            if reward is not None:
                _give(reward, span.sequence_id, unrewarded)
        return triplets


def _give(reward: float, sequence_id: int, unrewarded: list[tuple[int, Triplet]]) -> None:
    at = len(unrewarded) - 1
    while at >= 0 and unrewarded[at][0] == sequence_id:
        at -= 1  # one at the same time is not before it
    if at >= 0:
        unrewarded.pop(at)[1].reward = reward


def _triplet(tokens: _Tokens, response_id: str | None) -> Triplet:
    return Triplet(
        prompt={"token_ids": tokens.asked},
        response={"token_ids": tokens.answered},
        metadata={"response_id": response_id},
    )


def _response_id(attributes: Mapping[str, Any]) -> str | None:
    found = attributes.get("gen_ai.response.id") or attributes.get(f"{_VLLM}.id")
    return found if isinstance(found, str) and found else None


def _tokens(span: Span) -> _Tokens | None:
    """The token ids of a call, if the span has both."""
    if span.name == "raw_gen_ai_request":
        found = _of_vllm(span.attributes)
    elif span.name == "litellm_request":
        found = _Tokens(
            _ids(span.attributes.get("prompt_token_ids")),
            _ids(span.attributes.get("response_token_ids")),
        )
    else:
        return None
    return found if found.asked and found.answered else None


def _of_vllm(attributes: Mapping[str, Any]) -> _Tokens:
    answered = _first(_read(attributes.get(f"{_VLLM}.response_token_ids")))
    ids = _ids(answered) if isinstance(answered, (list, tuple)) else []
    if not ids:
        choice = _first(_read(attributes.get(f"{_VLLM}.choices")))
        ids = _ids(choice.get("token_ids")) if isinstance(choice, dict) else []
    return _Tokens(_ids(attributes.get(f"{_VLLM}.prompt_token_ids")), ids)


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, (list, tuple)) and value else None


def _ids(value: Any) -> list[int]:
    return token_ids(_read(value)) or []


def _read(value: Any) -> Any:
    """What a text says in Python's own notation, in which LiteLLM writes such things."""
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return value
