"""What differs between the databases, and what a transaction needs of a connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

Row = Sequence[Any]


@dataclass(frozen=True)
class Dialect:
    """How a database says things. Statements are written with `?` for values and no braces.

    `row_locks`: others write at the same time, so rows that are to be changed are locked.
    `series`: the statement that gives the next numbers of a series, each in a row or only the
    last of them; its values are made by `series_values`.
    """

    name: str
    row_locks: bool
    infinity: str
    no_limit: int | None
    contains: str
    within: str
    within_value: Callable[[Sequence[str]], Any]
    series: str
    series_values: Callable[[str, int], Sequence[Any]]


def numbered(statement: str) -> str:
    """The statement with `$1`, `$2` and so on instead of question marks."""
    first, *rest = statement.split("?")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))


class Connection(Protocol):
    """A connection with a transaction that was begun."""

    dialect: Dialect

    async def rows(self, statement: str, values: Sequence[Any] = ()) -> Sequence[Row]:
        """The rows that a statement gives."""
        ...

    async def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """How many rows a statement wrote."""
        ...

    async def run_many(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        """The same statement for each of these values."""
        ...


@lru_cache(maxsize=256)
def update_of(table: str, columns: tuple[str, ...], key: str) -> str:
    """A statement that sets columns where the key is."""
    assignments = ", ".join(f"{column} = ?" for column in columns)
    return f"UPDATE {table} SET {assignments} WHERE {key}"


@lru_cache(maxsize=32)
def insert_of(table: str, columns: str) -> str:
    """A statement that inserts a row of these columns, named with spaces between them."""
    names = columns.split()
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
