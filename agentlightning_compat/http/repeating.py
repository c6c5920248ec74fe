"""Requests that were sent before, maybe to a server that is no more: see `store.once`.

What a server has answered it remembers by the keys of the requests (`replies`). For keys that it
does not know, it has the store look, when the client says that it repeats a request, or when the
ids that the request would make are there already.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from agentlightning_compat.errors import InternalError, StorageError
from agentlightning_compat.http.wire import AGAIN
from agentlightning_compat.store import commands as c
from agentlightning_compat.store import once
from agentlightning_compat.store.local import LocalStore
from agentlightning_compat.store.once import Once

R = TypeVar("R")

_AGAIN = AGAIN.encode()
# Ids are made of these; shorter keys may have been used for something else long ago.
_UNIQUE = re.compile(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")


def once_of(key: str, headers: dict[bytes, bytes]) -> Once | None:
    """How often a request acts, over all servers; None where its key does not say so."""
    return Once(key, again=_AGAIN in headers) if _UNIQUE.fullmatch(key) else None


async def acted(act: Callable[[], Awaitable[R]], wanted: Once | None) -> R:
    """Do what a request asks for, or find that it was done."""
    if wanted is None:
        return await act()
    once.asked.set(once.Request(wanted))
    try:
        return await act()
    except (StorageError, InternalError):
        if wanted.again:
            raise
    # Maybe its ids are there: it arrived before, and the client does not say so.
    once.asked.set(once.Request(wanted._replace(again=True)))
    return await act()


async def claims_of(store: Any, key: str, limit: int) -> Any:
    """What the claim of a key got that this server does not know of."""
    if not isinstance(store, LocalStore) or not _UNIQUE.fullmatch(key):
        return []
    act = once.Request(Once(key, again=True, only=True)).act()
    return await store._perform(c.Dequeue(limit, once=act))
