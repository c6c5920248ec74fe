"""Which spans of a tree are the LLM calls to learn from."""

from __future__ import annotations

import re
from typing import NamedTuple

from agentlightning_compat.adapter.contents import first_text
from agentlightning_compat.adapter.tree import TraceTree
from agentlightning_compat.emitter.reward import is_reward_span
from agentlightning_compat.semconv import AGL_OPERATION, AGL_REWARD, LightningSpanAttributes

RESPONSE_ID = ("gen_ai.response.id", "agentlightning.operation.output.id")
# The agent of a call that is below none, if calls of all agents are wanted.
ANY_AGENT = "*"


class Call(NamedTuple):
    """An LLM call, and the name of the agent that made it."""

    node: TraceTree
    agent_name: str


class _Where(NamedTuple):
    """What is above a node: the agent if its calls are wanted, a reward, an LLM call."""

    agent: str | None
    in_reward: bool = False
    in_call: bool = False


class CallFinder:
    """Finds LLM calls by the name of their span and of their agent (regular expressions)."""

    def __init__(
        self, llm_call_match: str, agent_match: str | None, *, exclude_llm_call_in_reward: bool
    ) -> None:
        self._call = re.compile(llm_call_match)
        self._agent = None if agent_match is None else re.compile(agent_match)
        self._exclude_in_reward = exclude_llm_call_in_reward

    def find(self, tree: TraceTree) -> list[Call]:
        """The calls, each before those below it; one that was traced twice only once."""
        calls: list[Call] = []
        seen: set[str] = set()
        waiting = [(tree, _Where(ANY_AGENT if self._agent is None else None))]
        while waiting:
            node, where = waiting.pop()
            if where.agent is not None and self._is_call(node, where, seen):
                calls.append(Call(node, where.agent))
                where = where._replace(in_call=True)
            where = self._below(node, where)
            waiting.extend((child, where) for child in reversed(node.children))
        return calls

    def _is_call(self, node: TraceTree, where: _Where, seen: set[str]) -> bool:
        if where.in_reward or not self._call.search(node.span.name):
            return False
        response_id = first_text(node.span.attributes, RESPONSE_ID)
        if response_id is None:
            # Two libraries that trace one call nest their spans, and one may not know its id.
            return not where.in_call
        if response_id in seen:
            return False
        seen.add(response_id)
        return True

    def _below(self, node: TraceTree, where: _Where) -> _Where:
        name = node.agent_name()
        if name is not None:
            wanted = self._agent is None or self._agent.search(name)
            where = where._replace(agent=name if wanted else None)
        if self._exclude_in_reward and not where.in_reward and _is_reward(node):
            where = where._replace(in_reward=True)
        return where


def _is_reward(node: TraceTree) -> bool:
    """Whether the span is a reward, or an operation that finds one out."""
    span = node.span
    operation = span.attributes.get(LightningSpanAttributes.OPERATION_NAME.value)
    return (span.name == AGL_OPERATION and operation == AGL_REWARD) or is_reward_span(span)
