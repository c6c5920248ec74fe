"""Spans before they have the class that a store takes.

A draft with identifiers of its own becomes an OpenTelemetry `ReadableSpan`, the only kind that a
runner stores with parent links intact and still numbers by itself. Otherwise `SpanCoreFields` do.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from agentlightning_compat.legacy import target
from agentlightning_compat.legacy.attributes import as_text
from agentlightning_compat.legacy.shapes import is_own_store

OBJECT = "agentlightning.object"
MESSAGE = "agentlightning.message"
ANNOTATION = "agentlightning.annotation"
VIRTUAL = "agentlightning.virtual"
REWARD = "agentlightning.reward"
MESSAGE_BODY = "agentlightning.message.body"
OBJECT_JSON = "agentlightning.object.json"
OBJECT_TYPE = "agentlightning.object.type"
REPORT_METADATA = "agentlightning_compat.report.metadata"


@dataclass(frozen=True)
class EventDraft:
    """An event of a span; `time` in seconds since the epoch."""

    name: str
    attributes: dict[str, Any]
    time: float


@dataclass(frozen=True)
class SpanDraft:
    """A span; times in seconds since the epoch, identifiers as OpenTelemetry's integers."""

    name: str
    attributes: dict[str, Any]
    start: float
    end: float
    status: str = "OK"
    description: str | None = None
    trace_id: int | None = None
    span_id: int | None = None
    parent_id: int | None = None
    events: tuple[EventDraft, ...] = field(default=())


def new_span_id() -> int:
    """Return a random identifier for a span; never 0, which means none."""
    return random.getrandbits(64) or 1


def reward_attributes(value: float) -> dict[str, Any]:
    """Return the attributes that 0.3 reads a reward from."""
    return {f"{REWARD}.0.name": "primary", f"{REWARD}.0.value": value}


def reward_draft(value: float, at: float) -> SpanDraft:
    """Return the span that records the reward `value` at the time `at`."""
    return SpanDraft(ANNOTATION, reward_attributes(value), at, at)


def object_draft(value: Any, at: float | None = None) -> SpanDraft:
    """Return the span that keeps a value of unknown meaning, as JSON."""
    attributes = {OBJECT_TYPE: type(value).__qualname__, OBJECT_JSON: as_text(value)}
    moment = time.time() if at is None else at
    return SpanDraft(OBJECT, attributes, moment, moment)


def metadata_draft(metadata: dict[str, Any], at: float) -> SpanDraft:
    """Return the span that keeps the metadata of a report."""
    return SpanDraft(ANNOTATION, {REPORT_METADATA: as_text(metadata)}, at, at)


def message_draft(text: object, at: float) -> SpanDraft:
    """Return the span that keeps a log line of a report."""
    return SpanDraft(MESSAGE, {MESSAGE_BODY: str(text)}, at, at)


def realise(drafts: list[SpanDraft], *hints: object) -> list[Any]:
    """Return the drafts as spans that a runner stores, all of one kind.

    For a store of `agentlightning_compat`, which needs no OpenTelemetry, they are its `Span`s;
    whoever stores them says whose they are.
    """
    if any(draft.span_id is not None for draft in drafts):
        trace_id = random.getrandbits(128) or 1
        if any(is_own_store(hint) for hint in hints):
            return [_own(draft, trace_id) for draft in drafts]
        return [_readable(draft, trace_id) for draft in drafts]
    return [_core_fields(draft, hints) for draft in drafts]


def _core_fields(draft: SpanDraft, hints: tuple[object, ...]) -> Any:
    status_class = target.api("TraceStatus", *hints)
    return target.api("SpanCoreFields", *hints)(
        name=draft.name,
        status=status_class(status_code=draft.status, description=draft.description),
        attributes=draft.attributes,
        start_time=draft.start,
        end_time=draft.end,
    )


def _own(draft: SpanDraft, trace_id: int) -> Any:
    model = import_module("agentlightning_compat.model")
    status = model.TraceStatus(status_code=draft.status, description=draft.description)
    return model.Span.from_attributes(
        attributes=draft.attributes,
        name=draft.name,
        status=status,
        trace_id=f"{draft.trace_id or trace_id:032x}",
        span_id=f"{draft.span_id or new_span_id():016x}",
        parent_id=f"{draft.parent_id:016x}" if draft.parent_id else None,
        start_time=draft.start,
        end_time=draft.end,
    ).model_copy(
        update={
            "events": [
                model.Event(name=e.name, attributes=e.attributes, timestamp=e.time)
                for e in draft.events
            ]
        }
    )


def _readable(draft: SpanDraft, trace_id: int) -> Any:
    trace = import_module("opentelemetry.trace")
    sdk = import_module("opentelemetry.sdk.trace")

    def context(span_id: int) -> Any:
        return trace.SpanContext(draft.trace_id or trace_id, span_id, is_remote=False)

    code = trace.StatusCode[draft.status]
    # OpenTelemetry accepts a description only for an error.
    failed = code is trace.StatusCode.ERROR
    status = trace.Status(code, draft.description) if failed else trace.Status(code)
    return sdk.ReadableSpan(
        name=draft.name,
        context=context(draft.span_id or new_span_id()),
        parent=context(draft.parent_id) if draft.parent_id else None,
        attributes=draft.attributes,
        events=[sdk.Event(e.name, e.attributes, _nanoseconds(e.time)) for e in draft.events],
        status=status,
        start_time=_nanoseconds(draft.start),
        end_time=_nanoseconds(draft.end),
    )


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1_000_000_000)
