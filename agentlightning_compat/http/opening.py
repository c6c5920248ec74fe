"""A store by its URL, wherever it is."""

from __future__ import annotations

from agentlightning_compat.clock import Clock
from agentlightning_compat.http.client import LightningStoreClient
from agentlightning_compat.store import opening
from agentlightning_compat.store.local import LocalStore


def open_store(
    url: str, *, clock: Clock | None = None, token: str | None = None
) -> LocalStore | LightningStoreClient:
    """Open the store that a URL names.

    `memory://` is a new one in this process. `sqlite:///store.db` is a file beside the process,
    `sqlite:////var/store.db` one with an absolute path. `postgresql://...` is a database, as its
    own clients name it. `http://host:4747` is behind a server, which may want a `token`
    (AGL_SERVER_TOKEN) and has its own clock.

    Raises:
        InvalidRequestError: the URL names no store.
        UnsupportedError: its driver is not installed.
        StorageError: what is there cannot be used.
        StoreUnavailableError: it cannot be reached now.
    """
    if isinstance(url, str) and url.startswith(("http://", "https://")):
        return LightningStoreClient(url, token=token)
    return opening.open_store(url, clock=clock)
