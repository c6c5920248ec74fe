"""Values going in and out: copies, so that neither side sees the other's later changes."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel

from agentlightning_compat.errors import UnstorableValueError
from agentlightning_compat.lifecycle.records import (
    NO_LIMITS,
    AttemptRecord,
    ConfigRecord,
    RolloutRecord,
    WorkerRecord,
)
from agentlightning_compat.model import (
    Attempt,
    AttemptedRollout,
    Rollout,
    RolloutConfig,
    Worker,
)

M = TypeVar("M", bound=BaseModel)

# Copies are made by recursion: what is kept must also be readable in a deep stack.
MAX_DEPTH = 250

_ATOMS = frozenset({str, int, float, bool, type(None), bytes})
_NESTING = (dict, list, tuple)
_ATTEMPT = AttemptRecord._fields
_WORKER = WorkerRecord._fields
_set = object.__setattr__


def own(value: Any) -> Any:
    """A copy that shares nothing which can be changed.

    Raises:
        UnstorableValueError: it cannot be copied.
    """
    if type(value) in _ATOMS:
        return value
    try:
        return _copied(value)
    except (RecursionError, TypeError, copy.Error) as error:
        raise UnstorableValueError(f"the value cannot be copied: {error}") from error


def _copied(value: Any) -> Any:
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is dict:
        return {key: _copied(inner) for key, inner in value.items()}
    if kind is list:
        return [_copied(inner) for inner in value]
    if issubclass(kind, BaseModel) and kind.__deepcopy__ is BaseModel.__deepcopy__:
        return _copied_model(value)
    return copy.deepcopy(value)


def _copied_model(model: M) -> M:
    # What pydantic's own does, in a fifth of the time.
    made = type(model).__new__(type(model))
    _set(made, "__dict__", _copied(model.__dict__))
    _set(made, "__pydantic_fields_set__", set(model.__pydantic_fields_set__))
    _set(made, "__pydantic_extra__", _copied(model.__pydantic_extra__))
    _set(made, "__pydantic_private__", copy.deepcopy(model.__pydantic_private__))
    return made


def taken(value: Any) -> Any:
    """A copy of what a caller gives.

    Raises:
        UnstorableValueError: it cannot be copied, or is nested too deep.
    """
    not_too_deep(value)
    return own(value)


def not_too_deep(value: Any) -> None:
    """Do nothing.

    Raises:
        UnstorableValueError: lists and dicts are nested more than `MAX_DEPTH` times.
    """
    if type(value) not in _ATOMS and is_deeper(value, MAX_DEPTH):
        raise UnstorableValueError(f"the value is nested more than {MAX_DEPTH} times")


def is_flat(values: Iterable[Any]) -> bool:
    """Whether none of these holds others."""
    return _ATOMS.issuperset(map(type, values))


def is_deeper(value: Any, depth: int) -> bool:
    """Whether lists and dicts are nested more than `depth` times.

    Level by level: at the end of the stack even finalizers of others would fail.
    """
    level = {id(value): value} if isinstance(value, _NESTING) else {}
    for _ in range(depth):
        # What holds itself twice would be twice as much on each level.
        level = {
            id(inner): inner
            for outer in level.values()
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if type(inner) not in _ATOMS and isinstance(inner, _NESTING)
        }
        if not level:
            return False
    return bool(level)


def build(kind: type[M], values: dict[str, Any]) -> M:
    """A model of values that are known to be right; pydantic would check them again."""
    made = kind.__new__(kind)
    _set(made, "__dict__", values)
    _set(made, "__pydantic_fields_set__", set(values))
    _set(made, "__pydantic_extra__", None)
    _set(made, "__pydantic_private__", None)
    return made


def changed(model: M, **fields: Any) -> M:
    """A copy with these values, which are known to be right; it shares all others."""
    made = build(type(model), {**model.__dict__, **fields})
    _set(made, "__pydantic_fields_set__", {*model.__pydantic_fields_set__, *fields})
    _set(made, "__pydantic_extra__", model.__pydantic_extra__)
    _set(made, "__pydantic_private__", model.__pydantic_private__)
    return made


def config_record(config: RolloutConfig | None) -> ConfigRecord:
    """The record of a configuration; None is one without limits."""
    if config is None:
        return NO_LIMITS
    return ConfigRecord(
        config.timeout_seconds,
        config.unresponsive_seconds,
        config.max_attempts,
        tuple(config.retry_condition),
    )


def config_model(config: ConfigRecord) -> RolloutConfig:
    """The configuration for a caller."""
    return build(
        RolloutConfig,
        {
            "timeout_seconds": config.timeout_seconds,
            "unresponsive_seconds": config.unresponsive_seconds,
            "max_attempts": config.max_attempts,
            "retry_condition": list(config.retry_condition),
        },
    )


def rollout_model(record: RolloutRecord) -> Rollout:
    """The rollout for a caller."""
    return build(Rollout, _rollout_fields(record))


def attempted_model(record: RolloutRecord, attempt: AttemptRecord) -> AttemptedRollout:
    """The rollout and its attempt for a caller."""
    values = _rollout_fields(record)
    values["attempt"] = attempt_model(attempt)
    return build(AttemptedRollout, values)


def view_model(record: RolloutRecord, attempt: AttemptRecord | None) -> Rollout:
    """The rollout for a caller, with its attempt if it has one."""
    return rollout_model(record) if attempt is None else attempted_model(record, attempt)


def attempt_model(record: AttemptRecord) -> Attempt:
    """The attempt for a caller."""
    values = dict(zip(_ATTEMPT, record, strict=True))
    if record.metadata is not None:
        values["metadata"] = own(record.metadata)
    return build(Attempt, values)


def worker_model(record: WorkerRecord) -> Worker:
    """The worker for a caller."""
    values = dict(zip(_WORKER, record, strict=True))
    values["heartbeat_stats"] = own(record.heartbeat_stats)
    return build(Worker, values)


def _rollout_fields(record: RolloutRecord) -> dict[str, Any]:
    return {
        "rollout_id": record.rollout_id,
        "input": own(record.input),
        "start_time": record.start_time,
        "end_time": record.end_time,
        "mode": record.mode,
        "resources_id": record.resources_id,
        "status": record.status,
        "config": config_model(record.config),
        "metadata": own(record.metadata),
    }
