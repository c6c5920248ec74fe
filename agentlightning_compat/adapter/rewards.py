"""Which reward belongs to which LLM call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum

from agentlightning_compat.adapter.calls import Call
from agentlightning_compat.adapter.tree import TraceTree
from agentlightning_compat.emitter.reward import get_reward_value


class RewardMatchPolicy(str, Enum):
    """A reward belongs to the latest call that was over before it and has none yet."""

    FIRST_SIBLING = "first_sibling"
    """Of the calls that have the same parent as the reward."""

    FIRST_OCCURRENCE = "first_occurrence"
    """Of all."""


class _Unrewarded:
    """Calls in order of which the last that was over at a time is taken, each once."""

    def __init__(self, most: int) -> None:
        self._size = 1 << max(most - 1, 0).bit_length()
        # A tree of the earliest ends: the call at i stands at size + i.
        self._ends = [math.inf] * (2 * self._size)
        self._ids: list[str] = []

    def add(self, id: str, ended: float) -> None:
        self._set(len(self._ids), ended)
        self._ids.append(id)

    def take(self, time: float) -> str | None:
        if self._ends[1] > time:
            return None
        at = 1
        while at < self._size:
            at = 2 * at + 1 if self._ends[2 * at + 1] <= time else 2 * at
        self._set(at - self._size, math.inf)
        return self._ids[at - self._size]

    def _set(self, index: int, ended: float) -> None:
        at = self._size + index
        self._ends[at] = ended
        while at > 1:
            at //= 2
            self._ends[at] = min(self._ends[2 * at], self._ends[2 * at + 1])


def match_rewards(
    tree: TraceTree, calls: Sequence[Call], policy: RewardMatchPolicy | str
) -> dict[str, float]:
    """The reward of each call that has one, by the id of its span; in n log n.

    Raises:
        ValueError: there is no such policy.
    """
    ids = {call.node.id for call in calls}
    matched: dict[str, float] = {}
    if RewardMatchPolicy(policy) is RewardMatchPolicy.FIRST_OCCURRENCE:
        _match(sorted(tree.walk(), key=lambda node: node.began), ids, matched)
    else:
        for node in tree.walk():
            _match(node.children, ids, matched)
    return matched


def _match(nodes: Sequence[TraceTree], ids: set[str], matched: dict[str, float]) -> None:
    unrewarded = _Unrewarded(sum(node.id in ids for node in nodes))
    for node in nodes:
        if node.id in ids:
            unrewarded.add(node.id, node.ended)
        reward = get_reward_value(node.span)
        if reward is not None:
            id = unrewarded.take(node.began)
            if id is not None:
                matched[id] = reward
