"""What a query asks for, said once for every kind of item and every backend.

A condition on a field is `exact` (equal), `within` (one of these; none of them matches nothing)
or `contains` (a part of the text; None never matches). `must` conditions hold all. The
`conditions` hold all, or with `any_of` at least one; with no conditions, everything matches.

Without `sort_by`, items come in the order they were inserted in. Otherwise they are sorted by
that field, ties in insertion order also when `descending`; None counts as later than every time
in fields that end in `_time`, and as empty text or zero elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from agentlightning_compat.errors import InvalidRequestError
from agentlightning_compat.model.rollouts import ATTEMPT_STATUSES, ROLLOUT_STATUSES
from agentlightning_compat.model.workers import WORKER_STATUSES

T = TypeVar("T")

# Per kind: the fields that can be sorted by, and what a None in them counts as.
LATE = float("inf")
SORTABLE: dict[str, dict[str, float | int | str]] = {
    "rollouts": {
        "rollout_id": "",
        "start_time": LATE,
        "end_time": LATE,
        "mode": "",
        "resources_id": "",
        "status": "",
    },
    "attempts": {
        "rollout_id": "",
        "attempt_id": "",
        "sequence_id": 0,
        "start_time": LATE,
        "end_time": LATE,
        "status": "",
        "worker_id": "",
        "last_heartbeat_time": LATE,
    },
    "spans": {
        "rollout_id": "",
        "attempt_id": "",
        "sequence_id": 0,
        "trace_id": "",
        "span_id": "",
        "parent_id": "",
        "name": "",
        "start_time": LATE,
        "end_time": LATE,
    },
    "resources": {"resources_id": "", "create_time": LATE, "update_time": LATE, "version": 0},
    "workers": {
        "worker_id": "",
        "status": "",
        "last_heartbeat_time": LATE,
        "last_dequeue_time": LATE,
        "last_busy_time": LATE,
        "last_idle_time": LATE,
        "current_rollout_id": "",
        "current_attempt_id": "",
    },
}
_STATUSES = {
    "rollouts": ROLLOUT_STATUSES,
    "attempts": ATTEMPT_STATUSES,
    "workers": WORKER_STATUSES,
}


class Condition(NamedTuple):
    """One condition on one field."""

    field: str
    operator: Literal["exact", "within", "contains"]
    value: Any


class Query(NamedTuple):
    """A question about one kind of item; see the module."""

    must: tuple[Condition, ...] = ()
    conditions: tuple[Condition, ...] = ()
    any_of: bool = False
    sort_by: str | None = None
    descending: bool = False
    limit: int = -1
    offset: int = 0


class Page(Generic[T]):
    """The items of one page and how many match in all."""

    __slots__ = ("items", "total")

    def __init__(self, items: Sequence[T], total: int) -> None:
        self.items = items
        self.total = total


def make_query(  # noqa: PLR0913, what every query method takes
    kind: str,
    *,
    must: Sequence[tuple[str, Any]] = (),
    sort_by: str | None,
    sort_order: str,
    limit: int,
    offset: int,
    filter_logic: str = "and",
    **filters: Any,
) -> Query:
    """Check the arguments of a query method and put them in one value.

    A filter `x` is exact, `x_in` is within, `x_contains` is contains; None means no filter.

    Raises:
        InvalidRequestError: an argument has no meaning for this kind.
    """
    _check_page(limit, offset)
    if sort_by is not None and sort_by not in SORTABLE[kind]:
        fields = ", ".join(SORTABLE[kind])
        raise InvalidRequestError(f"sort_by {sort_by!r} is none of {fields}")
    if sort_order not in ("asc", "desc"):
        raise InvalidRequestError(f"sort_order {sort_order!r} is neither 'asc' nor 'desc'")
    if filter_logic not in ("and", "or"):
        raise InvalidRequestError(f"filter_logic {filter_logic!r} is neither 'and' nor 'or'")
    conditions = tuple(
        _condition(kind, name, value) for name, value in filters.items() if value is not None
    )
    fixed = tuple(Condition(name, "exact", value) for name, value in must if value is not None)
    descending = sort_order == "desc"
    return Query(fixed, conditions, filter_logic == "or", sort_by, descending, limit, offset)


def _check_page(limit: Any, offset: Any) -> None:
    if not isinstance(limit, int) or limit < -1:
        raise InvalidRequestError(f"limit {limit!r} is not -1 (all) or a number of items")
    if not isinstance(offset, int) or offset < 0:
        raise InvalidRequestError(f"offset {offset!r} is not a number of items")


def _condition(kind: str, name: str, value: Any) -> Condition:
    if name.endswith("_contains"):
        return Condition(name.removesuffix("_contains"), "contains", value)
    if not name.endswith("_in"):
        return Condition(name, "exact", value)
    field = name.removesuffix("_in")
    if isinstance(value, str):
        raise InvalidRequestError(f"{name} is a list, not the text {value!r}")
    values = tuple(dict.fromkeys(value))
    known = _STATUSES.get(kind) if field == "status" else None
    if known is not None and not known.issuperset(values):
        wrong = sorted(set(values) - known)
        raise InvalidRequestError(f"{name} has {wrong}, which are not among {sorted(known)}")
    return Condition(field, "within", values)
