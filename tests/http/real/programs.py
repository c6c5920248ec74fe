"""Programs for 0.3, given the package that they run on: the real one or ours."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FINISHED = ["succeeded", "failed", "cancelled"]
# What a task has the agent do; those that are not here return a number.
KINDS = ("returns", "emits", "several", "told", "fails", "again", "nothing")


def tasks(count: int) -> list[dict[str, Any]]:
    return [{"n": number, "kind": KINDS[number % len(KINDS)]} for number in range(count)]


def agent(agl: Any, *, of_async: bool) -> Any:
    """An agent that does what the kind of its task is."""

    def work(task: Any, resources: Any, rollout: Any) -> Any:
        number, kind = task["n"], task["kind"]
        agl.emit_message(resources["prompt"].template.format(number))
        if kind == "fails" or (kind == "again" and rollout.attempt.sequence_id == 1):
            raise LookupError(f"no {number}")
        if kind == "emits":
            agl.emit_reward(number / 8)
            return None
        if kind == "several":
            agl.emit_reward({"good": number / 4, "short": 0.5}, primary_key="good")
            return None
        if kind == "told":
            agl.emit_object({"n": number, "many": [1, 2]})
            agl.emit_annotation({"where": "here", "count": number})
            agl.emit_exception(ValueError("only noted"))
            with agl.operation(name="adding") as op:
                op.set_input(number, more=1)
                op.set_output(number + 1)
        return None if kind == "nothing" else number / 2

    class Plain(agl.LitAgent):  # type: ignore[misc]
        def rollout(self, task: Any, resources: Any, rollout: Any) -> Any:
            return work(task, resources, rollout)

    class Waiting(agl.LitAgent):  # type: ignore[misc]
        async def training_rollout_async(self, task: Any, resources: Any, rollout: Any) -> Any:
            await asyncio.sleep(0)
            return work(task, resources, rollout)

        async def validation_rollout_async(self, task: Any, resources: Any, rollout: Any) -> Any:
            agl.emit_message("validated")
            return await self.training_rollout_async(task, resources, rollout)

    return Waiting() if of_async else Plain()


def hook(agl: Any, folder: Path) -> Any:
    """Writes down when it is called; runners may be processes of their own."""

    def note(name: str, rollout: Any) -> None:
        line = [rollout.input["n"], rollout.attempt.sequence_id, name]
        handle = os.open(folder / "hooks", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(handle, (json.dumps(line) + "\n").encode())
        os.close(handle)

    class Noting(agl.Hook):  # type: ignore[misc]
        async def on_rollout_start(self, *, agent: Any, runner: Any, rollout: Any) -> None:
            note("rollout starts", rollout)

        async def on_trace_start(
            self, *, agent: Any, runner: Any, tracer: Any, rollout: Any
        ) -> None:
            note("trace starts", rollout)

        async def on_trace_end(self, *, agent: Any, runner: Any, tracer: Any, rollout: Any) -> None:
            note("trace ends", rollout)

        async def on_rollout_end(
            self, *, agent: Any, runner: Any, rollout: Any, spans: Any
        ) -> None:
            note("rollout ends", rollout)

    return Noting()


async def ended(store: Any, made: Iterable[Any]) -> list[Any]:
    """These rollouts, when all of them are finished."""
    ids = [rollout.rollout_id for rollout in made]
    while True:
        page = await store.query_rollouts(rollout_id_in=ids, status_in=FINISHED)
        if len(page.items) == len(ids):
            return list(page.items)
        await asyncio.sleep(0.02)


async def beaten(store: Any, beating: int) -> None:
    """Wait until so many workers have told of themselves."""
    while True:
        workers = await store.query_workers()
        if sum(bool(worker.heartbeat_stats) for worker in workers) >= beating:
            return
        await asyncio.sleep(0.02)


def teaching(agl: Any, found: dict[str, Any], beating: int, go: Path | None) -> Any:
    """An algorithm of two rounds, the second with what was learned from the first.

    It goes on until so many workers have told of themselves, and there is a file `go`.
    """

    @agl.algo
    async def teach(
        *, store: Any, initial_resources: Any, train_dataset: Any, val_dataset: Any
    ) -> None:
        first = await store.update_resources("prompts", initial_resources)
        config = agl.RolloutConfig(max_attempts=2, retry_condition=["failed"])
        request = agl.EnqueueRolloutRequest
        made = await store.enqueue_many_rollouts(
            [
                request(input=task, mode="train", config=config, metadata={"round": 1})
                for task in train_dataset
            ]
        )
        rewards = []
        for rollout in await ended(store, made):
            spans = await store.query_spans(rollout.rollout_id, "latest")
            rewards.append(agl.find_final_reward(spans) or 0.0)
        learned = agl.PromptTemplate(template=f"learned {sum(rewards):g} {{}}", engine="f-string")
        second = await store.update_resources("prompts", {"prompt": learned})
        assert second.version == first.version + 1
        made = [
            await store.enqueue_rollout(input=task, mode="val", resources_id="prompts")
            for task in val_dataset
        ]
        await ended(store, made)
        await beaten(store, beating)
        found.update(await seen(store), workers=await workers(store))
        if go is not None:
            go.with_name("done").touch()
            while not go.exists():
                await asyncio.sleep(0.02)

    return teach


def plain(value: Any) -> Any:
    """An attribute as JSON has it, without what differs from run to run."""
    return list(value) if isinstance(value, (list, tuple)) else value


async def seen(store: Any) -> dict[str, Any]:
    """What a store holds, but for ids, times and stack traces."""
    rollouts = []
    for rollout in await store.query_rollouts():
        attempts = await store.query_attempts(rollout.rollout_id)
        rollouts.append(
            {
                "input": rollout.input,
                "mode": rollout.mode,
                "status": rollout.status,
                "metadata": rollout.metadata,
                "attempts": [[one.sequence_id, one.status] for one in attempts],
                "spans": [await spans(store, one) for one in attempts],
            }
        )
    latest = await store.get_latest_resources()
    return {
        "rollouts": rollouts,
        "resources": {name: item.model_dump() for name, item in latest.resources.items()},
        "version": latest.version,
    }


async def workers(store: Any) -> list[Any]:
    """The workers, and whether they have told of their machine."""
    return [
        [worker.worker_id, "host" in (worker.heartbeat_stats or {})]
        for worker in await store.query_workers(sort_by="worker_id")
    ]


async def spans(store: Any, attempt: Any) -> list[Any]:
    """The spans of an attempt in the order of their beginnings."""
    stored = await store.query_spans(attempt.rollout_id, attempt.attempt_id)
    found = sorted(stored, key=lambda one: one.start_time)
    numbers = [one.sequence_id for one in found]
    assert all(number > 0 for number in numbers)
    assert len(set(numbers)) == len(numbers)
    names = {one.span_id: one.name for one in found}
    said = [
        [
            one.name,
            names.get(one.parent_id, one.parent_id),
            one.status.status_code,
            {key: plain(one.attributes[key]) for key in sorted(one.attributes) if kept(key)},
            [event.name for event in one.events],
        ]
        for one in found
    ]
    written: list[Any] = json.loads(json.dumps(said).replace(attempt.rollout_id, "ROLLOUT"))
    return written


def kept(key: str) -> bool:
    return key != "exception.stacktrace" and not key.startswith("agentops.")


def called(folder: Path) -> list[Any]:
    """The calls of hooks, in their order for each attempt."""
    path = folder / "hooks"
    lines = path.read_text().splitlines() if path.exists() else []
    return sorted((json.loads(line) for line in lines), key=lambda line: line[:2])


def trainer(
    agl: Any, tracer: str = "OtelTracer", server: str | None = None, **settings: Any
) -> Any:
    if server is not None:
        settings["store"] = agl.LightningStoreClient(server)
    prompt = agl.PromptTemplate(template="ask {}", engine="f-string")
    return agl.Trainer(
        tracer=f"agentlightning.tracer.{tracer}",
        runner={
            "type": "agentlightning.LitAgentRunner",
            "poll_interval": 0.05,
            "heartbeat_interval": 0.5,
            "interval_jitter": 0.02,
        },
        initial_resources={"prompt": prompt},
        **settings,
    )


def fit(
    agl: Any,
    folder: Path,
    *,
    count: int = 20,
    of_async: bool = False,
    beating: int = 1,
    hold: bool = False,
    **settings: Any,
) -> dict[str, Any]:
    """A run of the algorithm above: what is in its store at the end."""
    found: dict[str, Any] = {}
    algorithm = teaching(agl, found, beating, folder / "go" if hold else None)
    made = trainer(agl, algorithm=algorithm, hooks=[hook(agl, folder)], **settings)
    made.fit(agent(agl, of_async=of_async), train_dataset=tasks(count), val_dataset=tasks(3))
    return found


def dev(
    agl: Any, folder: Path, *, count: int = 6, of_async: bool = False, **settings: Any
) -> dict[str, Any]:
    """A run of `Trainer.dev` with `Baseline`: what is in its store at the end."""
    store = agl.InMemoryLightningStore()
    algorithm = agl.Baseline(polling_interval=0.1, train_split=0.5)
    made = trainer(agl, algorithm=algorithm, store=store, hooks=[hook(agl, folder)], **settings)
    made.dev(agent(agl, of_async=of_async), train_dataset=tasks(count), val_dataset=tasks(2))
    return asyncio.run(seen(store))


def run_runners(agl: Any, folder: Path, *, of_async: bool = False, **settings: Any) -> None:
    """The runners' side of a run; an interrupt ends it."""
    made = trainer(agl, hooks=[hook(agl, folder)], **settings)
    made.fit(agent(agl, of_async=of_async))


def serve(agl: Any, folder: Path, *, port: int) -> None:
    """A server of an empty store, until there is a file `go`."""

    async def work() -> None:
        store = agl.InMemoryLightningStore(thread_safe=True)
        server = agl.LightningStoreServer(store, host="127.0.0.1", port=port)
        await server.start()
        (folder / "done").touch()
        while not (folder / "go").exists():
            await asyncio.sleep(0.02)
        await server.stop()

    asyncio.run(work())
