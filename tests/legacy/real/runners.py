"""Runs hand-built runners and queues tasks by the helpers that stand for legacy calls."""

import asyncio
import json
from typing import Any

import agentlightning as agl

from agentlightning_compat.legacy import (
    make_runner,
    publish_resources,
    queue_rollout,
    run_rollouts,
)


class Doubler(agl.LitAgent[Any]):
    def rollout(self, task: Any, resources: Any, rollout: Any) -> float:
        if task == 1:
            raise ValueError("a task that fails")
        return 2.0 * task


async def main() -> dict[str, Any]:
    store = agl.InMemoryLightningStore()
    first = await publish_resources(store, {"a": agl.LLM(endpoint="http://a", model="a")})
    second = await publish_resources(store, {})
    latest = await store.get_latest_resources()
    ids = await asyncio.gather(
        *[queue_rollout(store, number, "train", first, {"n": number}) for number in range(4)]
    )
    tracer = agl.OtelTracer()
    runner = make_runner(Doubler(), store, tracer, max_rollouts=2, poll_interval=0.01)
    one = await run_rollouts(runner, 1)
    after_one = len(await store.query_rollouts(status_in=["succeeded", "failed"]))
    rest = await run_rollouts(runner)
    rollouts = await store.query_rollouts(rollout_id_in=list(ids))
    return {
        "one": one,
        "after one": after_one,
        "rest": rest,
        "hooks left": len(runner._hooks),
        "states": {rollout.input: rollout.status for rollout in rollouts},
        "first": [rollout.resources_id == first for rollout in rollouts],
        "metadata": [rollout.metadata == {"n": rollout.input} for rollout in rollouts],
        "modes": sorted({rollout.mode for rollout in rollouts}),
        "latest": latest is not None and latest.resources_id == second,
    }


print(json.dumps(asyncio.run(main())))
