"""Rollouts whose agents use OpenAI's client, traced by AgentOps or by an instrumentation.

A program of its own, as both change what the whole process imports. It prints what it saw as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from pathlib import Path
from typing import Any

from agentlightning_compat import (
    InMemoryLightningStore,
    LitAgent,
    LitAgentRunner,
    TracerTraceToTriplet,
    emit_reward,
)
from tests.llm_stub import llm_stub

COUNT = 12
CONNECTED: set[str] = set()


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        CONNECTED.add(str(arguments[1][0]))


class Agent(LitAgent[int]):
    def __init__(self, client: Any) -> None:
        super().__init__()
        self.client = client

    async def rollout_async(self, task: int, resources: Any, rollout: Any) -> None:
        for step in ("first", "second"):
            question = {"role": "user", "content": f"{step} {task}"}
            await self.client.chat.completions.create(model="m", messages=[question])
            emit_reward(task + (0.5 if step == "second" else 0.0))
        if task == COUNT - 1:
            raise ValueError("the last one fails")


def tracer_of(kind: str) -> Any:
    if kind == "agentops":
        from agentlightning_compat import AgentOpsTracer

        return AgentOpsTracer()
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    from agentlightning_compat import OtelTracer

    OpenAIInstrumentor().instrument()
    return OtelTracer()


async def rollouts(tracer: Any, base_url: str) -> Any:
    store = InMemoryLightningStore()
    await store.add_resources({})
    runner = LitAgentRunner(tracer=tracer, max_rollouts=COUNT, concurrency=4, heartbeat_interval=0)
    ids = [(await store.enqueue_rollout(input=n)).rollout_id for n in range(COUNT)]
    # AgentOps looks at what is imported when it is there.
    tracer.init_worker(0, store)
    import openai

    adapter = TracerTraceToTriplet(llm_call_match=r"openai\.chat")
    async with openai.AsyncOpenAI(base_url=base_url, api_key="none") as client:
        with runner.run_context(agent=Agent(client), store=store):
            await runner.iter()
    found = []
    for id in ids:
        spans = list(await store.query_spans(id))
        found.append(
            {
                "status": (await store.get_rollout_by_id(id)).status,
                "spans": [[span.name, dict(span.attributes)] for span in spans],
                "triplets": [triplet.model_dump() for triplet in adapter(spans)],
            }
        )
    return found


def main(kind: str) -> None:
    sys.addaudithook(watch)
    with llm_stub([{"say": "echo"}]) as base_url:
        before = set(threading.enumerate())
        found = asyncio.run(rollouts(tracer_of(kind), base_url))
        # Those that serve the client's connections are the stub's own.
        left = [t.name for t in threading.enumerate() if t not in before]
    left = [name for name in left if "process_request_thread" not in name]
    print(
        json.dumps(
            {
                "rollouts": found,
                "threads": left,
                "connected": sorted(CONNECTED),
                "files": [path.name for path in Path.cwd().iterdir()],
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
