"""Helpers that migrated code calls where a legacy call has no single counterpart in the store API.

None of them needs agentlightning to be imported first, and importing this package imports neither
agentlightning nor pydantic nor OpenTelemetry. A helper takes its classes from the package that the
objects handed to it come from.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentlightning_compat.legacy.completed import CompletedRollout as CompletedRollout
    from agentlightning_compat.legacy.completed import drain_completed as drain_completed
    from agentlightning_compat.legacy.completed import take_completed as take_completed
    from agentlightning_compat.legacy.completed import wait_completed as wait_completed
    from agentlightning_compat.legacy.dev_runs import fit_or_dev as fit_or_dev
    from agentlightning_compat.legacy.fleet import fit_fleet as fit_fleet
    from agentlightning_compat.legacy.fleet import runner_strategy as runner_strategy
    from agentlightning_compat.legacy.hooks import AgentMethodHook as AgentMethodHook
    from agentlightning_compat.legacy.loaders import dev_resources as dev_resources
    from agentlightning_compat.legacy.loaders import dev_tasks as dev_tasks
    from agentlightning_compat.legacy.polling import poll_rollout as poll_rollout
    from agentlightning_compat.legacy.polling import poll_rollout_async as poll_rollout_async
    from agentlightning_compat.legacy.queueing import publish_resources as publish_resources
    from agentlightning_compat.legacy.queueing import queue_rollout as queue_rollout
    from agentlightning_compat.legacy.reporting import report_rollout as report_rollout
    from agentlightning_compat.legacy.reporting import report_rollout_async as report_rollout_async
    from agentlightning_compat.legacy.resources import resources_update as resources_update
    from agentlightning_compat.legacy.results import to_result as to_result
    from agentlightning_compat.legacy.rollouts import make_rollout as make_rollout
    from agentlightning_compat.legacy.runners import make_runner as make_runner
    from agentlightning_compat.legacy.runners import run_rollouts as run_rollouts
    from agentlightning_compat.legacy.sync import wait as wait
    from agentlightning_compat.legacy.tracing import adapt_tracer as adapt_tracer
    from agentlightning_compat.legacy.tracing import trace_context as trace_context
    from agentlightning_compat.legacy.tracing import trace_run as trace_run

_HOMES = {
    "AgentMethodHook": "hooks",
    "CompletedRollout": "completed",
    "adapt_tracer": "tracing",
    "dev_resources": "loaders",
    "dev_tasks": "loaders",
    "drain_completed": "completed",
    "fit_fleet": "fleet",
    "fit_or_dev": "dev_runs",
    "make_rollout": "rollouts",
    "make_runner": "runners",
    "poll_rollout": "polling",
    "poll_rollout_async": "polling",
    "publish_resources": "queueing",
    "queue_rollout": "queueing",
    "report_rollout": "reporting",
    "report_rollout_async": "reporting",
    "resources_update": "resources",
    "run_rollouts": "runners",
    "runner_strategy": "fleet",
    "take_completed": "completed",
    "to_result": "results",
    "trace_context": "tracing",
    "trace_run": "tracing",
    "wait": "sync",
    "wait_completed": "completed",
}

__all__ = [
    "AgentMethodHook",
    "CompletedRollout",
    "adapt_tracer",
    "dev_resources",
    "dev_tasks",
    "drain_completed",
    "fit_fleet",
    "fit_or_dev",
    "make_rollout",
    "make_runner",
    "poll_rollout",
    "poll_rollout_async",
    "publish_resources",
    "queue_rollout",
    "report_rollout",
    "report_rollout_async",
    "resources_update",
    "run_rollouts",
    "runner_strategy",
    "take_completed",
    "to_result",
    "trace_context",
    "trace_run",
    "wait",
    "wait_completed",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
