"""Queries answered in Python, over records that are at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from agentlightning_compat.store.query import SORTABLE, Condition, Page, Query

T = TypeVar("T")
Read = Callable[[Any, str], Any]


def holds(condition: Condition, value: Any) -> bool:
    """Whether a field's value fulfils a condition."""
    if condition.operator == "exact":
        return bool(value == condition.value)
    if condition.operator == "within":
        return value in condition.value
    return value is not None and condition.value in value


def matches(query: Query, item: Any, read: Read = getattr) -> bool:
    """Whether an item fulfils a query; `must` has been seen to by whoever found the item."""
    if not query.conditions:
        return True
    results = (holds(condition, read(item, condition.field)) for condition in query.conditions)
    return any(results) if query.any_of else all(results)


def sorted_by(kind: str, query: Query, items: Iterable[T], read: Read = getattr) -> list[T]:
    """The items in the order that the query asks for; they come in that of insertion."""
    field = query.sort_by
    if field is None:
        return list(items)
    missing = SORTABLE[kind][field]

    def key(item: T) -> Any:
        value = read(item, field)
        return missing if value is None else value

    return sorted(items, key=key, reverse=query.descending)


def part(query: Query, items: Sequence[T]) -> Sequence[T]:
    """The asked-for page of sorted items."""
    end = None if query.limit < 0 else query.offset + query.limit
    return items[query.offset : end]


def answer(kind: str, query: Query, items: Iterable[T], read: Read = getattr) -> Page[T]:
    """Filter, sort and cut a page."""
    found = [item for item in items if matches(query, item, read)]
    return Page(part(query, sorted_by(kind, query, found, read)), len(found))
