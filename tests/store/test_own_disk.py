"""A SQLite file in bad surroundings: limits of the system, other processes, damage."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from agentlightning_compat import errors
from agentlightning_compat.clock import SystemClock
from agentlightning_compat.model import Span
from agentlightning_compat.store.sqlite import SqliteLightningStore
from agentlightning_compat.store.sqlite_file import SqliteConnection
from tests.store import ledger
from tests.store.processes import running
from tests.store.stage import ids, refused


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "store.db"


# The system lets this process write no file larger than so much: a disk that is full for it.
LIMITED = """
import asyncio, json, resource, sys
from agentlightning_compat import SqliteLightningStore, errors

async def main():
    limit = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    async with SqliteLightningStore(sys.argv[1]) as store:
        for number in range(1000):
            try:
                made = await store.enqueue_rollout([number, "x" * 20_000])
            except errors.StorageError as error:
                print(json.dumps(["refused", type(error).__name__]))
                break
            print(json.dumps(["kept", made.rollout_id]))
        # Reading goes on, and so does the store when there is room.
        listed = await store.query_rollouts()
        print(json.dumps(["read", [item.rollout_id for item in listed]]))
asyncio.run(main())
"""


async def test_a_file_that_the_system_lets_grow_no_more(path):
    await SqliteLightningStore(path).close()
    with running(LIMITED, path, 600_000) as child:
        said = [json.loads(line) for line in child.rest().splitlines()]
    kept = [value for what, value in said if what == "kept"]
    assert Counter(what for what, _ in said) == {"kept": len(kept), "refused": 1, "read": 1}
    assert len(kept) > 3
    assert said[-1] == ["read", kept]
    async with SqliteLightningStore(path) as store:
        store.check_integrity()
        assert ids(await store.query_rollouts()) == kept
        assert await store.enqueue_rollout("x" * 20_000) is not None
    halves(path)


def halves(path) -> None:
    connection = sqlite3.connect(path)
    for what, statement in ledger.HALVES.items():
        assert connection.execute(statement).fetchone() == (0,), what
    connection.close()


LOCKING = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
print("locked")
sys.stdin.readline()
connection.execute("COMMIT")
connection.close()
"""


async def test_a_file_that_another_process_has_locked(path):
    async with SqliteLightningStore(path, busy_timeout=0.05) as store:
        made = await store.enqueue_rollout(1)
        with running(LOCKING, path, "BEGIN EXCLUSIVE") as child:
            assert await asyncio.to_thread(child.hear) == "locked"
            error = await refused(store.enqueue_rollout(2), errors.StoreBusyError)
            assert type(error) is errors.StoreBusyError
            assert await store.get_rollout_by_id(made.rollout_id) == made
            with pytest.raises(errors.StoreBusyError, match=r"store\.db"):
                SqliteLightningStore(path, busy_timeout=0.05)
            child.tell("go")
            child.rest()
        assert (await store.dequeue_rollout()).rollout_id == made.rollout_id
        assert await store.dequeue_rollout() is None


async def test_a_lock_that_is_given_back_in_time_is_waited_for(path):
    async with SqliteLightningStore(path, busy_timeout=60) as store:
        with running(LOCKING, path, "BEGIN IMMEDIATE") as child:
            assert await asyncio.to_thread(child.hear) == "locked"
            call = asyncio.create_task(store.enqueue_rollout(1))
            await asyncio.wait([call], timeout=0.1)
            assert not call.done()
            child.tell("go")
            assert (await asyncio.wait_for(call, 60)).input == 1


