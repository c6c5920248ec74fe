"""Replies that hold no more than a server lets them, and clients that ask for the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from agentlightning_compat.errors import InvalidRequestError
from agentlightning_compat.http import calls
from agentlightning_compat.http.calls import Parts
from agentlightning_compat.http.checking import whole
from agentlightning_compat.http.limits import Limits
from agentlightning_compat.model import (
    Attempt,
    PaginatedResult,
    ResourcesUpdate,
    Rollout,
    Span,
    Worker,
)
from agentlightning_compat.store.query import Query

# Clients that ask for the rest say so by this header.
PAGES = b"agl-pages"

# The calls whose replies are pages.
PAGED = frozenset(
    {
        calls.query_rollouts,
        calls.query_attempts,
        calls.query_workers,
        calls.query_resources,
        calls.query_spans,
    }
)
_KEYS: Mapping[type[Any], tuple[str, ...]] = {
    Span: ("rollout_id", "attempt_id", "span_id"),
    Attempt: ("rollout_id", "attempt_id"),
    Rollout: ("rollout_id",),
    Worker: ("worker_id",),
    ResourcesUpdate: ("resources_id",),
}


async def bounded(
    call: Callable[[Any, Parts], Awaitable[Any]], store: Any, parts: Parts, limits: Limits
) -> Any:
    """What a call gives, and no more of it than the limits allow.

    Raises:
        InvalidRequestError: there is more, and the client would take a part for the whole.
    """
    if call is calls.dequeue:
        limit = whole(parts.fields().get("limit", 1), "limit")
        if limit > limits.batch:
            parts = replace(parts, body={**parts.body, "limit": limits.batch})
        return await call(store, parts)
    if limits.page is None or call not in PAGED:
        return await call(store, parts)
    asked = _limit(parts)
    if -1 < asked <= limits.page:
        return await call(store, parts)
    found = await call(store, _limited(parts, limits.page))
    left = found.total - found.offset - len(found.items)
    if asked >= 0:
        left = min(left, asked - len(found.items))
    if left <= 0:
        return found.model_copy(update={"limit": asked})
    if not parts.follows:
        raise InvalidRequestError(
            f"{found.total} items are more than the {limits.page} that a reply holds here:"
            " ask for them by limit and offset"
        )
    return found


def _limit(parts: Parts) -> int:
    given: Any = parts.fields().get("limit")
    if parts.body is None and parts.query.get("limit"):
        given = parts.query["limit"][-1]
    return -1 if given is None else whole(given, "limit")


def _limited(parts: Parts, most: int) -> Parts:
    if parts.body is not None:
        return replace(parts, body={**parts.body, "limit": most})
    return replace(parts, query={**parts.query, "limit": [str(most)]})


async def rest_of(
    first: PaginatedResult[Any],
    query: Query,
    ask: Callable[[Query], Awaitable[PaginatedResult[Any]]],
) -> PaginatedResult[Any]:
    """The whole of what a query asked for, of which the server's reply held a part.

    Each page begins with the last item of the one before. If that is somewhere else by now,
    items before it have gone, and the page begins further in front: none that matched all the
    time is left out.
    """
    found = {_key(item): item for item in first.items}
    step = max(len(first.items) - 1, 1)
    total, offset = first.total, query.offset + len(first.items) - 1
    while _missing(query, len(found), total):
        page = await ask(query._replace(limit=step + 1, offset=offset))
        total = page.total
        known = bool(page.items) and _key(page.items[0]) in found
        if not known and offset > query.offset:
            offset = max(offset - step, query.offset)
            continue
        for item in page.items:
            found.setdefault(_key(item), item)
        if offset + len(page.items) >= total or len(page.items) < 2:
            break
        offset += len(page.items) - 1
    items = list(found.values())
    if query.limit >= 0:
        items = items[: query.limit]
    return PaginatedResult.model_construct(
        items=items, limit=query.limit, offset=query.offset, total=total
    )


def _missing(query: Query, have: int, total: int) -> bool:
    if query.limit >= 0:
        return have < query.limit
    return True  # until the end was seen


def is_whole(page: PaginatedResult[Any], query: Query) -> bool:
    """Whether a page has all that was asked for."""
    there = max(page.total - query.offset, 0)
    wanted = there if query.limit < 0 else min(there, query.limit)
    return len(page.items) >= wanted


def _key(item: Any) -> tuple[str, ...]:
    names = next(names for kind, names in _KEYS.items() if isinstance(item, kind))
    return tuple(getattr(item, name) for name in names)
