"""The checks that more than one public method makes of its arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sys import float_info
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from agentlightning_compat.errors import InvalidRequestError
from agentlightning_compat.lifecycle.records import ConfigRecord
from agentlightning_compat.model import (
    EnqueueRolloutRequest,
    NamedResources,
    RolloutConfig,
    Span,
)
from agentlightning_compat.model.rollouts import ROLLOUT_MODES
from agentlightning_compat.store.commands import NewRollout
from agentlightning_compat.store.values import config_record, not_too_deep, taken

_LARGEST = float_info.max
_RESOURCES: TypeAdapter[NamedResources] = TypeAdapter(NamedResources)


def text(name: str, value: Any) -> str:
    """An id.

    Raises:
        InvalidRequestError: it is not text.
    """
    if not isinstance(value, str):
        raise InvalidRequestError(f"{name} is text, not {value!r}")
    return value


def maybe_text(name: str, value: Any) -> str | None:
    """An id or None."""
    return None if value is None else text(name, value)


def one_of(name: str, value: Any, known: frozenset[str]) -> str:
    """One of the known words.

    Raises:
        InvalidRequestError: it is not.
    """
    if not isinstance(value, str) or value not in known:
        raise InvalidRequestError(f"{name} {value!r} is none of {', '.join(sorted(known))}")
    return value


def mode(value: Any) -> str | None:
    """A rollout's mode or None."""
    return None if value is None else one_of("mode", value, ROLLOUT_MODES)


def config(value: Any) -> ConfigRecord:
    """A configuration; a model of the same fields from elsewhere, or a dict, will do.

    Raises:
        InvalidRequestError: it is no configuration.
    """
    if value is None or isinstance(value, RolloutConfig):
        return config_record(value)
    return config_record(_loaded(RolloutConfig, "config", value))


def mapping(name: str, value: Any) -> dict[str, Any]:
    """A copy of a dict.

    Raises:
        InvalidRequestError: it is not a dict.
    """
    if not isinstance(value, Mapping):
        raise InvalidRequestError(f"{name} is a dict, not {type(value).__name__}")
    copied: dict[str, Any] = taken(dict(value))
    return copied


def maybe_mapping(name: str, value: Any) -> dict[str, Any] | None:
    """A copy of a dict, or None."""
    return None if value is None else mapping(name, value)


def given_config(value: Any) -> ConfigRecord:
    """A configuration that cannot be None.

    Raises:
        InvalidRequestError: it is None or no configuration.
    """
    if value is None:
        raise InvalidRequestError("config cannot be None")
    return config(value)


def time(name: str, value: Any) -> float:
    """A time in seconds since 1970.

    Raises:
        InvalidRequestError: it is no number.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # An int may be more than any float; NaN is in no range.
    if not number or not -_LARGEST <= value <= _LARGEST:
        raise InvalidRequestError(f"{name} is a time in seconds, not {value!r}")
    return float(value)


def new_rollout(
    task_input: Any, mode_: Any, resources_id: Any, config_: Any, metadata: Any
) -> NewRollout:
    """What a rollout will be made of; the metadata of none is `{}`."""
    return NewRollout(
        taken(task_input),
        mode(mode_),
        maybe_text("resources_id", resources_id),
        config(config_),
        {} if metadata is None else mapping("metadata", metadata),
    )


def request(value: Any) -> NewRollout:
    """A rollout from an `EnqueueRolloutRequest` or its dict."""
    if not isinstance(value, EnqueueRolloutRequest):
        value = _loaded(EnqueueRolloutRequest, "request", value)
    return new_rollout(value.input, value.mode, value.resources_id, value.config, value.metadata)


def span(value: Any) -> Span:
    """A span; one of another package's class is read field by field.

    Raises:
        InvalidRequestError: it is no span.
    """
    return value if isinstance(value, Span) else _loaded(Span, "span", value)


def resources(value: Any) -> NamedResources:
    """A copy of named resources.

    Raises:
        InvalidRequestError: it has something that is no resource, or is nested too deep.
    """
    if not isinstance(value, Mapping):
        raise InvalidRequestError(f"resources are a dict, not {type(value).__name__}")
    plain = {key: _dumped(item) for key, item in value.items()}
    not_too_deep(plain)
    try:
        return _RESOURCES.validate_python(plain)
    except ValidationError as error:
        raise InvalidRequestError(f"resources: {error}") from error


def pairs(value: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """(rollout id, attempt id) pairs."""
    return [(text("rollout_id", first), text("attempt_id", second)) for first, second in value]


def number(name: str, value: Any) -> int:
    """A whole number.

    Raises:
        InvalidRequestError: it is none.
    """
    if not isinstance(value, int):
        raise InvalidRequestError(f"{name} is a whole number, not {value!r}")
    return value


def wait(name: str, value: Any) -> float | None:
    """Seconds, or None.

    Raises:
        InvalidRequestError: it is no number.
    """
    if value is None:
        return None
    if not isinstance(value, (int, float)) or value != value:  # noqa: PLR0124, NaN is no time
        raise InvalidRequestError(f"{name} is a number of seconds, not {value!r}")
    return value if isinstance(value, float) else float(min(max(value, -_LARGEST), _LARGEST))


def _dumped(value: Any) -> Any:
    # JSON's shapes but Python's values; a dump is also a copy.
    return value.model_dump() if isinstance(value, BaseModel) else value


def _loaded(kind: Any, name: str, value: Any) -> Any:
    try:
        return kind.model_validate(_dumped(value))
    except ValidationError as error:
        raise InvalidRequestError(f"{name}: {error}") from error
