"""A store by its URL."""

from __future__ import annotations

from agentlightning_compat.clock import Clock
from agentlightning_compat.errors import InvalidRequestError, UnsupportedError
from agentlightning_compat.store.local import LocalStore


def open_store(url: str, *, clock: Clock | None = None) -> LocalStore:
    """Open the store that a URL names.

    `memory://` is a new one in this process. `sqlite:///store.db` is a file beside the process,
    `sqlite:////var/store.db` one with an absolute path. `postgresql://...` is a database, as its
    own clients name it.

    Raises:
        InvalidRequestError: the URL names no store.
        UnsupportedError: there is no client for it yet, or its driver is not installed.
        StorageError: what is there cannot be used.
        StoreUnavailableError: it cannot be reached now.
    """
    scheme, separator, rest = url.partition("://") if isinstance(url, str) else ("", "", "")
    if separator and scheme == "memory" and not rest:
        from agentlightning_compat.store.memory import InMemoryLightningStore

        return InMemoryLightningStore(clock=clock)
    if separator and scheme == "sqlite":
        from agentlightning_compat.store.sqlite import SqliteLightningStore

        if len(rest) < 2 or not rest.startswith("/"):
            raise InvalidRequestError(f"{url!r} names no file: sqlite:///store.db does")
        return SqliteLightningStore(rest[1:], clock=clock)
    if separator and scheme in ("postgresql", "postgres"):
        from agentlightning_compat.store.postgres import PostgresLightningStore

        return PostgresLightningStore(url, clock=clock)
    if scheme in ("http", "https"):
        raise UnsupportedError(f"{url!r}: stores cannot be reached over HTTP yet")
    raise InvalidRequestError(
        f"{url!r} names no store: memory://, sqlite:///path and postgresql://... do"
    )
