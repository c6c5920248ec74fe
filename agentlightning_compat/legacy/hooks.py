"""Runs the hooks that a legacy agent has as methods of its own.

`LitAgentRunner` never calls them. As a hook of the trainer this class does.
"""

from __future__ import annotations

import inspect
from typing import Any

from agentlightning_compat.legacy import target
from agentlightning_compat.legacy.completed import adapted


class AgentMethodHook:
    """A hook that calls the agent's `on_rollout_start(task, runner, tracer)` and
    `on_rollout_end(task, rollout, runner, tracer)`, sync or async.

    Pass it once: `Trainer(..., hooks=[AgentMethodHook()])`. The methods get a `Task` and a
    `RolloutLegacy` that say what they did under the legacy API: the final reward also of an agent
    that returned a float, which the hooks of 0.3 do not see; nothing but the id and the task if
    the agent failed. An instance is also an instance of the trainer's `Hook`.
    """

    def __new__(cls) -> AgentMethodHook:
        made: AgentMethodHook = object.__new__(_as_hook(cls))
        return made

    def __init__(self) -> None:
        super().__init__()
        # The attempts whose agent has returned: the runner tells a hook of no failure.
        self._returned: set[str] = set()

    def __reduce__(self) -> tuple[type[AgentMethodHook], tuple[()]]:
        return AgentMethodHook, ()

    async def on_rollout_start(self, *, agent: Any, runner: Any, rollout: Any) -> None:
        """Call the agent's method before the rollout is traced."""
        result = agent.on_rollout_start(_task(rollout), runner, runner.tracer)
        if inspect.isawaitable(result):
            await result

    async def on_trace_start(self, *, agent: Any, runner: Any, tracer: Any, rollout: Any) -> None:
        """Do nothing: legacy agents have no such method."""

    async def on_trace_end(self, *, agent: Any, runner: Any, tracer: Any, rollout: Any) -> None:
        """Note that the agent returned."""
        self._returned.add(rollout.attempt.attempt_id)

    async def on_rollout_end(self, *, agent: Any, runner: Any, rollout: Any, spans: Any) -> None:
        """Call the agent's method after the result is stored."""
        attempt_id = rollout.attempt.attempt_id
        returned = attempt_id in self._returned
        self._returned.discard(attempt_id)
        task = _task(rollout)
        fields = await _stored(agent, runner, rollout) if returned else {}
        report = target.api("RolloutLegacy", rollout)(
            rollout_id=rollout.rollout_id, task=task, **fields
        )
        result = agent.on_rollout_end(task, report, runner, runner.tracer)
        if inspect.isawaitable(result):
            await result


def _as_hook(cls: Any) -> Any:
    """Derive from the target's `Hook`, which `Trainer` asks for, when the first one is made."""
    if target.root_of(cls) is not None:
        return cls
    if cls not in _hook_classes:
        bases = (cls, target.api("Hook"))
        _hook_classes[cls] = type(cls.__name__, bases, {"__module__": cls.__module__})
    return _hook_classes[cls]


_hook_classes: dict[Any, Any] = {}


def _task(rollout: Any) -> Any:
    return target.api("Task", rollout)(
        rollout_id=rollout.rollout_id,
        input=rollout.input,
        mode=rollout.mode,
        resources_id=rollout.resources_id,
        create_time=rollout.start_time,
        last_claim_time=rollout.attempt.start_time,
        num_claims=rollout.attempt.sequence_id,
        metadata=rollout.metadata or {},
    )


async def _stored(agent: Any, runner: Any, rollout: Any) -> dict[str, Any]:
    spans = list(
        await runner.get_store().query_spans(
            rollout.rollout_id, attempt_id=rollout.attempt.attempt_id
        )
    )
    return {
        "final_reward": target.api("find_final_reward", rollout)(spans),
        "triplets": adapted(spans, _adapter(agent)),
        "trace": [span.model_dump() for span in spans] or None,
    }


def _adapter(agent: Any) -> Any | None:
    """Return the trainer's adapter if it makes triplets; an agent may also run without one."""
    try:
        adapter = getattr(agent.trainer, "adapter", None)
    except (AttributeError, ValueError):
        return None
    makes_triplets = any("Triplet" in base.__name__ for base in type(adapter).__mro__)
    return adapter if makes_triplets else None
