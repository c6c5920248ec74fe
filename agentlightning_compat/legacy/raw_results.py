"""What a legacy agent returned, as the report that its runner posted.

The rules are those of the legacy runner, odd ones included: a list that is empty counts as a list
of everything; numbers count as a reward if they are floats; what was traced replaces what was
returned.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from agentlightning_compat.legacy.shapes import is_readable_span, is_span
from agentlightning_compat.model import RolloutLegacy, Triplet


@dataclass
class _Parts:
    final_reward: float | None = None
    triplets: list[Any] | None = None
    trace: list[Any] | None = None
    spans: list[Any] | None = None


def to_report(
    result: Any,
    rollout_id: str,
    traced: Sequence[Any],
    export: Callable[[list[Any]], Sequence[Any]],
) -> RolloutLegacy:
    """The report of a rollout.

    `traced` are the spans that the tracer recorded, `export` makes triplets of spans.
    """
    parts = _returned(result)
    if (parts.trace is None or parts.spans is None) and traced:
        parts.spans = list(traced)
        parts.trace = [_dumped(span) for span in traced]
    if parts.spans:
        parts.triplets = list(export(parts.spans))
    if parts.triplets and parts.final_reward is None:
        parts.final_reward = parts.triplets[-1].reward
    fields: dict[str, Any] = {
        "final_reward": parts.final_reward,
        "triplets": parts.triplets,
        "trace": parts.trace,
    }
    known: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    if isinstance(result, RolloutLegacy):
        return result.model_copy(update={"rollout_id": rollout_id, **known})
    return RolloutLegacy(rollout_id=rollout_id, **known)


def _returned(result: Any) -> _Parts:
    parts = _Parts()
    if isinstance(result, float):
        parts.final_reward = result
    if isinstance(result, list):
        _list_returned(result, parts)
    if isinstance(result, RolloutLegacy):
        parts.final_reward = result.final_reward
        parts.triplets = result.triplets
        parts.trace = result.trace
    return parts


def _list_returned(items: list[Any], parts: _Parts) -> None:
    if all(isinstance(item, Triplet) for item in items):
        parts.triplets = items
    for kind in (is_readable_span, is_span):
        if all(kind(item) for item in items):
            parts.spans = items
            parts.trace = [_dumped(item) for item in items]
    if all(isinstance(item, dict) for item in items):
        parts.trace = items


def _dumped(span: Any) -> Any:
    return json.loads(span.to_json()) if is_readable_span(span) else span.model_dump()
