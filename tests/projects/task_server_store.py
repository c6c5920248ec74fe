"""Hands tasks to runners and collects what they store. Runs on real 0.3.0.

Argument and output are those of `task_server_legacy.py`. What ran is read from the
last attempt; a result has the `status` of its rollout as well.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from agentlightning import (
    InMemoryLightningStore,
    LightningStoreServer,
    NamedResources,
    find_final_reward,
)
from agentlightning.adapter import TracerTraceToTriplet
from pydantic import TypeAdapter

FINISHED = ("succeeded", "failed", "cancelled")


async def serve(job: dict[str, Any]) -> None:
    store = InMemoryLightningStore(thread_safe=True)
    server = LightningStoreServer(store, host="127.0.0.1", port=job["port"])
    await server.start()
    resources = TypeAdapter(NamedResources).validate_python(job["resources"])
    update = await server.add_resources(resources)
    queued = []
    for task in job["tasks"]:
        rollout = await server.enqueue_rollout(
            input=task["input"], mode=task.get("mode"), resources_id=update.resources_id
        )
        queued.append(rollout.rollout_id)
    say("ready")
    deadline = time.monotonic() + job["seconds"]
    unfinished = set(queued)
    while unfinished and time.monotonic() < deadline:
        finished = await server.query_rollouts(status_in=list(FINISHED))
        unfinished -= {rollout.rollout_id for rollout in finished}
        await asyncio.sleep(0.1)
    results = [None if i in unfinished else await result(server, i) for i in queued]
    say(json.dumps({"results": results}))
    await asyncio.Event().wait()


async def result(server: LightningStoreServer, rollout_id: str) -> dict[str, Any]:
    rollout = await server.get_rollout_by_id(rollout_id)
    attempt = await server.get_latest_attempt(rollout_id)
    spans = list(await server.query_spans(rollout_id, attempt_id="latest"))
    triplets = TracerTraceToTriplet().adapt(spans) if spans else []
    return {
        "reward": find_final_reward(spans),
        "triplets": [triplet.reward for triplet in triplets],
        "metadata": {**(rollout.metadata or {}), **(attempt.metadata or {})},
        "status": rollout.status,
    }


def say(line: str) -> None:
    # Importing the package may have replaced sys.stdout.
    sys.__stdout__.write(line + "\n")
    sys.__stdout__.flush()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1])))
