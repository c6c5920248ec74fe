"""A store by its URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentlightning_compat.clock import Clock
from agentlightning_compat.errors import InvalidRequestError

if TYPE_CHECKING:
    from agentlightning_compat.http.client import LightningStoreClient
    from agentlightning_compat.store.local import LocalStore


def open_store(
    url: str, *, clock: Clock | None = None, token: str | None = None
) -> LocalStore | LightningStoreClient:
    """Open the store that a URL names.

    `memory://` is a new one in this process. `sqlite:///store.db` is a file beside the process,
    `sqlite:////var/store.db` one with an absolute path. `postgresql://...` is a database, as its
    own clients name it. `http://host:4747` is behind a server, ours or that of agentlightning 0.3;
    it may want a `token` (AGL_SERVER_TOKEN), and has its own clock.

    Raises:
        InvalidRequestError: the URL names no store.
        UnsupportedError: what it needs is not installed.
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
        from agentlightning_compat.http.client import LightningStoreClient

        return LightningStoreClient(url, token=token)
    raise InvalidRequestError(
        f"{url!r} names no store: memory://, sqlite:///path, postgresql://... and http://... do"
    )
