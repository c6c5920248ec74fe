"""What is special about the store in PostgreSQL: schema, what the server says, the connection."""

from __future__ import annotations

import asyncio
import json
import pickle
import re
import sys
import threading
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

import agentlightning_compat as compat
from agentlightning_compat import errors
from agentlightning_compat.store.postgres import PostgresLightningStore
from agentlightning_compat.store.postgres_database import POSTGRES, migrate
from agentlightning_compat.store.query import Condition, Query
from agentlightning_compat.store.sql.dialect import numbered
from agentlightning_compat.store.sql.migrations import Migration, migrations
from agentlightning_compat.store.sql.questions import ROLLOUTS, question
from tests.store import database
from tests.store.processes import LONG, running, until
from tests.store.stage import ids, refused

SCHEMA_FILE = Path(compat.__file__).parent / "store" / "schema" / "postgres" / "schema.sql"
# One row for each thing in a schema, as the server describes it.
DESCRIBED = """
    SELECT 'column', format('%s.%s %s %s %s %s', table_name, column_name, data_type, is_nullable,
        column_default, collation_name) || is_identity || ordinal_position
    FROM information_schema.columns WHERE table_schema = $1
    UNION ALL SELECT 'index', replace(indexdef, $1 || '.', '')
    FROM pg_indexes WHERE schemaname = $1
    UNION ALL SELECT 'sequence', sequencename || data_type || start_value || increment_by
    FROM pg_sequences WHERE schemaname = $1
    UNION ALL SELECT 'option', relname || reloptions::text
    FROM pg_class WHERE relnamespace = $1::regnamespace AND reloptions IS NOT NULL
    ORDER BY 1, 2
"""


@pytest.fixture
def url():
    """The server, its schemas of these tests gone before and after."""
    found = database.shared()
    database.empty(found)
    asyncio.run(without_schemas(found))
    yield found
    asyncio.run(without_schemas(found))


async def without_schemas(url) -> None:
    raw = await asyncpg.connect(url)
    for name in await raw.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'own\\_%'"):
        await raw.execute(f"DROP SCHEMA {name[0]} CASCADE")
    await raw.close()


async def connected(url, schema=database.SCHEMA):
    return await asyncpg.connect(url, server_settings={"search_path": schema})


async def described(url, schema) -> list[tuple[str, str]]:
    raw = await connected(url, schema)
    rows = [tuple(row) for row in await raw.fetch(DESCRIBED, schema)]
    await raw.close()
    return [row for row in rows if "schema_version" not in row[1]]


async def test_the_steps_lead_to_the_schema_that_is_written_down(url):
    await PostgresLightningStore(url, schema="own_steps").close()
    raw = await connected(url, "own_fresh")
    await raw.execute("CREATE SCHEMA own_fresh")
    await raw.execute(SCHEMA_FILE.read_text())
    await raw.close()
    steps = await described(url, "own_steps")
    assert len(steps) > 50
    assert steps == await described(url, "own_fresh")


async def test_an_old_schema_becomes_a_new_one(url):
    steps = migrations("postgres")
    later = Migration(
        steps[-1].version + 1, ("ALTER TABLE workers ADD COLUMN colour TEXT", "CREATE TABLE x ()")
    )
    for name, counts in (("own_once", [len(steps) + 1]), ("own_each", range(1, len(steps) + 2))):
        raw = await connected(url, name)
        for count in counts:
            await migrate(raw, name, (*steps, later)[:count])
        assert await raw.fetchval("SELECT max(version) FROM schema_version") == later.version
        await raw.close()
    found = await described(url, "own_once")
    assert any("workers.colour" in what for _, what in found)
    assert found == await described(url, "own_each")


async def test_a_newer_schema_is_refused_and_left_alone(url):
    await PostgresLightningStore(url, schema="own_newer").close()
    raw = await connected(url, "own_newer")
    await raw.execute("INSERT INTO schema_version VALUES (1000)")
    before = await described(url, "own_newer")
    with pytest.raises(errors.SchemaVersionError, match="1000") as caught:
        PostgresLightningStore(url, schema="own_newer")
    assert "own_newer" in str(caught.value)
    assert "database postgres" in str(caught.value)
    assert "open it with" in str(caught.value)
    assert await described(url, "own_newer") == before
    await raw.close()


