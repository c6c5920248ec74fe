"""What a request asks a store to do: one function for each operation."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agentlightning_compat.errors import InvalidRequestError, UnsupportedError
from agentlightning_compat.http.checking import any_text, listed, pairs, seconds, text, texts, whole
from agentlightning_compat.model import EnqueueRolloutRequest, RolloutConfig, Span
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.base import LightningStore
from agentlightning_compat.store.contract.spans import can_number
from agentlightning_compat.store.query import make_query

# A held request is answered after so many seconds at the latest; the client asks again.
LONGEST_HOLD = 20.0


@dataclass(slots=True)
class Parts:
    """The parts of a request that mean something; who `follows` asks for the pages that a reply
    has no room for."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body: Any = None
    follows: bool = False

    def fields(self) -> dict[str, Any]:
        """The body, which has to be an object; nothing counts as an empty one.

        Raises:
            InvalidRequestError: it is something else.
        """
        if self.body is None:
            return {}
        if not isinstance(self.body, dict):
            raise InvalidRequestError(f"the body is an object, not {self.body!r}"[:300])
        return self.body


def _only(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: fields[name] for name in names if name in fields}


def _no_nulls(fields: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if name in fields and fields[name] is None:
            raise InvalidRequestError(f"{name} is invalid; it cannot be a null value.")


async def enqueue(store: Any, parts: Parts) -> Any:
    requests = [_new(item) for item in listed(parts.fields().get("rollouts"), "rollouts")]
    return await store.enqueue_many_rollouts(requests)


def _new(item: Any) -> EnqueueRolloutRequest:
    return EnqueueRolloutRequest.model_validate(item)


async def dequeue(store: Any, parts: Parts) -> Any:
    fields = parts.fields()
    limit = whole(fields.get("limit", 1), "limit")
    arguments: dict[str, Any] = {"limit": limit, "worker_id": any_text(fields, "worker_id")}
    wait = fields.get("wait")
    wait = 0 if wait is None else seconds(wait, "wait")
    if wait > 0 and "wait" in inspect.signature(store.dequeue_many_rollouts).parameters:
        arguments["wait"] = min(wait, LONGEST_HOLD)
    return await store.dequeue_many_rollouts(**arguments)


async def start_rollout(store: Any, parts: Parts) -> Any:
    fields = parts.fields()
    if "input" not in fields:
        raise InvalidRequestError("input has to be there")
    names = ("input", "mode", "resources_id", "config", "metadata", "worker_id")
    return await store.start_rollout(**_configured(_only(fields, *names)))


def _configured(arguments: dict[str, Any]) -> dict[str, Any]:
    if arguments.get("config") is not None:
        arguments["config"] = RolloutConfig.model_validate(arguments["config"])
    return arguments


_PAGE = ("filter_logic", "sort_by", "sort_order", "limit", "offset")


def _page(parts: Parts, *filters: str) -> dict[str, Any]:
    """The arguments of a query method, from a body or from the query string."""
    names = (*filters, *_PAGE)
    if parts.body is not None:
        given = _only(parts.fields(), *names)
        return {k: _checked(k, x) for k, x in given.items() if x is not None or k == "sort_by"}
    found = {}
    for name in names:
        values = parts.query.get(name)
        if values:
            found[name] = _checked(name, values if name.endswith("_in") else values[-1])
    return found


def _checked(name: str, value: Any) -> Any:
    if name in ("limit", "offset"):
        return whole(value, name)
    if name.endswith("_in"):
        return texts(value, name)
    return any_text({name: value}, name)


async def query_rollouts(store: Any, parts: Parts) -> Any:
    filters = ("status_in", "rollout_id_in", "rollout_id_contains")
    asked = _page(parts, *filters, "mode_in")
    if "mode_in" not in asked:
        return await store.query_rollouts(**asked)
    # Beyond 0.3, where no method takes it: only stores that answer commands know it.
    if not isinstance(store, LightningStore):
        raise UnsupportedError(f"{type(store).__name__} cannot be asked by mode")
    everything = {"sort_by": None, "sort_order": "asc", "limit": -1, "offset": 0}
    query = make_query("rollouts", **{**everything, **asked})
    return await store._perform(c.QueryRollouts(query))


async def query_attempts(store: Any, parts: Parts) -> Any:
    arguments = _page(parts)
    arguments.pop("filter_logic", None)
    return await store.query_attempts(parts.path["rollout_id"], **arguments)


async def query_workers(store: Any, parts: Parts) -> Any:
    return await store.query_workers(**_page(parts, "status_in", "worker_id_contains"))


async def query_resources(store: Any, parts: Parts) -> Any:
    arguments = _page(parts, "resources_id", "resources_id_contains")
    arguments.pop("filter_logic", None)
    return await store.query_resources(**arguments)


_SPAN_FILTERS = tuple(
    f"{name}{suffix}"
    for name in ("trace_id", "span_id", "parent_id", "name")
    for suffix in ("", "_contains")
)


async def query_spans(store: Any, parts: Parts) -> Any:
    where = parts.fields() if parts.body is not None else _first(parts.query)
    return await store.query_spans(
        text(where, "rollout_id"), any_text(where, "attempt_id"), **_page(parts, *_SPAN_FILTERS)
    )


def _first(query: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {name: values[-1] for name, values in query.items()}


async def update_rollout(store: Any, parts: Parts) -> Any:
    fields = _only(parts.fields(), "input", "mode", "resources_id", "status", "config", "metadata")
    _no_nulls(fields, "status", "config")
    return await store.update_rollout(parts.path["rollout_id"], **_configured(fields))


async def update_attempt(store: Any, parts: Parts) -> Any:
    fields = _only(parts.fields(), "status", "worker_id", "last_heartbeat_time", "metadata")
    _no_nulls(fields, "status", "worker_id", "last_heartbeat_time")
    return await store.update_attempt(parts.path["rollout_id"], parts.path["attempt_id"], **fields)


async def start_attempt(store: Any, parts: Parts) -> Any:
    worker_id = any_text(parts.fields(), "worker_id")
    return await store.start_attempt(parts.path["rollout_id"], worker_id=worker_id)


async def update_worker(store: Any, parts: Parts) -> Any:
    fields = _only(parts.fields(), "heartbeat_stats")
    _no_nulls(fields, "heartbeat_stats")
    return await store.update_worker(parts.path["worker_id"], **fields)


async def wait(store: Any, parts: Parts) -> Any:
    fields = parts.fields()
    timeout = fields.get("timeout")
    held = LONGEST_HOLD if timeout is None else min(seconds(timeout, "timeout"), LONGEST_HOLD)
    rollout_ids = texts(fields.get("rollout_ids"), "rollout_ids")
    return await store.wait_for_rollouts(rollout_ids=rollout_ids, timeout=held)


async def add_span(store: Any, parts: Parts) -> Any:
    return await store.add_span(Span.model_validate(parts.fields()))


async def next_ids(store: Any, parts: Parts) -> Any:
    fields = parts.fields()
    if "keys" in fields:
        keys = pairs(fields["keys"], "keys")
        return {"sequence_ids": list(await store.get_many_span_sequence_ids(keys))}
    number = await store.get_next_span_sequence_id(
        text(fields, "rollout_id"), text(fields, "attempt_id")
    )
    return {"sequence_id": number}


async def add_spans(store: Any, parts: Parts) -> Any:
    fields = parts.fields()
    spans = [Span.model_validate(item) for item in listed(fields.get("spans"), "spans")]
    if not spans or fields.get("numbered", True):
        stored = await store.add_many_spans(spans)
    elif can_number(store):
        stored = await store._perform(c.AddSpans(spans, numbered=False))
    else:
        keys = [(span.rollout_id, span.attempt_id) for span in spans]
        numbers = await store.get_many_span_sequence_ids(keys)
        for span, number in zip(spans, numbers, strict=True):
            span.sequence_id = number
        stored = await store.add_many_spans(spans)
    left = {(s.rollout_id, s.attempt_id, s.span_id): s.sequence_id for s in stored}
    # The client has the spans: it is told which were stored, and their numbers.
    return {
        "stored": [left.pop((s.rollout_id, s.attempt_id, s.span_id), None) for s in spans],
    }


def held_for(parts: Parts) -> float:
    """Seconds that a request asks to be held."""
    body = parts.body if isinstance(parts.body, dict) else {}
    return float(body.get("wait") or body.get("timeout") or 0.0)
