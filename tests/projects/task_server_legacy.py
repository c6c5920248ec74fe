"""Hands tasks to legacy clients and collects their reports. Runs on a real release, 0.1.2 to 0.3.

Its argument is JSON: `{"port", "resources", "tasks": [{"input", "mode"}], "seconds"}`. It writes
two lines: `ready`, and when all is reported `{"results": [...]}` in the order of the tasks, `null`
for one that was not reported in time. Then it serves on until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from agentlightning import AgentLightningServer, NamedResources
from pydantic import TypeAdapter


async def serve(job: dict[str, Any]) -> None:
    server = AgentLightningServer(host="127.0.0.1", port=job["port"])
    await server.start()
    resources = TypeAdapter(NamedResources).validate_python(job["resources"])
    resources_id = await server.update_resources(resources)
    queued = [
        await server.queue_task(
            sample=task["input"], mode=task.get("mode"), resources_id=resources_id
        )
        for task in job["tasks"]
    ]
    say("ready")
    deadline = time.monotonic() + job["seconds"]
    reports: dict[str, Any] = {}
    while len(reports) < len(queued) and time.monotonic() < deadline:
        reports.update({r.rollout_id: r for r in await server.retrieve_completed_rollouts()})
        await asyncio.sleep(0.1)
    say(json.dumps({"results": [result(reports.get(rollout_id)) for rollout_id in queued]}))
    await asyncio.Event().wait()


def result(report: Any) -> dict[str, Any] | None:
    if report is None:
        return None
    return {
        "reward": report.final_reward,
        "triplets": [triplet.reward for triplet in report.triplets or ()],
        "metadata": report.metadata or {},
    }


def say(line: str) -> None:
    sys.__stdout__.write(line + "\n")
    sys.__stdout__.flush()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1])))
