"""Reads spans that a legacy report carries as dicts: OpenTelemetry's JSON or a dumped `Span`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from agentlightning_compat.legacy.attributes import as_text, attribute_value
from agentlightning_compat.legacy.drafts import (
    REWARD,
    EventDraft,
    SpanDraft,
    new_span_id,
    object_draft,
    reward_attributes,
)
from agentlightning_compat.legacy.shapes import as_reward

_STATUS_CODES = ("UNSET", "OK", "ERROR")
# Seconds since the epoch have ten digits, nanoseconds nineteen.
_NANOSECONDS_FROM = 1e12
_ID_LIMIT = 1 << 128


def trace_drafts(trace: Iterable[Any]) -> list[SpanDraft]:
    """Return the spans in `trace`; what is not the dict of a span is kept as an object span."""
    return [_draft(as_dict(item)) for item in trace]


def as_dict(item: Any) -> Any:
    """Return a span object as the dict that legacy code would have made of it."""
    if isinstance(item, Mapping):
        return dict(item)
    for method, decode in (("model_dump", None), ("to_json", json.loads)):
        dump = getattr(item, method, None)
        if callable(dump):
            return decode(dump()) if decode else dump()
    return item


def span_id_of(item: dict[str, Any]) -> int | None:
    """Return the span's own identifier."""
    return _identifier(item.get("span_id") or _sub(item, "context").get("span_id"))


def _draft(item: Any) -> SpanDraft:
    if not isinstance(item, dict) or not _is_span(item):
        return object_draft(item)
    start = _seconds(item.get("start_time"), time.time())
    status, description = _status(item.get("status"))
    return SpanDraft(
        name=item["name"],
        attributes=_attributes(item),
        start=start,
        end=_seconds(item.get("end_time"), start),
        status=status,
        description=description,
        trace_id=_identifier(item.get("trace_id") or _sub(item, "context").get("trace_id")),
        span_id=span_id_of(item) or new_span_id(),
        parent_id=_identifier(item.get("parent_id") or _sub(item, "parent").get("span_id")),
        events=tuple(_event(event, start) for event in _events(item)),
    )


def _is_span(item: dict[str, Any]) -> bool:
    return isinstance(item.get("name"), str) and (
        "attributes" in item or "start_time" in item or "span_id" in item or "context" in item
    )


def _attributes(item: dict[str, Any]) -> dict[str, Any]:
    source = _sub(item, "attributes")
    attributes = {str(k): attribute_value(v) for k, v in source.items() if v is not None}
    # 0.2 wrote rewards in a form that 0.3 does not read.
    if item["name"] == REWARD and "reward" in source:
        reward = as_reward(source["reward"])
        attributes.update({} if reward is None else reward_attributes(reward))
    return attributes


def _events(item: dict[str, Any]) -> list[dict[str, Any]]:
    events = item.get("events")
    return [e for e in events if isinstance(e, dict)] if isinstance(events, list) else []


def _event(event: dict[str, Any], default: float) -> EventDraft:
    attributes = {k: attribute_value(v) for k, v in _sub(event, "attributes").items()}
    return EventDraft(str(event.get("name")), attributes, _seconds(event.get("timestamp"), default))


def _sub(item: dict[str, Any], key: str) -> dict[str, Any]:
    value = item.get(key)
    return value if isinstance(value, dict) else {}


def _identifier(value: Any) -> int | None:
    try:
        number = int(value, 16)
    except (TypeError, ValueError):
        return None
    return number if 0 < number < _ID_LIMIT else None


def _seconds(value: Any, default: float) -> float:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
        except ValueError:
            return default
    if not isinstance(value, (int, float)):
        return default
    return value / 1e9 if value > _NANOSECONDS_FROM else float(value)


def _status(value: Any) -> tuple[str, str | None]:
    fields = value if isinstance(value, dict) else {"status_code": value}
    code = str(fields.get("status_code")).rpartition(".")[2]
    description = fields.get("description")
    text = None if description is None else as_text(description)
    return (code if code in _STATUS_CODES else "UNSET"), text
