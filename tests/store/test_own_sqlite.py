"""What is special about the store in a SQLite file: schema, sharing, errors of the file."""

from __future__ import annotations

import asyncio
import pickle
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

import agentlightning_compat as compat
from agentlightning_compat import errors
from agentlightning_compat.clock import ManualClock
from agentlightning_compat.store.sql.migrations import Migration, migrations
from agentlightning_compat.store.sqlite import SqliteLightningStore
from agentlightning_compat.store.sqlite_file import APPLICATION_ID, SqliteConnection, migrate
from tests.store.stage import ids, refused

SCHEMA = Path(compat.__file__).parent / "store" / "schema" / "sqlite"


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "store.db"


def run_python(script: str, *arguments: object) -> str:
    """What a Python process of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(compat.__file__).parent.parent,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def schema_of(path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    connection.close()
    return found


async def test_what_was_acknowledged_is_there_after_opening_again(path):
    async with SqliteLightningStore(path) as store:
        made = await store.enqueue_rollout({"q": 1}, metadata={"a": [1, None]})
        first = await store.dequeue_rollout("w")
        await store.enqueue_rollout(2)
    async with SqliteLightningStore(path) as store:
        assert (await store.get_rollout_by_id(made.rollout_id)) == first
        assert (await store.dequeue_rollout()).input == 2
        assert (await store.statistics())["total_attempts"] == 2
        store.check_integrity()


async def test_a_pickled_store_is_the_same_store(path):
    async with SqliteLightningStore(path) as store:
        made = await store.enqueue_rollout(1)
        async with pickle.loads(pickle.dumps(store)) as copy:
            assert await copy.get_rollout_by_id(made.rollout_id) == made


def test_an_old_schema_becomes_a_new_one(path, tmp_path):
    steps = migrations("sqlite")
    later = Migration(
        steps[-1].version + 1, ("ALTER TABLE workers ADD COLUMN colour TEXT", "CREATE TABLE x (y)")
    )
    at_once, in_steps = SqliteConnection(path, 1), SqliteConnection(tmp_path / "other.db", 1)
    migrate(at_once, (*steps, later))
    for count in range(1, len(steps) + 2):
        migrate(in_steps, (*steps, later)[:count])
    assert at_once.number("user_version") == in_steps.number("user_version") == later.version
    at_once.close()
    in_steps.close()
    assert schema_of(path) == schema_of(tmp_path / "other.db")
    assert ("x", "CREATE TABLE x (y)") in schema_of(path)


async def test_the_steps_lead_to_the_schema_that_is_written_down(path, tmp_path):
    async with SqliteLightningStore(path):
        pass
    fresh = sqlite3.connect(tmp_path / "fresh.db")
    fresh.executescript((SCHEMA / "schema.sql").read_text())
    fresh.close()
    assert len(schema_of(path)) > 10
    assert schema_of(path) == schema_of(tmp_path / "fresh.db")


async def test_a_newer_schema_is_refused_and_left_alone(path):
    async with SqliteLightningStore(path) as store:
        await store.enqueue_rollout(1)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 1000")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(errors.SchemaVersionError, match="1000"):
        SqliteLightningStore(path)
    assert path.read_bytes() == before


def test_a_step_that_fails_leaves_nothing(path):
    steps = migrations("sqlite")
    connection = SqliteConnection(path, 1)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, (*steps, Migration(99, ("CREATE TABLE fine (x)", "CREATE NONSENSE"))))
    assert connection.number("user_version") == connection.number("application_id") == 0
    connection.close()
    assert schema_of(path) == []


def test_many_open_a_new_file_at_once(path):
    script = """
import asyncio, sys
from agentlightning_compat import SqliteLightningStore
async def main():
    sys.stdin.readline()
    async with SqliteLightningStore(sys.argv[1]) as store:
        await store.enqueue_rollout(1)
asyncio.run(main())
"""
    root = Path(compat.__file__).parent.parent
    children = [
        subprocess.Popen([sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, cwd=root)
        for _ in range(4)
    ]
    for child in children:
        child.communicate(b"\n", timeout=120)
    assert [child.returncode for child in children] == [0] * 4
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM rollouts").fetchone() == (4,)
    connection.close()


async def test_another_programs_database_is_left_alone(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE rollouts (theirs)")
    connection.close()
    with pytest.raises(errors.StorageCorruptError, match="another program"):
        SqliteLightningStore(path)
    assert schema_of(path) == [("rollouts", "CREATE TABLE rollouts (theirs)")]


def test_what_is_no_database_is_refused(path):
    path.write_bytes(b"these are no pages" * 500)
    with pytest.raises(errors.StorageCorruptError):
        SqliteLightningStore(path)


async def test_a_file_that_was_damaged(path):
    async with SqliteLightningStore(path) as store:
        request = compat.EnqueueRolloutRequest
        await store.enqueue_many_rollouts([request(input="x" * 3000) for _ in range(200)])
    data = bytearray(path.read_bytes())
    half = len(data) // 2
    data[half : half + 40_000] = b"\xa5" * 40_000
    path.write_bytes(data)
    async with SqliteLightningStore(path) as store:
        with pytest.raises(errors.StorageCorruptError):
            store.check_integrity()
        await refused(store.query_rollouts(), errors.StorageCorruptError)


async def test_a_file_that_is_locked(path):
    async with SqliteLightningStore(path, busy_timeout=0.05) as store:
        made = await store.enqueue_rollout(1)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await refused(store.enqueue_rollout(2), errors.StoreBusyError)
        assert await store.get_rollout_by_id(made.rollout_id) == made
        other.execute("ROLLBACK")
        other.close()
        await store.enqueue_rollout(3)
        assert [item.input for item in await store.query_rollouts()] == [1, 3]


async def fill(store) -> list:
    kept = []
    try:
        while True:
            kept.append(await store.enqueue_rollout("x" * 20_000))
    except errors.StorageFullError:
        return kept


async def test_a_full_disk(path):
    async with SqliteLightningStore(path, max_bytes=400_000) as store:
        kept = await fill(store)
        calls = [store.enqueue_rollout("x" * 20_000), store.enqueue_rollout("y" * 50_000)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(result) for result in results] == [errors.StorageFullError] * 2
        assert len(kept) > 5
        assert ids(await store.query_rollouts()) == ids(kept)
        assert (await store.statistics())["total_rollouts"] == len(kept)
        store.check_integrity()


READ_ONLY = """
import os, sys
from agentlightning_compat import SqliteLightningStore, errors
from agentlightning_compat.store.sql.migrations import migrations
migrations("sqlite")  # another user may not be allowed to read this installation
if os.geteuid() == 0:
    os.setuid(65534)
