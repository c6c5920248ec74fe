"""The mark for an argument that was left out, where `None` is a value like any other."""

from __future__ import annotations

from typing import Final, TypeVar

T = TypeVar("T")


class Unset:
    """The type of `UNSET`; there is one instance, also after pickling and copying."""

    __slots__ = ()
    _only: Unset | None = None

    def __new__(cls) -> Unset:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()


def given(value: T | Unset, otherwise: T) -> T:
    """The value, or `otherwise` when the argument was left out."""
    return otherwise if isinstance(value, Unset) else value
