"""Spans as bytes: a sixth of the room that the objects take, and a copy that nobody else has."""

from __future__ import annotations

import marshal
import pickle
from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from agentlightning_compat.errors import UnstorableValueError
from agentlightning_compat.model import (
    Event,
    Link,
    OtelResource,
    Span,
    SpanContext,
    TraceStatus,
)
from agentlightning_compat.store.values import build, is_flat, not_too_deep

_set = object.__setattr__
_parts = itemgetter(
    *("trace_id", "span_id", "parent_id", "name", "status", "attributes", "events", "links"),
    *("start_time", "end_time", "context", "parent", "resource"),
)
_PICKLED = b"\x80"  # how a pickle begins, and nothing that marshal writes for a tuple


def fields_of(span: Span) -> tuple[Any, ...]:
    """All of a span but its rollout, attempt and sequence id: plain values, nothing copied."""
    # All at once, and nothing for what is empty: this is done for every span.
    parts = _parts(span.__dict__)
    trace_id, span_id, parent_id, name, status, attributes, events, links = parts[:8]
    start_time, end_time, context, parent, resource = parts[8:]
    return (
        trace_id,
        span_id,
        parent_id,
        name,
        (status.status_code, status.description, _extra(status)),
        attributes,
        events and [(e.name, e.attributes, e.timestamp, _extra(e)) for e in events],
        links and [(_context(e.context), e.attributes, _extra(e)) for e in links],
        start_time,
        end_time,
        context and _context(context),
        parent and _context(parent),
        (resource.attributes, resource.schema_url),
        _extra(span),
    )


def encode(span: Span) -> bytes:
    """The fields as bytes.

    Raises:
        UnstorableValueError: a field of it cannot be copied.
    """
    fields: Any = fields_of(span)
    if not _is_plain(fields):
        not_too_deep(fields)
    try:
        # Version 2 keeps no references, whose marks would depend on who else holds a value.
        return marshal.dumps(fields, 2)
    except ValueError:
        pass
    try:
        return pickle.dumps(fields, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise UnstorableValueError(f"span {span.name!r} cannot be copied: {error}") from error


def decode(rollout_id: str, attempt_id: str, sequence_id: int, data: bytes) -> Span:
    """A span of its own."""
    fields = pickle.loads(data) if data.startswith(_PICKLED) else marshal.loads(data)
    return span_of(rollout_id, attempt_id, sequence_id, fields)


def span_of(rollout_id: str, attempt_id: str, sequence_id: int, fields: Sequence[Any]) -> Span:
    """The span of these fields, which it takes over; lists will do for tuples."""
    trace_id, span_id, parent_id, name, status, attributes, events, links = fields[:8]
    start_time, end_time, context, parent, resource, extra = fields[8:]
    span = build(
        Span,
        {
            "rollout_id": rollout_id,
            "attempt_id": attempt_id,
            "sequence_id": sequence_id,
            "trace_id": trace_id,
            "span_id": span_id,
            "parent_id": parent_id,
            "name": name,
            "status": _with_extra(
                TraceStatus, {"status_code": status[0], "description": status[1]}, status[2]
            ),
            "attributes": attributes,
            "events": [
                _with_extra(Event, {"name": e[0], "attributes": e[1], "timestamp": e[2]}, e[3])
                for e in events
            ],
            "links": [
                _with_extra(
                    Link, {"context": _context_model(link[0]), "attributes": link[1]}, link[2]
                )
                for link in links
            ],
            "start_time": start_time,
            "end_time": end_time,
            "context": context and _context_model(context),
            "parent": parent and _context_model(parent),
            "resource": build(OtelResource, {"attributes": resource[0], "schema_url": resource[1]}),
        },
    )
    _set(span, "__pydantic_extra__", extra or {})
    return span


def _is_plain(fields: tuple[Any, ...]) -> bool:
    """Whether one look tells that nothing goes deep, as with most spans."""
    status, attributes, events, links = fields[4:8]
    context, parent, resource, extra = fields[10:]
    if events or links or parent or extra or (context and (context[3] or context[4])):
        return False
    return is_flat(chain(status, attributes.values(), resource[0].values()))


def _extra(model: Any) -> dict[str, Any] | None:
    return model.__pydantic_extra__ or None


def _context(context: SpanContext) -> tuple[Any, ...]:
    return (
        context.trace_id,
        context.span_id,
        context.is_remote,
        context.trace_state,
        _extra(context),
    )


def _context_model(fields: Sequence[Any]) -> SpanContext:
    values = dict(zip(("trace_id", "span_id", "is_remote", "trace_state"), fields[:4], strict=True))
    context: SpanContext = _with_extra(SpanContext, values, fields[4])
    return context


def _with_extra(kind: Any, values: dict[str, Any], extra: dict[str, Any] | None) -> Any:
    model = build(kind, values)
    _set(model, "__pydantic_extra__", extra or {})
    return model
