"""What a store's work costs at least: the same writes on the bare means, nothing checked.

Each floor is microseconds for the eleven writes of one lifecycle (enqueue, claim, 8 spans, end).
"""

from __future__ import annotations

import asyncio
import importlib.util
import sqlite3
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

_SPAN = "x" * 400
_TABLES = (
    "CREATE TABLE rollouts (id INTEGER PRIMARY KEY, status TEXT, data TEXT)",
    "CREATE TABLE spans (rollout INT, number INT, data TEXT, PRIMARY KEY (rollout, number))",
)
_INSERT = "INSERT INTO rollouts VALUES ({0}, 'queuing', {1})"
_MOVE = "UPDATE rollouts SET status = {1} WHERE id = {0}"
_SPAN_INSERT = "INSERT INTO spans VALUES ({0}, {1}, {2})"


def containers(count: int) -> float:
    """A deque of ids and a dict of lists."""
    queue: deque[int] = deque()
    rollouts: dict[int, list[Any]] = {}
    start = time.perf_counter()
    for number in range(count):
        rollouts[number] = ["queuing", []]
        queue.append(number)
        claimed = rollouts[queue.popleft()]
        claimed[0] = "running"
        for _ in range(8):
            claimed[1].append(_SPAN)
        claimed[0] = "succeeded"
    return (time.perf_counter() - start) / count * 1e6


def sqlite(count: int, together: int) -> float:
    """Transactions of a file in WAL with synchronous=FULL, each of `together` writes."""
    with tempfile.TemporaryDirectory(prefix="agl-bench-") as folder:
        file = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
        file.execute("PRAGMA journal_mode=WAL")
        file.execute("PRAGMA synchronous=FULL")
        for table in _TABLES:
            file.execute(table)
        start = time.perf_counter()
        for first in range(0, count, together):
            for text, more in _steps("?", "?", "?"):
                file.execute("BEGIN IMMEDIATE")
                file.executemany(text, [(first + n, *more) for n in range(together)])
                file.execute("COMMIT")
        took = time.perf_counter() - start
        file.close()
    return took / count * 1e6


def _steps(*marks: str) -> list[tuple[str, tuple[Any, ...]]]:
    spans = [(_SPAN_INSERT.format(*marks), (number, _SPAN)) for number in range(8)]
    move = _MOVE.format(*marks)
    # The named marks of PostgreSQL come in any order; SQLite's in that of the statement.
    if marks[0] == "?":
        move = "UPDATE rollouts SET status = ?2 WHERE id = ?1"
    return [
        (_INSERT.format(*marks), ("{}",)),
        (move, ("running",)),
        *spans,
        (move, ("succeeded",)),
    ]


def postgres(dsn: str, count: int, together: int) -> float | None:
    """Statements of `together` tasks over ten connections of asyncpg; None without asyncpg."""
    if importlib.util.find_spec("asyncpg") is None:
        return None
    return asyncio.run(_postgres(dsn, count, together))


async def _postgres(dsn: str, count: int, together: int) -> float:
    import asyncpg

    steps = _steps("$1", "$2", "$3")
    async with asyncpg.create_pool(dsn, min_size=10, max_size=10) as pool:
        await pool.execute("DROP SCHEMA IF EXISTS floor CASCADE")
        await pool.execute("CREATE SCHEMA floor")
        for table in _TABLES:
            await pool.execute(table.replace("TABLE ", "TABLE floor."))
        named = [(_in_schema(text), more) for text, more in steps]

        async def some(first: int) -> None:
            for number in range(first, count, together):
                for text, more in named:
                    await pool.execute(text, number, *more)

        start = time.perf_counter()
        await asyncio.gather(*(some(first) for first in range(together)))
        took = time.perf_counter() - start
        await pool.execute("DROP SCHEMA floor CASCADE")
    return took / count * 1e6


def _in_schema(text: str) -> str:
    for table in ("rollouts", "spans"):
        text = text.replace(f" {table} ", f" floor.{table} ")
    return text
