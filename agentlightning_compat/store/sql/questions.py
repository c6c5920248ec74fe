"""Queries as SQL."""

from __future__ import annotations

from typing import Any, NamedTuple

from agentlightning_compat.store.query import LATE, SORTABLE, Condition, Query
from agentlightning_compat.store.sql import rows
from agentlightning_compat.store.sql.dialect import Dialect
from agentlightning_compat.store.sql.texts import stored


class Kind(NamedTuple):
    """Where the items of a kind are: what to select from what, which field is which column.

    `counted` has no joins that only bring columns; `order` is that of insertion.
    """

    name: str
    columns: str
    source: str
    counted: str
    fields: dict[str, str]
    order: str


def _fields(kind: str, table: str, **elsewhere: str) -> dict[str, str]:
    return {name: elsewhere.get(name, f"{table}.{name}") for name in SORTABLE[kind]}


ROLLOUTS = Kind(
    "rollouts",
    f"{rows.ROLLOUT}, {rows.PAYLOAD}, {rows.ATTEMPT}",
    "rollouts r JOIN payloads p ON p.rollout = r.id"
    " LEFT JOIN attempts a ON a.rollout = r.id AND a.sequence_id = r.attempts",
    "rollouts r",
    _fields("rollouts", "r"),
    "r.id",
)
_OF_ROLLOUT = "rollouts r JOIN attempts a ON a.rollout = r.id"
ATTEMPTS = Kind(
    "attempts",
    f"r.rollout_id, {rows.ATTEMPT}",
    _OF_ROLLOUT,
    _OF_ROLLOUT,
    _fields("attempts", "a", rollout_id="r.rollout_id"),
    "a.sequence_id",
)
_WITH_SPANS = (
    "rollouts r JOIN spans s ON s.rollout = r.id"
    " JOIN attempts a ON a.rollout = s.rollout AND a.sequence_id = s.attempt"
)
SPANS = Kind(
    "spans",
    rows.SPAN,
    _WITH_SPANS,
    _WITH_SPANS,
    _fields("spans", "s", rollout_id="r.rollout_id", attempt_id="a.attempt_id"),
    "s.id",
)
RESOURCES = Kind(
    "resources",
    rows.RESOURCES,
    "resources u",
    "resources u",
    _fields("resources", "u"),
    "u.id",
)
WORKERS = Kind("workers", rows.WORKER, "workers w", "workers w", _fields("workers", "w"), "w.id")


class Question(NamedTuple):
    """The two statements of a query, each with its values."""

    counting: str
    counting_values: tuple[Any, ...]
    page: str
    page_values: tuple[Any, ...]


def question(dialect: Dialect, kind: Kind, query: Query) -> Question:
    """How many match, and the page of them."""
    where, values = _where(dialect, kind, query)
    counting, counted = f"SELECT count(*) FROM {kind.counted}{where}", tuple(values)
    limit = dialect.no_limit if query.limit < 0 else query.limit
    order = _order(dialect, kind, query)
    if _is_of_statuses(kind, query):
        most = limit if query.limit < 0 else query.offset + query.limit
        where, values, order = _of_statuses(query, most)
    return Question(
        counting,
        counted,
        f"SELECT {kind.columns} FROM {kind.source}{where} ORDER BY {order} LIMIT ? OFFSET ?",
        (*values, limit, query.offset),
    )


def _is_of_statuses(kind: Kind, query: Query) -> bool:
    """Whether the rollouts of some statuses are asked for, in their own order."""
    if kind is not ROLLOUTS or query.sort_by is not None or len(query.conditions) != 1:
        return False
    condition = query.conditions[0]
    return condition.field == "status" and condition.operator == "within" and condition.value != ()


def _of_statuses(query: Query, most: int | None) -> tuple[str, list[Any], str]:
    """Those of each status in the order of an index: otherwise more would be read, and sorted.

    A range and its order are what only this index has. Said as equal to one status, in order of
    ids, a planner may as well go through all ids until it has met enough of that status.
    """
    values: list[Any] = []
    statuses = [stored(status) for status in query.conditions[0].value]
    if len(statuses) == 1:
        return " WHERE r.status BETWEEN ? AND ?", statuses * 2, "r.status, r.id"
    parts = []
    for status in statuses:
        values += [status, status, most]
        parts.append(
            "SELECT x.id FROM (SELECT id FROM rollouts WHERE status BETWEEN ? AND ?"
            " ORDER BY status, id LIMIT ?) x"
        )
    return f" WHERE r.id IN ({' UNION ALL '.join(parts)})", values, "r.id"


def _where(dialect: Dialect, kind: Kind, query: Query) -> tuple[str, list[Any]]:
    values: list[Any] = []
    parts = [_condition(dialect, kind, condition, values) for condition in query.must]
    given = [_condition(dialect, kind, condition, values) for condition in query.conditions]
    if given:
        parts.append(f"({(' OR ' if query.any_of else ' AND ').join(given)})")
    return (f" WHERE {' AND '.join(parts)}" if parts else ""), values


def _condition(dialect: Dialect, kind: Kind, condition: Condition, values: list[Any]) -> str:
    column = kind.fields[condition.field]
    wanted = condition.value
    if condition.operator == "within":
        texts = [stored(text) for text in wanted if isinstance(text, str)]
        if len(texts) != 1:
            values.append(dialect.within_value(texts))
            return f"{column} {dialect.within}"
        # Said so, an index also gives the order.
        (wanted,) = texts
    if not isinstance(wanted, str):
        return "1 = 0"  # every field that can be filtered by is text
    values.append(stored(wanted))
    if condition.operator == "contains":
        return dialect.contains.replace("column", column)
    return f"{column} = ?"


def _order(dialect: Dialect, kind: Kind, query: Query) -> str:
    field = query.sort_by
    if field is None:
        return kind.order
    missing = SORTABLE[kind.name][field]
    literal = dialect.infinity if missing == LATE else repr(missing)
    direction = " DESC" if query.descending else ""
    return f"coalesce({kind.fields[field]}, {literal}){direction}, {kind.order}"
