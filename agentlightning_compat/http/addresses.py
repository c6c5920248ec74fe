"""Where a store server is."""

from __future__ import annotations

from urllib.parse import urlsplit

from agentlightning_compat.errors import InvalidRequestError
from agentlightning_compat.http.wire import PREFIX


def root_of(address: str) -> str:
    """The URL of a server, without a path.

    Raises:
        InvalidRequestError: it is none.
    """
    root = address.rstrip("/").removesuffix(PREFIX)
    if not _is_url(root):
        raise InvalidRequestError(f"{address!r} is no URL: http://host:port is")
    return root


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
