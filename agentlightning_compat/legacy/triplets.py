"""Triplets as the LLM call spans and reward spans that 0.3's triplet adapter reads them back from.

The adapter gives a reward to the last call that ended before it and has none yet, by time. The
spans are therefore laid out on a time line of their own that begins now, behind everything that
was traced: an older span that envelops a call would become its parent.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

from agentlightning_compat.legacy.attributes import (
    as_text,
    flatten,
    flatten_payload,
    token_ids,
)
from agentlightning_compat.legacy.drafts import VIRTUAL, SpanDraft, new_span_id, reward_draft
from agentlightning_compat.legacy.shapes import as_reward

LLM_CALL = "openai.chat.completion"
TRIPLET_METADATA = "agentlightning_compat.triplet.metadata"
_RESPONSE_ID = "gen_ai.response.id"
# Far above the resolution of a float of epoch seconds, far below what anyone can see.
_STEP = 20e-6
_SLOTS = 4
_KNOWN_METADATA = ("request", "response", "response_id", "agent_name")
_KNOWN_PAYLOAD = ("token_ids", "raw_content", "image_urls", "logprobs")


def triplet_drafts(triplets: list[Any], final_reward: float | None = None) -> list[SpanDraft]:
    """Return the spans for `triplets` in order, then the one for `final_reward`.

    A last triplet without a reward gets the final reward, as it does when an agent returns a
    float. If it has one, the final reward is dated before the calls: it stays the last of the
    spans, which is what makes it final, and is given to no earlier triplet by mistake.
    """
    start = time.time()
    drafts: list[SpanDraft] = []
    seen_ids: set[str] = set()
    last_reward: float | None = None
    for index, triplet in enumerate(triplets):
        at = start + (_SLOTS * index + 1) * _STEP
        drafts.extend(_call_drafts(triplet, at, seen_ids))
        last_reward = as_reward(triplet.reward)
        if last_reward is not None:
            drafts.append(reward_draft(last_reward, at + 3 * _STEP))
    if final_reward is not None and final_reward != last_reward:
        behind = start + (_SLOTS * len(triplets) + 1) * _STEP
        drafts.append(reward_draft(final_reward, behind if last_reward is None else start))
    return drafts


def _call_drafts(triplet: Any, at: float, seen_ids: set[str]) -> list[SpanDraft]:
    metadata = getattr(triplet, "metadata", None) or {}
    attributes = {
        **_payload(triplet.prompt, "prompt_token_ids", "gen_ai.prompt"),
        **_payload(triplet.response, "response_token_ids", "gen_ai.completion"),
        **_metadata(metadata),
    }
    # The adapter takes two calls with one response id for the same call traced twice.
    response_id = attributes.get(_RESPONSE_ID)
    if response_id in seen_ids:
        del attributes[_RESPONSE_ID]
    elif response_id is not None:
        seen_ids.add(response_id)
    call = SpanDraft(LLM_CALL, attributes, at, at + _STEP)
    agent = metadata.get("agent_name")
    if not isinstance(agent, str) or agent in ("", "*"):
        return [call]
    # Only a parent can say whose call it was; without one `agent_match` would drop the call.
    parent = SpanDraft(
        VIRTUAL, {"agent.name": agent}, at - _STEP / 2, at + 1.5 * _STEP, span_id=new_span_id()
    )
    return [parent, replace(call, span_id=new_span_id(), parent_id=parent.span_id)]


def _payload(value: Any, ids_name: str, prefix: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        ids = token_ids(value)
        if ids is not None:
            return {ids_name: ids}
        role = {"gen_ai.prompt": "user"}.get(prefix, "assistant")
        return flatten_payload(prefix, [{"role": role, "content": value}] if value else None)
    ids = token_ids(value.get("token_ids"))
    attributes: dict[str, Any] = {} if ids is None else {ids_name: ids}
    content = value.get("raw_content")
    if content is None:
        content = {key: item for key, item in value.items() if key not in _KNOWN_PAYLOAD}
    attributes.update(flatten_payload(prefix, content))
    if value.get("logprobs") is not None:
        attributes["logprobs.content"] = json.dumps(value["logprobs"], default=str)
    return attributes


def _metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for part in ("request", "response"):
        if isinstance(metadata.get(part), dict):
            attributes.update(flatten(f"gen_ai.{part}", metadata[part]))
    response_id = metadata.get("response_id")
    if response_id is not None:
        attributes[_RESPONSE_ID] = as_text(response_id)
    rest = {key: value for key, value in metadata.items() if key not in _KNOWN_METADATA}
    return {**attributes, **flatten(TRIPLET_METADATA, rest)}
