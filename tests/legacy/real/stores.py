"""Polls, reports and reads back on real stores: in memory, through a server, through a client."""

import asyncio
import json
import socket
import sys
import time
from typing import Any

import agentlightning as agl

from agentlightning_compat.legacy import (
    drain_completed,
    poll_rollout,
    poll_rollout_async,
    report_rollout,
    report_rollout_async,
    take_completed,
    wait,
    wait_completed,
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def shown(done: Any) -> dict[str, Any] | None:
    if done is None:
        return None
    return {
        "final_reward": done.final_reward,
        "triplets": [
            [t.prompt["token_ids"], t.response["token_ids"], t.reward] for t in done.triplets or ()
        ],
        "has_trace": bool(done.trace),
        "logs": done.logs,
        "metadata": done.metadata,
        "status": done.status,
        "input": done.input,
        "mode": done.mode,
    }


TRIPLET = agl.Triplet(prompt={"token_ids": [1]}, response={"token_ids": [2]}, reward=0.5)
SPAN = agl.Span.from_attributes(
    name="of another rollout", attributes={"a": 1}, start_time=1.0, end_time=2.0
)


def report_of(rollout_id: str) -> Any:
    return agl.RolloutLegacy(
        rollout_id=rollout_id, final_reward=1.0, triplets=[TRIPLET], metadata={"b": 2}, logs=["x"]
    )


async def round_trips(near: Any, far: Any) -> dict[str, Any]:
    """Tasks are enqueued and results read at `near`, worked on at `far`."""
    found: dict[str, Any] = {}

    async def one(name: str, *result: Any, by_id: bool = False, **fields: Any) -> None:
        queued = await near.enqueue_rollout(input={"n": name}, mode="train", metadata={"a": 1})
        claimed = await poll_rollout_async(far, worker_id="Worker-7", poll_interval=0.05)
        status = (await near.get_rollout_by_id(queued.rollout_id)).status
        rollout = claimed.rollout_id if by_id else claimed
        attempt = await report_rollout_async(far, rollout, *result, **fields)
        done = await wait_completed(near, queued.rollout_id, timeout=5)
        found[name] = {
            "same": claimed.rollout_id == queued.rollout_id,
            "claimed": [claimed.status, claimed.attempt.status, claimed.attempt.worker_id],
            "stored while running": status,
            "attempt": attempt.status,
            "done": shown(done),
        }

    await one("float", 0.5)
    await one("nothing")
    await one("fields", final_reward=1.0, triplets=[TRIPLET], metadata={"b": 2}, logs=["x"])
    await one("report", report_of("unknown"))
    await one("triplets", [TRIPLET], by_id=True)
    await one("trace", final_reward=0.25, trace=[SPAN.model_dump()])
    await one("spans", [SPAN])
    await one("core fields", [agl.emit_reward(0.5, propagate=False)])
    await one("failed", status="failed")
    queued = await near.enqueue_rollout(input={})
    await poll_rollout_async(far)
    await report_rollout_async(far, report_of(queued.rollout_id))
    found["report only"] = shown(await take_completed(near, queued.rollout_id))
    found["taken again"] = shown(await take_completed(near, queued.rollout_id))
    found["drained after waits"] = [d.rollout_id for d in await drain_completed(near)]
    await edges(near, far, found)
    return found


async def edges(near: Any, far: Any, found: dict[str, Any]) -> None:
    began = time.monotonic()
    found["poll timed out"] = await poll_rollout_async(far, poll_interval=5, timeout=0.2)
    found["looked once"] = await poll_rollout_async(far, timeout=0)
    queued = await near.enqueue_rollout(input={})
    found["wait timed out"] = shown(await wait_completed(far, queued.rollout_id, timeout=0.3))
    found["seconds"] = time.monotonic() - began
    found["not finished"] = shown(await take_completed(far, queued.rollout_id))
    claimed = await poll_rollout_async(far)
    waiting = asyncio.create_task(wait_completed(far, queued.rollout_id, timeout=0))
    await report_rollout_async(far, claimed, 0.5)
    found["woken"] = shown(await asyncio.wait_for(waiting, 10))
    for _ in range(2):
        await near.enqueue_rollout(input={})
        await report_rollout_async(far, await poll_rollout_async(far), 0.5)
    found["drains"] = [len(await drain_completed(near)) for _ in range(2)]
    found["drained elsewhere"] = len(await drain_completed(far)) if far is not near else None
    found["unknown wait"] = await error_of(wait_completed(far, "ro-nowhere"))
    found["unknown report"] = await error_of(report_rollout_async(far, "ro-nowhere", 1.0))
    found["unknown field"] = await error_of(report_rollout_async(far, claimed, reward=1.0))
    found["nan"] = await error_of(report_rollout_async(far, claimed, final_reward=float("nan")))


async def error_of(call: Any) -> str:
    try:
        await asyncio.wait_for(call, 10)
    except Exception as error:
        return type(error).__name__
    return "none"


def from_sync_code(url: str) -> dict[str, Any]:
    client = agl.LightningStoreClient(url)
    queued = wait(client.enqueue_rollout(input={"n": "sync"}))
    claimed = poll_rollout(client, poll_interval=0.05)
    report_rollout(client, claimed, final_reward=0.75)
    done = wait(wait_completed(client, queued.rollout_id))
    wait(client.close())
    return {"same": claimed.rollout_id == queued.rollout_id, "done": shown(done)}


async def main() -> dict[str, Any]:
    memory = agl.InMemoryLightningStore()
    found = {"memory": await round_trips(memory, memory)}
    server = agl.LightningStoreServer(
        agl.InMemoryLightningStore(thread_safe=True), host="127.0.0.1", port=free_port()
    )
    await server.start()
    client = agl.LightningStoreClient(server.endpoint)
    try:
        found["server and client"] = await round_trips(server, client)
        found["sync"] = await asyncio.to_thread(from_sync_code, server.endpoint)
    finally:
        await client.close()
        await server.stop()
    return found


if __name__ == "__main__":
    json.dump(asyncio.run(main()), sys.stdout)
