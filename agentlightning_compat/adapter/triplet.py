"""Triplets from the spans that a tracer took."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from agentlightning_compat.adapter.base import TraceToTripletBase, as_spans
from agentlightning_compat.adapter.calls import RESPONSE_ID, Call, CallFinder
from agentlightning_compat.adapter.contents import (
    first_nested,
    first_text,
    first_token_ids,
    image_urls,
    logprobs,
)
from agentlightning_compat.adapter.repair import repair_hierarchy as repair
from agentlightning_compat.adapter.rewards import RewardMatchPolicy, match_rewards
from agentlightning_compat.adapter.tree import TraceTree
from agentlightning_compat.model import SpanLike, Triplet

_log = logging.getLogger(__name__)

# Where Weave's tracer keeps what was asked and what came back.
_ASKED = "agentlightning.operation.input"
_ANSWERED = "agentlightning.operation.output"
_PROMPT_IDS = ("prompt_token_ids", f"{_ANSWERED}.prompt_token_ids")
_RESPONSE_IDS = (
    "response_token_ids",
    f"{_ANSWERED}.response_token_ids.0",
    f"{_ANSWERED}.choices.0.token_ids",
    f"{_ANSWERED}.choices.0.provider_specific_fields.token_ids",
)
# The last of each is what OpenTelemetry's conventions say today.
_PROMPTS = ("gen_ai.prompt", f"{_ASKED}.messages", "gen_ai.input.messages")
_COMPLETIONS = ("gen_ai.completion", f"{_ANSWERED}.choices", "gen_ai.output.messages")
# Messages and token ids have places of their own in a triplet.
_NO_REQUEST = ("messages",)
_NO_RESPONSE = ("choices", "prompt_token_ids", "response_token_ids")


class TracerTraceToTriplet(TraceToTripletBase):
    """Makes a triplet of each LLM call that a tracer saw, with the reward that belongs to it.

    Args:
        repair_hierarchy: put spans at the root below the span that they happened within.
        llm_call_match: regular expression for the names of spans of LLM calls.
        agent_match: regular expression for the names of agents whose calls are wanted; all
            calls without it.
        exclude_llm_call_in_reward: leave out calls that were made to find a reward.
        reward_match: which call a reward belongs to.
    """

    def __init__(
        self,
        repair_hierarchy: bool = True,
        llm_call_match: str = r"openai\.chat\.completion",
        agent_match: str | None = None,
        exclude_llm_call_in_reward: bool = True,
        reward_match: RewardMatchPolicy = RewardMatchPolicy.FIRST_OCCURRENCE,
        _skip_empty_token_spans: bool = False,
    ) -> None:
        self.repair_hierarchy = repair_hierarchy
        self.llm_call_match = llm_call_match
        self.agent_match = agent_match
        self.exclude_llm_call_in_reward = exclude_llm_call_in_reward
        self.reward_match = reward_match
        self._skip_empty_token_spans = _skip_empty_token_spans

    def adapt(self, source: Sequence[SpanLike], /) -> list[Triplet]:
        """The triplets of the spans of one attempt, or of spans of OpenTelemetry's SDK.

        Raises:
            ValueError: there are no spans.
        """
        tree = self._tree(source)
        finder = CallFinder(
            self.llm_call_match,
            self.agent_match,
            exclude_llm_call_in_reward=self.exclude_llm_call_in_reward,
        )
        made = [(call, triplet_of(call)) for call in finder.find(tree)]
        if self._skip_empty_token_spans:
            made = [pair for pair in made if _has_tokens(*pair)]
        rewards = match_rewards(tree, [call for call, _ in made], self.reward_match)
        for call, triplet in made:
            triplet.reward = rewards.get(call.node.id)
        return [triplet for _, triplet in made]

    def visualize(
        self,
        source: Sequence[SpanLike],
        /,
        filename: str = "trace_tree",
        interested_span_match: str | None = None,
    ) -> TraceTree:
        """Draw the tree of the spans as `filename`.png; needs the package graphviz.

        With `interested_span_match`, a regular expression, only spans that match, and those
        above them.
        """
        from agentlightning_compat.adapter.drawing import draw

        tree = self._tree(source)
        draw(tree, filename, interested_span_match)
        return tree

    def _tree(self, source: Sequence[SpanLike]) -> TraceTree:
        tree = TraceTree.from_spans(as_spans(source))
        if self.repair_hierarchy:
            repair(tree)
        return tree


def triplet_of(call: Call) -> Triplet:
    """An LLM call as a triplet, which has no reward yet."""
    attributes = call.node.span.attributes
    asked = first_nested(attributes, _PROMPTS)
    answered = first_nested(attributes, _COMPLETIONS)
    response = {
        "token_ids": first_token_ids(attributes, _RESPONSE_IDS),
        "raw_content": answered,
    }
    probabilities = logprobs(attributes)
    if probabilities is not None:
        response["logprobs"] = probabilities
    return Triplet(
        prompt={
            "token_ids": first_token_ids(attributes, _PROMPT_IDS),
            "raw_content": asked,
            "image_urls": image_urls(asked),
        },
        response=response,
        metadata={
            "request": _without(first_nested(attributes, ["gen_ai.request", _ASKED]), _NO_REQUEST),
            "response": _without(
                first_nested(attributes, ["gen_ai.response", _ANSWERED]), _NO_RESPONSE
            ),
            "response_id": first_text(attributes, RESPONSE_ID),
            "agent_name": call.agent_name,
        },
    )


def _without(nested: Any, keys: Sequence[str]) -> Any:
    if not isinstance(nested, dict):
        return nested
    return {key: value for key, value in nested.items() if key not in keys}


def _has_tokens(call: Call, triplet: Triplet) -> bool:
    if triplet.prompt["token_ids"] and triplet.response["token_ids"]:
        return True
    _log.warning("LLM call %s has no token ids and is left out", call.node.id)
    return False
