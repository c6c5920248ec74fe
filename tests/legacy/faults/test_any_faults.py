"""Whatever sequence of faults there is: in the end each task is reported, once."""

from __future__ import annotations

import asyncio
from collections import Counter, deque

from hypothesis import given, settings
from hypothesis import strategies as st

from agentlightning_compat.errors import StoreUnavailableError
from agentlightning_compat.legacy.client_store import LegacyClientStore
from agentlightning_compat.model import RolloutLegacy
from tests.legacy.adapter.server import LegacyServer, task
from tests.legacy.faults.stack import HTML, client_of, hasty

_ANYWHERE = [500, 503, 429, "cut", "cut after"]
_POLLS = [*_ANYWHERE, "", HTML, '{"is_available": true, "task": null}', '{"task": {}}']
# Up to four answers that make no sense are taken for somebody else's.
_POSTS = [*_ANYWHERE, "", HTML, "[]"]
# What may happen before a step: nothing, what was handed out is overdue, the worker is replaced.
_EVENTS = ["nothing", "overdue", "another worker"]


def faults(kinds):
    return st.lists(st.sampled_from(kinds), max_size=4)


class Worker:
    """Does tasks as a runner does, one after the other; `folder` is its spool."""

    def __init__(self, server, folder) -> None:
        self._server = server
        self._folder = folder
        self._store = self._new()

    def _new(self):
        store = LegacyClientStore(client_of(self._server), spool=self._folder, patience=0.001)
        return hasty(store)

    async def replaced(self):
        """Another worker takes over; copies of tasks that are reported cannot be known to it."""
        await self._store.close()
        done = self._server.results
        self._server.tasks = deque(t for t in self._server.tasks if t["rollout_id"] not in done)
        self._store = self._new()

    async def ended(self):
        """The end of the last one, which waits for its receipts."""
        self._store._patience = 60
        await self._store.close()

    async def step(self):
        """Do one task; whether there was one."""
        try:
            claimed = await self._store.dequeue_rollout()
        except StoreUnavailableError:
            return True
        if claimed is None:
            return False
        while True:
            try:
                assert (await self._store.get_latest_resources()).resources == {}
                break
            except StoreUnavailableError:
                continue
        key = claimed.rollout_id, claimed.attempt.attempt_id
        report = RolloutLegacy(rollout_id=key[0], final_reward=float(claimed.input["number"]))
        self._store.set_report(key[1], report)
        await self._store.update_attempt(*key, status="succeeded")
        return True


async def all_done(server, folder, count, events):
    """Work until the server has every result; what nobody has in hand becomes overdue."""
    worker = Worker(server, folder)
    happens = iter(events)
    while len(server.receipts) < count or len(server.results) < count:
        event = next(happens, "nothing")
        if event == "overdue":
            server.requeue()
        elif event == "another worker":
            await worker.replaced()
        if not await worker.step():
            server.requeue()
            await asyncio.sleep(0.001)
    await worker.ended()


def test_each_task_is_reported_once(tmp_path):
    numbers = iter(range(1_000_000))

    @settings(max_examples=60, deadline=None, database=None)
    @given(
        count=st.integers(1, 3),
        polls=faults(_POLLS),
        resources=faults(_ANYWHERE),
        posts=faults(_POSTS),
        events=st.lists(st.sampled_from(_EVENTS), max_size=6),
    )
    def check(count, polls, resources, posts, events):
        with LegacyServer() as server:
            server.resources["res"] = {}
            server.tasks += [task(number) for number in range(count)]
            server.troubles = {
                "task": deque(polls),
                "resources": deque(resources),
                "rollout": deque(posts),
            }
            folder = tmp_path / str(next(numbers))
            asyncio.run(asyncio.wait_for(all_done(server, folder, count, events), 60))
            wanted = {f"rollout-{number}": float(number) for number in range(count)}
            assert {key: r["final_reward"] for key, r in server.results.items()} == wanted
            # The same again is all that a lost receipt may lead to.
            assert all(report == server.results[report["rollout_id"]] for report in server.reports)
            if "another worker" not in events:  # which may end while a receipt is on its way
                assert Counter(server.receipts) == dict.fromkeys(wanted, 1)
            assert list(folder.iterdir()) == []

    check()
