"""A worker as a program of its own: `python -m tests.runner.program AGENT STORE [WORKER]`.

It says on a line of standard output when its agent has begun. Its store is a SQLite file.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading

from agentlightning_compat import LitAgent, LitAgentRunner, SqliteLightningStore
from tests.runner.worker import BareTracer


def say(*words: object) -> None:
    """Tell the test."""
    print(*words, flush=True)


class Waits(LitAgent[int]):
    async def rollout_async(self, task, resources, rollout):
        say("begun", rollout.attempt.sequence_id)
        await asyncio.Event().wait()


class Blocks(LitAgent[int]):
    def rollout(self, task, resources, rollout):
        say("begun", rollout.attempt.sequence_id)
        threading.Event().wait()


class Forks(LitAgent[int]):
    """Its child comes back from the call that the parent made."""

    def rollout(self, task, resources, rollout):
        return fork()


class ForksAsync(LitAgent[int]):
    async def rollout_async(self, task, resources, rollout):
        return fork()


class Done(LitAgent[int]):
    def rollout(self, task, resources, rollout):
        return 1.0


class HangingHook:
    async def on_rollout_end(self, **_):
        say("begun", 1)
        await asyncio.Event().wait()


def fork() -> float:
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        say("child", status)
        return 1.0
    return 2.0


AGENTS = {
    "waits": Waits,
    "blocks": Blocks,
    "forks": Forks,
    "forks-async": ForksAsync,
    "idle": Done,
    "hook": Done,
}


async def main(kind: str, path: str, worker: str = "0") -> None:
    """Run until there is nothing left to run, or until it is stopped."""
    async with SqliteLightningStore(path) as store:
        runner = LitAgentRunner[int](
            BareTracer(), max_rollouts=2 if "fork" in kind else None, heartbeat_interval=0.2
        )
        hooks = [HangingHook()] if kind == "hook" else []
        with runner.run_context(
            agent=AGENTS[kind](), store=store, hooks=hooks, worker_id=int(worker)
        ):
            if kind == "idle":
                say("begun", 0)
            await runner.iter()
    say("ended")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