async def test_a_step_that_fails_leaves_nothing(url):
    bad = (*migrations("postgres"), Migration(99, ("CREATE TABLE fine (x INT)", "CREATE NONSENSE")))
    raw = await connected(url, "own_failed")
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await migrate(raw, "own_failed", bad)
    query = "SELECT count(*) FROM pg_namespace WHERE nspname = 'own_failed'"
    assert await raw.fetchval(query) == 0
    await raw.close()


def test_many_open_a_new_schema_at_once(url):
    script = """
import asyncio, sys
from agentlightning_compat.store.postgres import PostgresLightningStore
async def main():
    print("ready")
    sys.stdin.readline()
    async with PostgresLightningStore(sys.argv[1], schema="own_many") as store:
        await store.enqueue_rollout(1)
asyncio.run(main())
"""
    with running(script, url) as one, running(script, url) as two, running(script, url) as three:
        children = (one, two, three)
        assert [child.hear() for child in children] == ["ready"] * 3
        for child in children:
            child.tell("go")
        for child in children:
            child.rest()
    store = PostgresLightningStore(url, schema="own_many")
    assert len(asyncio.run(store.query_rollouts())) == 3
    asyncio.run(store.close())


async def test_schemas_do_not_see_each_other(url):
    async with (
        PostgresLightningStore(url, schema="own_a") as one,
        PostgresLightningStore(url, schema="own_b") as other,
    ):
        await one.enqueue_rollout(1)
        assert await other.dequeue_rollout() is None
        assert await one.dequeue_rollout() is not None


@pytest.mark.parametrize("schema", ["", "Upper", "a b", 'x"; DROP TABLE y; --', "x" * 64])
def test_names_of_no_schema(url, schema):
    with pytest.raises(errors.InvalidRequestError):
        PostgresLightningStore(url, schema=schema)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("53100", errors.StorageFullError),
        ("25006", errors.StorageReadOnlyError),
        ("XX001", errors.StorageCorruptError),
        ("55P03", errors.StoreBusyError),
        ("57014", errors.StoreBusyError),
        ("53200", errors.StorageError),
        ("58030", errors.StorageError),
    ],
)
async def test_what_the_server_cannot_do_is_told_and_not_half_done(url, state, kind):
    """The last statement of a claim and of queuing fails as the server fails on a full disk."""
    async with PostgresLightningStore(url, schema="own_fails") as store:
        made = await store.enqueue_rollout(1)
        raw = await connected(url, "own_fails")
        await raw.execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$;"
            "CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON totals EXECUTE FUNCTION fail()"
        )
        error = await refused(store.enqueue_rollout(2), kind)
        assert type(error) is kind
        await refused(store.dequeue_rollout("w"), kind)
        assert ids(await store.query_rollouts()) == ids([made])
        assert len(await store.query_workers()) == 0
        await raw.execute("DROP TRIGGER fail ON totals")
        await raw.close()
        assert (await store.dequeue_rollout("w")).attempt.sequence_id == 1


async def test_a_database_that_must_not_be_written(url):
    await PostgresLightningStore(url, schema="own_read").close()
    query = "&" if "?" in url else "?"
    with pytest.raises(errors.StorageReadOnlyError):
        PostgresLightningStore(
            f"{url}{query}default_transaction_read_only=on", schema="own_read_new"
        )


async def test_a_table_that_somebody_has_locked(url):
    query = "&" if "?" in url else "?"
    async with PostgresLightningStore(f"{url}{query}lock_timeout=100") as store:
        raw = await connected(url)
        lock = raw.transaction()
        await lock.start()
        await raw.execute("LOCK TABLE rollouts IN ACCESS EXCLUSIVE MODE")
        await refused(store.enqueue_rollout(1), errors.StoreBusyError)
        await lock.rollback()
        await raw.close()
        await store.enqueue_rollout(2)
        assert [item.input for item in await store.query_rollouts()] == [2]