try:
    SqliteLightningStore(sys.argv[1])
except errors.StorageReadOnlyError:
    print("refused")
"""


def test_a_file_that_must_not_be_written():
    # Not in pytest's own folder, which another user may not enter; root becomes one to test this.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        asyncio.run(SqliteLightningStore(path).close())
        path.chmod(0o444)
        for mode in (0o777, 0o555):
            Path(folder).chmod(mode)
            assert run_python(READ_ONLY, path) == "refused\n"
        Path(folder).chmod(0o755)


def test_paths_that_name_no_file(tmp_path):
    for wrong in ("", ":memory:", "file:x?mode=memory", "a\0b", 3):
        with pytest.raises(errors.InvalidRequestError):
            SqliteLightningStore(wrong)
    with pytest.raises(errors.StorageError):
        SqliteLightningStore(tmp_path / "no" / "such" / "folder.db")
    with pytest.raises(errors.StorageError):
        SqliteLightningStore(tmp_path)


async def test_values_that_json_does_not_know(path):
    deep: list = []
    for _ in range(240):
        deep = [deep]
    too_deep = [[[[[[[[[[[deep]]]]]]]]]]]
    async with SqliteLightningStore(path) as store:
        for strange in ({1: 2}, {"a": [b"x"]}, {"a": {1, 2}}, object(), too_deep):
            await refused(store.enqueue_rollout(strange), errors.UnstorableValueError)
        await refused(store.enqueue_rollout(1, resources_id="\ud800"), errors.UnstorableValueError)
        claimed = await store.start_rollout(deep)
        assert (await store.get_rollout_by_id(claimed.rollout_id)).input == deep
        assert (await store.statistics())["total_rollouts"] == 1


async def test_one_that_fails_does_not_disturb_the_others(path):
    async with SqliteLightningStore(path) as store:
        claimed = await store.start_rollout(1)
        key = (claimed.rollout_id, claimed.attempt.attempt_id)

        def span(number, **more):
            return compat.Span.from_attributes(
                attributes={}, rollout_id=key[0], attempt_id=key[1], sequence_id=number, **more
            )

        bad = [span(1), span(2**70)]
        calls = [store.enqueue_rollout(n) for n in range(10)]
        calls.insert(5, store.add_many_spans(bad))
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(results.pop(5), errors.UnstorableValueError)
        assert [item.input for item in results] == list(range(10))
        assert list(await store.query_spans(key[0])) == []
        statistics = await store.statistics()
        assert (statistics["total_rollouts"], statistics["total_spans"]) == (11, 0)


async def test_a_clock_that_goes_back(path):
    clock = ManualClock()
    async with SqliteLightningStore(path, clock=clock) as store:
        request = compat.EnqueueRolloutRequest
        made = []
        for number in range(3):
            made += await store.enqueue_many_rollouts([request(input=number)])
            clock.advance(-1000)
        assert [(await store.dequeue_rollout()).rollout_id for _ in made] == ids(made)


async def test_a_closed_store_says_so(path):
    store = SqliteLightningStore(path)
    waiting = asyncio.create_task(store.dequeue_rollout(wait=120))
    await asyncio.wait([waiting], timeout=0.05)
    threads = threading.active_count()
    await store.close()
    assert threading.active_count() < threads
    await refused(store.enqueue_rollout(1), errors.StoreClosedError)
    await refused(asyncio.wait_for(waiting, 60), errors.StoreClosedError)
    await store.close()


def test_the_file_is_marked_as_ours(path):
    asyncio.run(SqliteLightningStore(path).close())
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


@pytest.mark.parametrize("url", ["memory://", "sqlite:///{}"])
async def test_stores_by_url(url, path):
    async with compat.open_store(url.format(path)) as store:
        await store.enqueue_rollout(1)
    assert path.exists() == url.startswith("sqlite")


@pytest.mark.parametrize(
    "url", ["", "store.db", "sqlite://", "sqlite:///", "memory://x", "ftp://h", 3]
)
def test_urls_of_nothing(url):
    with pytest.raises(errors.InvalidRequestError):
        compat.open_store(url)


def test_a_server_is_opened_by_its_address():
    store = compat.open_store("http://localhost:4747", token="secret")
    assert isinstance(store, compat.LightningStoreClient)
    assert store.server_address_root == "http://localhost:4747"


def test_no_database_is_imported_before_it_is_used():
    script = (
        "import sys, agentlightning_compat; agentlightning_compat.InMemoryLightningStore();"
        "print(sorted({'sqlite3', 'asyncpg'} & set(sys.modules)))"
    )
    assert run_python(script) == "[]\n"
