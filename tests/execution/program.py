"""A program that trains: `python program.py FOLDER '{"strategy": ..., "agent": ...}'`.

It prints what happens, one line each; the store is `store.db` in the folder. What runs and does
not end by itself ends when there is a file `go` in the folder.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import agentlightning_compat as agl

FOLDER = Path(sys.argv[1])


def say(*words: object) -> None:
    # One write a line: several processes write.
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Agent(agl.LitAgent[Any]):
    """Says when it begins, and does what its kind is."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    async def rollout_async(self, task: Any, resources: Any, rollout: Any) -> float:
        say("begun", task, os.getpid())
        await getattr(self, self.kind)()
        say("done", task)
        return 1.0

    async def quick(self) -> None:
        return

    async def gate(self) -> None:
        while not (FOLDER / "go").exists():
            await asyncio.sleep(0.01)

    async def forever(self) -> None:
        await asyncio.Event().wait()

    async def block(self) -> None:
        while True:
            time.sleep(0.01)

    async def deaf(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        await self.block()

    async def once(self) -> None:
        # The first of all attempts hangs.
        try:
            (FOLDER / "first").touch(exist_ok=False)
        except FileExistsError:
            return
        say("hangs", os.getpid())
        await self.forever()


class Broken(agl.LitAgentRunner[Any]):
    def init(self, agent: Any, **more: Any) -> None:
        raise LookupError("this runner is broken")


@agl.algo
async def fails(*, store: Any) -> None:
    await first_begun(store)
    raise LookupError("this algorithm is broken")


@agl.algo
async def waits(*, store: Any) -> None:
    rollouts = await store.query_rollouts()
    await store.wait_for_rollouts(rollout_ids=[rollout.rollout_id for rollout in rollouts])
    say("algorithm done")


@agl.algo
def plain(*, store: Any) -> None:
    rollouts = asyncio.run(store.query_rollouts())
    ids = [rollout.rollout_id for rollout in rollouts]
    ended = asyncio.run(store.wait_for_rollouts(rollout_ids=ids))
    say("algorithm saw", len(ended))


async def first_begun(store: Any) -> None:
    while not await store.query_rollouts(status_in=["preparing", "running"]):
        await asyncio.sleep(0.01)


def main() -> None:
    settings = json.loads(sys.argv[2])
    algorithm = settings.pop("algorithm", None)
    agent = Agent(settings.pop("agent", "quick"))
    if "start" in settings:
        multiprocessing.set_start_method(settings.pop("start"))
    if settings.pop("broken", False):
        settings["runner"] = Broken
    trainer = agl.Trainer(
        store=f"sqlite:///{FOLDER / 'store.db'}",
        tracer=agl.DummyTracer(),
        algorithm=globals()[algorithm] if algorithm else None,
        **settings,
    )
    say("pid", os.getpid())
    try:
        trainer.fit(agent)
    except Exception as error:
        say("raised", type(error).__name__, error)
    else:
        say("returned")


if __name__ == "__main__":
    main()
