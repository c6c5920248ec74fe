"""A server for the length of a `with`."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager

from agentlightning_compat.http.server import LightningStoreServer


@contextmanager
def serving(store, **options):
    """The server of a store, listening at a port of its own."""
    server = LightningStoreServer(store, port=0, **options)
    asyncio.run(server.start())
    try:
        yield server
    finally:
        asyncio.run(server.stop())
