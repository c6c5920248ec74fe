"""The result of an attempt, as the legacy protocol has it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from agentlightning_compat.adapter.triplet import TracerTraceToTriplet
from agentlightning_compat.emitter.reward import find_final_reward
from agentlightning_compat.model import RolloutLegacy, Span, Task

_log = logging.getLogger(__name__)


def failed_report(task: Task) -> RolloutLegacy:
    """What the legacy runner posted for a task that failed: only what task it was."""
    return RolloutLegacy(rollout_id=task.rollout_id, task=task)


def report_of(
    task: Task, spans: Sequence[Span], adapter: Any, metadata: dict[str, Any] | None
) -> RolloutLegacy:
    """The result that an attempt's spans tell: rewards, triplets and the trace itself.

    The final reward is the last that was recorded; without one, that of the last triplet.
    """
    final_reward = find_final_reward(spans)
    triplets = _triplets(task, spans, adapter) if spans else None
    if final_reward is None and triplets:
        final_reward = triplets[-1].reward
    return RolloutLegacy(
        rollout_id=task.rollout_id,
        task=task,
        final_reward=final_reward,
        triplets=triplets,
        trace=[span.model_dump(mode="json") for span in spans] or None,
        metadata=metadata or {},
    )


def _triplets(task: Task, spans: Sequence[Span], adapter: Any) -> list[Any] | None:
    """What the adapter makes of the spans; a result is not lost for want of triplets."""
    try:
        return list((adapter or TracerTraceToTriplet()).adapt(list(spans)))
    except Exception:
        _log.exception("%s: no triplets can be made of its spans", task.rollout_id)
        return None
