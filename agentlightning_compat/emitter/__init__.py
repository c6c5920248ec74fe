"""Emitters write spans to the tracer that is active; readers find again what was written."""

from __future__ import annotations

from agentlightning_compat.emitter.annotation import emit_annotation
from agentlightning_compat.emitter.exception import emit_exception
from agentlightning_compat.emitter.message import emit_message, get_message_value
from agentlightning_compat.emitter.object import emit_object, get_object_value
from agentlightning_compat.emitter.operation import operation
from agentlightning_compat.emitter.reward import (
    emit_reward,
    find_final_reward,
    find_reward_spans,
    get_reward_value,
    get_rewards_from_span,
    is_reward_span,
    reward,
)

__all__ = [
    "emit_annotation",
    "emit_exception",
    "emit_message",
    "emit_object",
    "emit_reward",
    "find_final_reward",
    "find_reward_spans",
    "get_message_value",
    "get_object_value",
    "get_reward_value",
    "get_rewards_from_span",
    "is_reward_span",
    "operation",
    "reward",
]