async def test_a_transaction_that_cannot_even_be_ended(path, monkeypatch):
    """The thread that writes goes on, and so can those who wait for it."""
    async with SqliteLightningStore(path) as store:
        made = await store.enqueue_rollout(1)
        end = SqliteConnection.rollback
        broken = True

        def rollback(connection) -> None:
            if connection.raw.in_transaction and broken:
                raise sqlite3.OperationalError("disk I/O error")
            end(connection)

        # Too large for a number of SQLite: the transaction has to be rolled back.
        bad = {"rollout_id": made.rollout_id, "sequence_id": 2**70}
        attempt = (await store.start_attempt(made.rollout_id)).attempt
        span = Span.from_attributes(attributes={}, attempt_id=attempt.attempt_id, **bad)
        monkeypatch.setattr(SqliteConnection, "rollback", rollback)
        call = asyncio.wait_for(store.add_span(span), 60)
        assert type(await refused(call, errors.StorageError)) is errors.StorageError
        await refused(asyncio.wait_for(store.enqueue_rollout(2), 60), errors.StorageError)
        broken = False
        await store.enqueue_rollout(3)
        assert [item.input for item in await store.query_rollouts()] == [1, 3]
        assert list(await store.query_spans(made.rollout_id)) == []


DAMAGES = {
    "cut in half": lambda data: data[: len(data) // 2],
    "cut in a page": lambda data: data[: 4096 * 3 + 100],
    "no head": lambda data: b"\0" * 4096 + data[4096:],
    "another head": lambda data: b"SQLite format 4\0" + data[16:],
    "text": lambda data: b"these are no pages " * 1000,
    "noise at the end of every page": lambda data: b"".join(
        data[at : at + 2048] + b"\xa5" * 2048 for at in range(0, len(data), 4096)
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_file_is_said_to_be_one(path, damage):
    async with SqliteLightningStore(path) as store:
        for number in range(50):
            await store.enqueue_rollout(["x" * 3000, number])
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    data = path.read_bytes()
    error = None
    try:
        store = SqliteLightningStore(path)
    except errors.StorageCorruptError as refusal:
        error = refusal
    if error is not None:
        assert "store.db" in str(error)
        assert path.read_bytes() == data
        return
    async with store:
        with pytest.raises(errors.StorageCorruptError):
            store.check_integrity()
        await refused(store.query_rollouts(), errors.StorageCorruptError)


async def test_a_log_that_was_cut_is_read_as_far_as_it_goes(path, tmp_path):
    """What a machine leaves that lost its power while it wrote."""
    copy = tmp_path / "copy.db"
    async with SqliteLightningStore(path) as store:
        made = [await store.enqueue_rollout(number) for number in range(20)]
        copy.write_bytes(path.read_bytes())
        log = Path(f"{path}-wal").read_bytes()
    Path(f"{copy}-wal").write_bytes(log[: len(log) * 2 // 3])
    async with SqliteLightningStore(copy) as store:
        store.check_integrity()
        found = ids(await store.query_rollouts())
        assert 0 < len(found) < len(made)
        assert found == ids(made)[: len(found)]
        assert ids([await store.dequeue_rollout() for _ in found]) == found
    halves(copy)


UNWRITABLE = """
import os, sys
from agentlightning_compat import SqliteLightningStore, errors
from agentlightning_compat.store.sql.migrations import migrations
migrations("sqlite")  # another user may not be allowed to read this installation
if os.geteuid() == 0:
    os.setuid(65534)
try:
    SqliteLightningStore(sys.argv[1])
except errors.StorageReadOnlyError as error:
    print("refused" if sys.argv[1].rpartition("/")[0] in str(error) else error)
"""


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_that_must_not_be_written(exists):
    # Not in pytest's own folder, which another user may not enter; root becomes one to test this.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        if exists:
            asyncio.run(SqliteLightningStore(path).close())
            path.chmod(0o666)
        Path(folder).chmod(0o555)
        with running(UNWRITABLE, path) as child:
            assert child.rest() == "refused\n"
        Path(folder).chmod(0o755)
        assert os.listdir(folder) == (["store.db"] if exists else [])


async def test_a_newer_schema_names_the_file_and_the_way_out(path):
    await SqliteLightningStore(path, clock=SystemClock()).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 1000")
    connection.close()
    with pytest.raises(errors.SchemaVersionError, match=r"store\.db.*1000.*open it with"):
        SqliteLightningStore(path)
