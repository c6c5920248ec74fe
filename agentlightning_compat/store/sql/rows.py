"""Records to rows and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agentlightning_compat.lifecycle.records import (
    NO_LIMITS,
    AttemptRecord,
    ConfigRecord,
    RolloutRecord,
    WorkerRecord,
)
from agentlightning_compat.model import ResourcesUpdate, Span
from agentlightning_compat.store.span_codec import fields_of, span_of
from agentlightning_compat.store.sql.dialect import Row
from agentlightning_compat.store.sql.texts import (
    dump,
    dump_checked,
    is_flat,
    load,
    maybe_dump,
    maybe_load,
    maybe_restored,
    maybe_stored,
    restored,
    stored,
)

# The columns that rows are read from, in the order that the functions below expect.
ROLLOUT = (
    "r.id, r.span_sequence, r.queue_position, r.rollout_id, r.start_time, r.end_time, r.mode,"
    " r.resources_id, r.status, r.config, r.attempts, r.check_at"
)
PAYLOAD = "p.input, p.metadata"
NO_PAYLOAD = "NULL, NULL"
ATTEMPT = (
    "a.attempt_id, a.sequence_id, a.start_time, a.end_time, a.status, a.worker_id,"
    " a.last_heartbeat_time, a.metadata"
)
ATTEMPT_AT = 14  # where an attempt begins that comes after a rollout and its payload
SPAN = "r.rollout_id, a.attempt_id, s.sequence_id, s.fields"
RESOURCES = "u.resources_id, u.create_time, u.update_time, u.version, u.resources"
WORKER = (
    "w.worker_id, w.status, w.heartbeat_stats, w.last_heartbeat_time, w.last_dequeue_time,"
    " w.last_busy_time, w.last_idle_time, w.current_rollout_id, w.current_attempt_id"
)

# Stands for an input and metadata that an operation has no use for, and only passes on.
UNREAD: Any = object()


def _same(value: Any) -> Any:
    return value


def _config(config: ConfigRecord) -> str | None:
    return None if config == NO_LIMITS else dump(config)


def _config_of(text: str | None) -> ConfigRecord:
    if text is None:
        return NO_LIMITS
    timeout, unresponsive, max_attempts, conditions = load(text)
    return ConfigRecord(timeout, unresponsive, max_attempts, tuple(conditions))


ROLLOUT_COLUMNS: dict[str, Callable[[Any], Any]] = {
    "start_time": _same,
    "end_time": _same,
    "mode": _same,
    "resources_id": maybe_stored,
    "status": _same,
    "config": _config,
    "attempts": _same,
    "check_at": _same,
}
ATTEMPT_COLUMNS: dict[str, Callable[[Any], Any]] = {
    "end_time": _same,
    "status": _same,
    "worker_id": maybe_stored,
    "last_heartbeat_time": _same,
    "metadata": maybe_dump,
}


def changed(
    columns: dict[str, Callable[[Any], Any]], before: Any, after: Any
) -> tuple[list[str], list[Any]]:
    """The columns that differ, and what they become."""
    names = []
    values = []
    for name, encode in columns.items():
        value = getattr(after, name)
        old = getattr(before, name)
        if value is not old and (name == "metadata" or value != old):
            names.append(name)
            values.append(encode(value))
    return names, values


def rollout_row(record: RolloutRecord, position: int | None) -> tuple[Any, ...]:
    """The values of a new rollout, in the order of `NEW_ROLLOUT`."""
    return (
        stored(record.rollout_id),
        record.start_time,
        record.end_time,
        record.mode,
        maybe_stored(record.resources_id),
        record.status,
        _config(record.config),
        record.attempts,
        record.check_at,
        position,
    )


NEW_ROLLOUT = f"rollout_id {' '.join(ROLLOUT_COLUMNS)} queue_position"
NEW_ATTEMPT = (
    "rollout sequence_id attempt_id start_time end_time status worker_id last_heartbeat_time"
    " metadata"
)
NEW_SPAN = "rollout attempt sequence_id trace_id span_id parent_id name start_time end_time fields"
WORKER_COLUMNS = (
    "worker_id status heartbeat_stats last_heartbeat_time last_dequeue_time last_busy_time"
    " last_idle_time current_rollout_id current_attempt_id"
)


def rollout_of(row: Row, *, slim: bool) -> RolloutRecord:
    """The rollout of a row."""
    return RolloutRecord(
        restored(row[3]),
        UNREAD if slim else load(row[12]),
        row[4],
        row[5],
        row[6],
        maybe_restored(row[7]),
        row[8],
        _config_of(row[9]),
        UNREAD if slim else load(row[13]),
        row[10],
        row[11],
    )


def attempt_row(record: AttemptRecord, rollout: int) -> tuple[Any, ...]:
    """The values of a new attempt, in the order of `NEW_ATTEMPT`."""
    return (
        rollout,
        record.sequence_id,
        stored(record.attempt_id),
        record.start_time,
        record.end_time,
        record.status,
        maybe_stored(record.worker_id),
        record.last_heartbeat_time,
        maybe_dump(record.metadata),
    )


def attempt_of(rollout_id: str, row: Row, at: int = ATTEMPT_AT) -> AttemptRecord | None:
    """The attempt whose columns begin there; None when an outer join found none."""
    if row[at] is None:
        return None
    return AttemptRecord(
        rollout_id,
        restored(row[at]),
        row[at + 1],
        row[at + 2],
        row[at + 3],
        row[at + 4],
        maybe_restored(row[at + 5]),
        row[at + 6],
        maybe_load(row[at + 7]),
    )


def span_row(span: Span, rollout: int, attempt: int) -> tuple[Any, ...]:
    """The values of a new span, in the order of `NEW_SPAN`."""
    return (
        rollout,
        attempt,
        span.sequence_id,
        stored(span.trace_id),
        stored(span.span_id),
        maybe_stored(span.parent_id),
        stored(span.name),
        span.start_time,
        span.end_time,
        _fields(span),
    )


def _fields(span: Span) -> str:
    fields = fields_of(span)
    status, attributes, events, links = fields[4:8]
    context, parent, (resource, schema_url), extra = fields[10:]
    if events or links or context or parent or extra or status[2]:
        return dump(fields)
    # All that is left can be looked through at once.
    if type(schema_url) is str and is_flat(attributes) and is_flat(resource):
        return dump_checked(fields)
    return dump(fields)


def span_from(row: Row) -> Span:
    """The span of a row."""
    return span_of(restored(row[0]), restored(row[1]), row[2], load(row[3]))


def resources_of(row: Row) -> ResourcesUpdate:
    """The set of resources of a row."""
    return ResourcesUpdate(
        resources_id=restored(row[0]),
        create_time=row[1],
        update_time=row[2],
        version=row[3],
        resources=load(row[4]),
    )


def worker_row(record: WorkerRecord) -> tuple[Any, ...]:
    """The values of a worker, in the order of `WORKER_COLUMNS`."""
    return (
        stored(record.worker_id),
        record.status,
        maybe_dump(record.heartbeat_stats),
        *record[3:7],
        maybe_stored(record.current_rollout_id),
        maybe_stored(record.current_attempt_id),
    )


def worker_of(row: Row) -> WorkerRecord:
    """The worker of a row."""
    return WorkerRecord(
        restored(row[0]),
        row[1],
        maybe_load(row[2]),
        row[3],
        row[4],
        row[5],
        row[6],
        maybe_restored(row[7]),
        maybe_restored(row[8]),
    )