@pytest.mark.parametrize(
    "wrong", ["postgresql://localhost:1/x", "postgresql:///x?host=/no/such/folder"]
)
def test_a_server_that_is_not_there(wrong):
    before = set(threading.enumerate())
    with pytest.raises(errors.StoreUnavailableError):
        PostgresLightningStore(wrong, patience=1)
    assert set(threading.enumerate()) <= before


def test_a_database_that_is_not_there(url):
    with pytest.raises(errors.StorageError, match="nobody"):
        PostgresLightningStore(re.sub(r"/postgres(?=\?)", "/nobody", url))


async def test_connections_that_are_cut_are_made_anew(url):
    async with (
        PostgresLightningStore(url, schema="own_cut") as store,
        PostgresLightningStore(url, schema="own_cut") as other,
    ):
        store.fallback_poll = None

        async def claimed():
            while True:
                # A claim that is being committed when its connection is cut says so.
                with suppress(errors.StoreUnavailableError):
                    return await store.dequeue_rollout(wait=LONG)

        for number in range(5):
            claim = asyncio.create_task(claimed())
            await until(lambda: store._signals.claimants == 1)
            raw = await connected(url)
            await raw.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'agentlightning-compat'"
            )
            await raw.close()
            made = await other.enqueue_rollout(number)
            assert ids([await asyncio.wait_for(claim, LONG)]) == ids([made])


async def test_a_pickled_store_is_the_same_store(url):
    async with PostgresLightningStore(url, schema="own_pickled") as store:
        made = await store.enqueue_rollout(1)
        async with pickle.loads(pickle.dumps(store)) as copy:
            assert await copy.get_rollout_by_id(made.rollout_id) == made


async def test_a_closed_store_says_so(url):
    before = set(threading.enumerate())
    store = PostgresLightningStore(url)
    waiting = asyncio.create_task(store.dequeue_rollout(wait=LONG))
    await until(lambda: store._signals.claimants == 1)
    await store.close()
    await refused(store.enqueue_rollout(1), errors.StoreClosedError)
    await refused(asyncio.wait_for(waiting, LONG), errors.StoreClosedError)
    await store.close()
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert not any(name.startswith("store-") for name in left)


def test_without_its_driver(url, monkeypatch):
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    monkeypatch.delitem(sys.modules, "agentlightning_compat.store.postgres_engine")
    with pytest.raises(errors.UnsupportedError, match=r"agentlightning-compat\[postgres\]"):
        compat.open_store(url)


@pytest.mark.parametrize("kept", [False, True], ids=["planned anew", "plan kept"])
@pytest.mark.parametrize("statuses", [("queuing",), ("succeeded", "queuing")])
async def test_a_page_of_a_status_reads_what_it_gives(url, statuses, kept):
    store = PostgresLightningStore(url)
    await store.enqueue_many_rollouts([{"input": n} for n in range(2000)])
    await store.dequeue_many_rollouts(limit=1900)
    page = await store.query_rollouts(status_in=statuses, limit=20)
    assert [item.input for item in page] == list(range(1900, 1920))
    settings = store._engine._settings | {"search_path": database.SCHEMA}
    await store.close()
    condition = Condition("status", "within", statuses)
    asked = question(POSTGRES, ROLLOUTS, Query(conditions=(condition,), limit=20))
    raw = await asyncpg.connect(url, server_settings=settings)
    await raw.execute(f"SET plan_cache_mode = force_{'generic' if kept else 'custom'}_plan")
    # Once as the planner finds a table of which it knows nothing, once when it has looked.
    for known in (False, True):
        if known:
            await raw.execute("ANALYZE")
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {numbered(asked.page)}"
        (found,) = json.loads(await raw.fetchval(explain, *asked.page_values))
        read = [node["Actual Rows"] * node["Actual Loops"] for node in nodes(found["Plan"])]
        assert max(read) <= 40
        assert all("Rows Removed by Filter" not in node for node in nodes(found["Plan"]))
    await raw.close()


def nodes(plan):
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)
