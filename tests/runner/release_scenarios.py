"""What is run under the real release and under this package, and compared.

Its text is also run in the environment of the release: it imports nothing of the tests.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any


def run(agl: Any) -> dict[str, Any]:
    """What every scenario came to, by name; nothing in it depends on ids or the time."""
    logging.disable(logging.CRITICAL)
    return asyncio.run(_run(agl))


async def _run(agl: Any) -> dict[str, Any]:
    found = {}
    for name, (agent, mode) in agents(agl).items():
        found[name] = await _scenario(agl, agent, mode)
    return {**found, **await _steps(agl)}


def agents(agl: Any) -> dict[str, tuple[Any, str | None]]:
    """Agents by name, each with the mode of its rollouts."""
    return {
        # First: in the release a library's spans reach only the first tracer of a process.
        "opentelemetry": (instrumented(agl), None),
        **{f"returns {name}": (Returning(agl, make), None) for name, make in RETURNS.items()},
        **{f"mode {mode}": (moded(agl), mode) for mode in ("train", "val", "test", None)},
        **{f"async mode {mode}": (moded_async(agl), mode) for mode in ("train", "val")},
        "emits": (emitting(agl), None),
        "sync": (emitting_sync(agl), None),
        "fails": (failing(agl), None),
        "llm": (by_llm(agl), "train"),
        "llm not stripped": (unstripped(agl), "train"),
        "prompt": (by_prompt(agl), None),
    }


def _key(rollout: Any) -> dict[str, str]:
    return {"rollout_id": rollout.rollout_id, "attempt_id": rollout.attempt.attempt_id}


def _core(agl: Any, name: str, **attributes: Any) -> Any:
    return agl.SpanCoreFields(
        name=name,
        status=agl.TraceStatus(status_code="ERROR", description="because"),
        attributes=attributes,
        start_time=1.0,
        end_time=2.0,
    )


def _foreign(agl: Any, rollout: Any) -> list[Any]:
    from opentelemetry.sdk.trace import TracerProvider

    tracer = TracerProvider().get_tracer("foreign")
    with (
        tracer.start_as_current_span("outer", attributes={"a": 1, "b": [1.5, 2.5]}) as outer,
        tracer.start_as_current_span("inner") as inner,
    ):
        inner.add_event("happened", {"x": "y"})
    return [outer, inner]


RETURNS = {
    "None": lambda agl, rollout: None,
    "float": lambda agl, rollout: 0.5,
    "int": lambda agl, rollout: 2,
    "bool": lambda agl, rollout: True,
    "empty list": lambda agl, rollout: [],
    "core fields": lambda agl, rollout: [_core(agl, "one", x=1), _core(agl, "two", y="z")],
    "spans": lambda agl, rollout: [
        agl.Span.from_attributes(attributes={"x": [1, 2]}, sequence_id=7, **_key(rollout)),
        agl.Span.from_core_fields(_core(agl, "two"), sequence_id=9, **_key(rollout)),
    ],
    "opentelemetry spans": _foreign,
    "text": lambda agl, rollout: "text",
    "dict": lambda agl, rollout: {"reward": 1.0},
    "tuple": lambda agl, rollout: (1.0,),
    "mixed list": lambda agl, rollout: [1.0, "x"],
}


def Returning(agl: Any, make: Any) -> Any:
    class Agent(agl.LitAgent):
        async def rollout_async(self, task, resources, rollout):
            agl.emit_message("before")
            return make(agl, rollout)

    return Agent()


def moded(agl: Any) -> Any:
    class Agent(agl.LitAgent):
        def training_rollout(self, task, resources, rollout):
            agl.emit_message(f"training {task} {rollout.mode} {sorted(resources)}")

        def validation_rollout(self, task, resources, rollout):
            agl.emit_message(f"validation {task} {rollout.mode} {sorted(resources)}")

    return Agent()


def moded_async(agl: Any) -> Any:
    class Agent(agl.LitAgent):
        async def training_rollout_async(self, task, resources, rollout):
            agl.emit_message("training")

        async def rollout_async(self, task, resources, rollout):
            agl.emit_message("any")

    return Agent()


def _emit(agl: Any) -> None:
    agl.emit_annotation({"a": {"b": 1}, "c": "d"})
    agl.emit_object({"x": [1, 2]})
    with agl.operation(name="think", depth=2):
        agl.emit_reward({"quality": 0.5, "speed": 1}, primary_key="quality")
    agl.emit_reward(1)


def emitting(agl: Any) -> Any:
    class Agent(agl.LitAgent):
        async def rollout_async(self, task, resources, rollout):
            _emit(agl)

    return Agent()


def emitting_sync(agl: Any) -> Any:
    class Agent(agl.LitAgent):
        def rollout(self, task, resources, rollout):
            _emit(agl)
            return 0.25

    return Agent()


def failing(agl: Any) -> Any:
    class Agent(agl.LitAgent):
        async def rollout_async(self, task, resources, rollout):
            agl.emit_message("before")
            raise ValueError("oh")

    return Agent()


def instrumented(agl: Any) -> Any:
    class Agent(agl.LitAgent):
        async def rollout_async(self, task, resources, rollout):
            from opentelemetry import trace

            tracer = trace.get_tracer("library")
            with tracer.start_as_current_span("call", attributes={"model": "m", "n": 3}) as span:
                span.add_event("token", {"t": 1})
                with tracer.start_as_current_span("request"):
                    await asyncio.sleep(0)
                span.set_status(trace.StatusCode.ERROR, "no answer")
            return 0.5

    return Agent()


def by_llm(agl: Any) -> Any:
    @agl.rollout
    async def agent(task, llm, rollout):
        path = llm.endpoint.replace(rollout.rollout_id, "R")
        agl.emit_message(path.replace(rollout.attempt.attempt_id, "A"))
        return 1.0

    return agent


def unstripped(agl: Any) -> Any:
    @agl.llm_rollout(strip_proxy=False)
    def agent(task, llm):
        agl.emit_message(type(llm).__name__)
        return 1.0

    return agent


def by_prompt(agl: Any) -> Any:
    @agl.prompt_rollout
    def agent(task, prompt_template):
        agl.emit_message(prompt_template.format(x=task))

    return agent


def hooks(agl: Any, calls: list[Any]) -> list[Any]:
    """Two hooks that note their calls; the first one fails each time."""

    def note(which: str, fails: bool) -> Any:
        class Notes(agl.Hook):
            pass

        for name in ("on_rollout_start", "on_trace_start", "on_trace_end", "on_rollout_end"):

            async def method(self, _name=name, **given):
                calls.append([which, _name, sorted(given), given["rollout"].status])
                if fails:
                    raise ValueError("a hook fails")

            setattr(Notes, name, method)
        return Notes()

    return [note("first", True), note("second", False)]


async def _store(agl: Any) -> Any:
    store = agl.InMemoryLightningStore()
    await store.add_resources(
        {
            "llm": agl.ProxyLLM(endpoint="http://proxy/v1", model="m"),
            "prompt": agl.PromptTemplate(template="say {x}", engine="f-string"),
        }
    )
    return store


async def _scenario(agl: Any, agent: Any, mode: str | None) -> Any:
    store, calls = await _store(agl), []
    rollout = await store.enqueue_rollout("task", mode=mode)
    runner = agl.LitAgentRunner(tracer=agl.OtelTracer(), max_rollouts=1, heartbeat_interval=0)
    with runner.run_context(agent=agent, store=store, hooks=hooks(agl, calls)):
        await runner.iter()
    return {"hooks": calls, **await stored(store, rollout.rollout_id)}


async def _steps(agl: Any) -> dict[str, Any]:
    found = {}
    for name, agent in {
        "succeeds": Returning(agl, RETURNS["float"]),
        "fails": failing(agl),
        "rubbish": Returning(agl, RETURNS["text"]),
        "mixed": Returning(agl, RETURNS["mixed list"]),
    }.items():
        store = await _store(agl)
        runner = agl.LitAgentRunner(tracer=agl.OtelTracer(), heartbeat_interval=0)
        with runner.run_context(agent=agent, store=store):
            try:
                done = await runner.step("task", mode="train")
                came = [done.status, done.mode, done.attempt.worker_id]
            except Exception as error:
                came = [type(error).__name__]
        (rollout,) = await store.query_rollouts()
        found[f"step {name}"] = {"came": came, **await stored(store, rollout.rollout_id)}
    return found


async def stored(store: Any, rollout_id: str) -> dict[str, Any]:
    """What the store has of a rollout, without ids and times."""
    rollout = await store.get_rollout_by_id(rollout_id)
    spans = list(await store.query_spans(rollout_id))
    names = {span.span_id: span.name for span in spans}
    worker = await store.get_worker_by_id("Worker-0")
    return {
        "rollout": [rollout.status, rollout.mode, rollout.input, rollout.end_time is not None],
        "attempt": [rollout.attempt.status, rollout.attempt.worker_id],
        "worker": [worker.status, worker.current_rollout_id],
        "spans": [_described(span, names) for span in spans],
    }


def _described(span: Any, names: dict[str, str]) -> dict[str, Any]:
    return {
        "name": span.name,
        "parent": names.get(span.parent_id) if span.parent_id else None,
        "status": [span.status.status_code, span.status.description],
        "attributes": _untimed(span.attributes),
        "events": [[event.name, _untimed(event.attributes)] for event in span.events],
        "timed": [span.start_time is not None, span.end_time is not None],
        "links": len(span.links),
    }


def _untimed(attributes: Any) -> dict[str, Any]:
    found = {key: list(v) if isinstance(v, tuple) else v for key, v in (attributes or {}).items()}
    # Paths and line numbers differ.
    return {key: "..." if key.endswith("stacktrace") else v for key, v in found.items()}
