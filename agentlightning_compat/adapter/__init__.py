"""Adapters make of spans what an algorithm learns from."""

from __future__ import annotations

from agentlightning_compat.adapter.base import (
    Adapter,
    OtelTraceAdapter,
    TraceAdapter,
    TraceToTripletBase,
)
from agentlightning_compat.adapter.messages import TraceToMessages
from agentlightning_compat.adapter.proxy import LlmProxyTraceToTriplet
from agentlightning_compat.adapter.rewards import RewardMatchPolicy
from agentlightning_compat.adapter.triplet import TracerTraceToTriplet

__all__ = [
    "Adapter",
    "LlmProxyTraceToTriplet",
    "OtelTraceAdapter",
    "RewardMatchPolicy",
    "TraceAdapter",
    "TraceToMessages",
    "TraceToTripletBase",
    "TracerTraceToTriplet",
]
