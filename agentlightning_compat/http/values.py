"""Results and queries as JSON, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import accumulate
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from agentlightning_compat.errors import InternalError, InvalidRequestError, UnstorableValueError
from agentlightning_compat.lifecycle.records import ConfigRecord
from agentlightning_compat.model import AttemptedRollout, PaginatedResult, Rollout
from agentlightning_compat.store.commands import NewRollout
from agentlightning_compat.store.query import Query
from agentlightning_compat.store.values import is_deeper

M = TypeVar("M", bound=BaseModel)

# Levels in JSON that is sent. Those who follow it down must not come to the end of their stack,
# where finalizers of others would fail as well.
DEEPEST = 500

_texts = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # as signed numbers, one down or up
_NO_STEPS = bytes(set(range(256)) - set(b"[{]}"))

_SUFFIXES = {"exact": "", "within": "_in", "contains": "_contains"}


def encoded(value: Any) -> bytes:
    """JSON; NaN and infinity as Python writes them.

    Raises:
        UnstorableValueError: JSON does not know it.
    """
    try:
        return json.dumps(value, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError, UnicodeEncodeError) as error:
        raise UnstorableValueError(f"the value cannot be sent as JSON: {error}") from error


def given(value: Any) -> bytes:
    """JSON of what a caller gives.

    Raises:
        UnstorableValueError: JSON does not know it, or it has more levels than one may send.
    """
    if is_deeper(value, DEEPEST):
        raise UnstorableValueError(f"the value is nested more than {DEEPEST} times")
    return encoded(value)


def decoded(data: bytes) -> Any:
    """What JSON says; None for nothing at all.

    Raises:
        InvalidRequestError: it is no JSON, or has more levels than one may send.
    """
    if not data:
        return None
    try:
        return from_json(data)
    except ValueError:  # many levels, half of a character, or no JSON
        pass
    if _levels(data) > DEEPEST:
        raise InvalidRequestError(f"the body is nested more than {DEEPEST} times")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"the body is no JSON: {error}") from error


def _levels(data: bytes) -> int:
    steps = _texts.sub(b"", data).translate(_STEPS, _NO_STEPS)
    return max(accumulate(memoryview(steps).cast("b")), default=0)


def dumped(result: Any) -> Any:
    """A result of a store as values that JSON knows."""
    if isinstance(result, PaginatedResult):
        items = [item.model_dump() for item in result.items]
        rest = {"limit": result.limit, "offset": result.offset, "total": result.total}
        return {"items": items, **rest}
    if isinstance(result, BaseModel):
        return result.model_dump()
    if isinstance(result, (list, tuple)):
        return [dumped(item) for item in result]
    return result


def loaded(kind: type[M], value: Any) -> M:
    """A model of what the other side sent.

    Raises:
        InternalError: it is not.
    """
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise InternalError(f"the answer is no {kind.__name__}: {error}") from error


def maybe(kind: type[M], value: Any) -> M | None:
    """As `loaded`; None stays None."""
    return None if value is None else loaded(kind, value)


def rollout(value: Any) -> Rollout:
    """A rollout, with its attempt if it has one."""
    attempted = isinstance(value, dict) and value.get("attempt") is not None
    return loaded(AttemptedRollout if attempted else Rollout, value)


def page(value: Any, read: Any, query: Query) -> PaginatedResult[Any]:
    """A page; `read` makes its items."""
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        raise InternalError(f"the answer is no page: {value!r}"[:300])
    # A page of nothing was asked for as one of one: old servers refuse it otherwise.
    items = [] if query.limit == 0 else [read(item) for item in value["items"]]
    return PaginatedResult.model_construct(
        items=items, limit=query.limit, offset=query.offset, total=value["total"]
    )


def search(query: Query, **more: Any) -> dict[str, Any]:
    """A query as the body of a search."""
    filters = {
        f"{condition.field}{_SUFFIXES[condition.operator]}": list(condition.value)
        if condition.operator == "within"
        else condition.value
        for condition in query.conditions
    }
    order = "desc" if query.descending else "asc"
    limit = 1 if query.limit == 0 else query.limit
    return {
        **more,
        **filters,
        "filter_logic": "or" if query.any_of else "and",
        "sort_by": query.sort_by,
        "sort_order": order,
        "limit": limit,
        "offset": query.offset,
    }


def in_url(body: Mapping[str, Any]) -> dict[str, list[str]]:
    """The body of a search whose filters are text, for a query string."""
    return {name: [str(value)] for name, value in body.items() if value is not None}


def new_rollout(new: NewRollout) -> dict[str, Any]:
    """What a rollout is made of, as a body."""
    return {
        "input": new.input,
        "mode": new.mode,
        "resources_id": new.resources_id,
        "config": config(new.config),
        "metadata": new.metadata,
    }


def config(record: ConfigRecord) -> dict[str, Any]:
    """A configuration as a body."""
    return {**record._asdict(), "retry_condition": list(record.retry_condition)}


def changes(given: Mapping[str, Any]) -> dict[str, Any]:
    """Changed fields as a body."""
    return {
        key: config(value) if isinstance(value, ConfigRecord) else value
        for key, value in given.items()
    }


def dumped_resources(resources: Mapping[str, Any]) -> dict[str, Any]:
    """Named resources as a body."""
    return {
        name: item.model_dump() if isinstance(item, BaseModel) else item
        for name, item in resources.items()
    }
