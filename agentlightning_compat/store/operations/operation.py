"""How an operation is written: a part inside the transaction, and one that is not."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

from agentlightning_compat.errors import (
    AttemptNotFoundError,
    CompatError,
    RolloutNotFoundError,
)
from agentlightning_compat.lifecycle.records import Pair, RolloutRecord
from agentlightning_compat.model import PaginatedResult
from agentlightning_compat.store.query import Page, Query
from agentlightning_compat.store.transaction import Found, Transaction
from agentlightning_compat.store.values import build

T = TypeVar("T")

Run = Callable[[Transaction, Any, float], Coroutine[Any, Any, Any]]


class Operation(NamedTuple):
    """`run(transaction, command, now)` works on records and may be run again from its start.

    `present` makes of its result what the caller gets, after the transaction. `scans`: overdue
    attempts are looked for first.
    """

    run: Run
    present: Callable[[Any], Any]
    scans: bool = True


def existing(found: RolloutRecord | None, rollout_id: str) -> RolloutRecord:
    """The rollout.

    Raises:
        RolloutNotFoundError: there is none.
    """
    if found is None:
        raise RolloutNotFoundError(f"there is no rollout {rollout_id!r}")
    return found


def both(found: Found, rollout_id: str, attempt_id: str) -> Pair:
    """The rollout and its attempt.

    Raises:
        RolloutNotFoundError: there is no such rollout.
        AttemptNotFoundError: it has no such attempt.
    """
    rollout, attempt = found
    if rollout is None or attempt is None:
        raise missing(found, rollout_id, attempt_id)
    return Pair(rollout, attempt)


def missing(found: Found, rollout_id: str, attempt_id: str) -> CompatError:
    """What to raise when not both were found."""
    if found[0] is None:
        return RolloutNotFoundError(f"there is no rollout {rollout_id!r}")
    wanted = "no attempt yet" if attempt_id == "latest" else f"no attempt {attempt_id!r}"
    return AttemptNotFoundError(f"rollout {rollout_id!r} has {wanted}")


def paginated(query: Query, page: Page[T]) -> PaginatedResult[T]:
    """The page as callers get it, its items not yet presented."""
    return build(
        PaginatedResult,
        {
            "items": page.items,
            "limit": query.limit,
            "offset": query.offset,
            "total": page.total,
        },
    )


def each(present: Callable[[Any], Any]) -> Callable[[PaginatedResult[Any]], Any]:
    """Present every item of a page."""

    def presented(page: PaginatedResult[Any]) -> PaginatedResult[Any]:
        page.items = [present(item) for item in page.items]
        return page

    return presented


def same(value: T) -> T:
    """For results that need no presenting."""
    return value
