"""Servers that are processes of their own, and the work that they are given."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from agentlightning_compat import Span
from agentlightning_compat.http.client import LightningStoreClient

COMMAND = [sys.executable, str(Path(__file__).parents[2] / "agl_migrate.py"), "serve"]
ENVIRONMENT = {key: x for key, x in os.environ.items() if key != "AGL_SERVER_TOKEN"}
# For clients whose server comes back: once in so many seconds, for some minutes.
AGAIN = (0.05,) * 4000


@contextmanager
def serving(*arguments):
    """A server process; what it says first has its address."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    try:
        said = process.stdout.readline()
        assert " at http://" in said
        yield process, said.rsplit(maxsplit=1)[-1]
    finally:
        process.kill()
        process.wait(60)
        process.stdout.close()


def port_of(url):
    """Where a server was, for the one that comes after it."""
    return url.rpartition(":")[2]


class Work:
    """Rollouts that are queued, claimed, traced and finished; `queued` and `finished` are those
    whose calls were answered."""

    def __init__(self) -> None:
        self.queued: dict[str, tuple[int, int]] = {}
        self.finished: list[str] = []
        self.ended = False

    async def lane(self, url, lane) -> None:
        """One rollout after the other, until it is enough."""
        client = LightningStoreClient(url, retry_delays=AGAIN)
        number = 0
        while not self.ended:
            number += 1
            made = await client.enqueue_rollout([lane, number])
            self.queued[made.rollout_id] = (lane, number)
            await self.one(client, f"worker-{lane}")

    async def one(self, client, worker) -> None:
        """Work on whichever is first."""
        claimed = None
        while claimed is None:
            claimed = await client.dequeue_rollout(worker, wait=60)
        key = {"rollout_id": claimed.rollout_id, "attempt_id": claimed.attempt.attempt_id}
        spans = [Span.from_attributes(attributes={}, sequence_id=n, **key) for n in (1, 2)]
        await client.add_many_spans(spans)
        await client.update_attempt(*key.values(), status="succeeded")
        self.finished.append(claimed.rollout_id)

    async def check(self, store) -> None:
        """All of it was done, and nothing twice."""
        assert sorted(self.finished) == sorted(self.queued)
        rollouts = await store.query_rollouts()
        assert {item.rollout_id: tuple(item.input) for item in rollouts} == self.queued
        assert {item.status for item in rollouts} == {"succeeded"}
        assert {item.attempt.sequence_id for item in rollouts} == {1}
        totals = await store.statistics()
        assert totals["total_attempts"] == len(rollouts)
        assert totals["total_spans"] == 2 * len(rollouts)
