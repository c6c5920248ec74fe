"""What the answer of a server says: a value, or the error that the store raised there."""

from __future__ import annotations

from typing import Any

from agentlightning_compat.errors import (
    CompatError,
    InternalError,
    InvalidRequestError,
    NotFoundError,
    StoreUnavailableError,
    UnsupportedError,
    from_code,
)
from agentlightning_compat.http import values

_LATER = frozenset({408, 425, 429, 502, 503, 504})


def value_of(data: bytes, call: str) -> Any:
    """What JSON says.

    Raises:
        InternalError: it is none.
    """
    try:
        return values.decoded(data)
    except InvalidRequestError as error:
        raise InternalError(f"{call}: {error.message}") from error


def error_of(status: int, call: str, data: bytes) -> CompatError:
    """The error that an answer of this status stands for."""
    try:
        said = values.decoded(data)
    except InvalidRequestError:
        said = None
    said = said if isinstance(said, dict) else {}
    detail = said.get("detail") or data[:300].decode(errors="replace")
    if isinstance(said.get("code"), str):
        return from_code(said["code"], str(detail))
    if status in _LATER:
        return StoreUnavailableError(f"{call}: {status} {detail}")
    if said.get("error_type") == "ValueError":  # of a server of 0.3: an id that it does not know
        return NotFoundError(f"{call}: the server does not know it")
    kinds: dict[int, type[CompatError]] = {404: NotFoundError, 501: UnsupportedError}
    kind = kinds.get(status, InvalidRequestError if status < 500 else InternalError)
    return kind(f"{call}: {status} {detail}")
