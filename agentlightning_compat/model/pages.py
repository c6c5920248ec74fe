"""Answers in pages, and how filters and sort orders are written down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, Literal, TypedDict, TypeVar, overload

from pydantic import BaseModel

T = TypeVar("T")


class FilterField(TypedDict, total=False):
    """The conditions on one field; all that are there have to hold."""

    exact: Any
    within: Sequence[Any]
    contains: str


FilterOptions = Mapping[str, FilterField | Literal["and", "or"] | Mapping[str, FilterField]]


class SortOptions(TypedDict):
    """A field to sort by, and which way."""

    name: str
    order: Literal["asc", "desc"]


class PaginatedResult(BaseModel, Sequence[T], Generic[T]):
    """A part of a longer answer: a sequence of its items that also knows the `total`."""

    items: Sequence[T]
    limit: int
    offset: int
    total: int

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self.items[index]

    def __iter__(self) -> Iterator[T]:  # type: ignore[override]
        return iter(self.items)

    def __repr__(self) -> str:
        end = "" if self.limit < 0 else str(self.offset + self.limit)
        shown = "empty"
        if self.items:
            shown = repr(self.items[0])
            shown = f"[{shown}, ...]" if len(self.items) > 1 else shown
        return f"<PaginatedResult ({self.offset}:{end} of {self.total}) {shown}>"
