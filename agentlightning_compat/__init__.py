"""What code that was moved off agent-lightning's legacy API runs on.

Importing this package costs next to nothing: a public name is imported when it is first read.
"""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentlightning_compat import errors as errors
    from agentlightning_compat import legacy as legacy
    from agentlightning_compat.adapter.base import Adapter as Adapter
    from agentlightning_compat.adapter.base import OtelTraceAdapter as OtelTraceAdapter
    from agentlightning_compat.adapter.base import TraceAdapter as TraceAdapter
    from agentlightning_compat.adapter.base import TraceToTripletBase as TraceToTripletBase
    from agentlightning_compat.adapter.messages import TraceToMessages as TraceToMessages
    from agentlightning_compat.adapter.proxy import (
        LlmProxyTraceToTriplet as LlmProxyTraceToTriplet,
    )
    from agentlightning_compat.adapter.triplet import TracerTraceToTriplet as TracerTraceToTriplet
    from agentlightning_compat.algorithm.base import Algorithm as Algorithm
    from agentlightning_compat.algorithm.fast import Baseline as Baseline
    from agentlightning_compat.algorithm.fast import FastAlgorithm as FastAlgorithm
    from agentlightning_compat.algorithm.functional import algo as algo
    from agentlightning_compat.configuration import lightning_cli as lightning_cli
    from agentlightning_compat.emitter import *  # noqa: F403
    from agentlightning_compat.environment import LightningEnvVar as LightningEnvVar
    from agentlightning_compat.environment import resolve_bool_env_var as resolve_bool_env_var
    from agentlightning_compat.environment import resolve_int_env_var as resolve_int_env_var
    from agentlightning_compat.environment import resolve_str_env_var as resolve_str_env_var
    from agentlightning_compat.execution.base import ExecutionStrategy as ExecutionStrategy
    from agentlightning_compat.execution.client_server import (
        ClientServerExecutionStrategy as ClientServerExecutionStrategy,
    )
    from agentlightning_compat.execution.events import ExecutionEvent as ExecutionEvent
    from agentlightning_compat.execution.events import MultiprocessingEvent as MultiprocessingEvent
    from agentlightning_compat.execution.events import ThreadingEvent as ThreadingEvent
    from agentlightning_compat.execution.shared_memory import (
        SharedMemoryExecutionStrategy as SharedMemoryExecutionStrategy,
    )
    from agentlightning_compat.http.client import LightningStoreClient as LightningStoreClient
    from agentlightning_compat.http.server import LightningStoreServer as LightningStoreServer
    from agentlightning_compat.legacy.agent_runner import LegacyAgentRunner as LegacyAgentRunner
    from agentlightning_compat.legacy.client import AgentLightningClient as AgentLightningClient
    from agentlightning_compat.legacy.client_store import LegacyClientStore as LegacyClientStore
    from agentlightning_compat.legacy.dev_loader import DevTaskLoader as DevTaskLoader
    from agentlightning_compat.legacy.server import AgentLightningServer as AgentLightningServer
    from agentlightning_compat.litagent.agent import LitAgent as LitAgent
    from agentlightning_compat.litagent.decorator import llm_rollout as llm_rollout
    from agentlightning_compat.litagent.decorator import prompt_rollout as prompt_rollout
    from agentlightning_compat.litagent.decorator import rollout as rollout
    from agentlightning_compat.log_setup import configure_logger as configure_logger
    from agentlightning_compat.log_setup import setup_logging as setup_logging
    from agentlightning_compat.log_setup import setup_module_logging as setup_module_logging
    from agentlightning_compat.model import *  # noqa: F403
    from agentlightning_compat.opening import open_store as open_store
    from agentlightning_compat.runner.agent import LitAgentRunner as LitAgentRunner
    from agentlightning_compat.runner.base import Runner as Runner
    from agentlightning_compat.store.base import LightningStore as LightningStore
    from agentlightning_compat.store.base import (
        LightningStoreCapabilities as LightningStoreCapabilities,
    )
    from agentlightning_compat.store.base import (
        LightningStoreStatistics as LightningStoreStatistics,
    )
    from agentlightning_compat.store.memory import (
        InMemoryLightningStore as InMemoryLightningStore,
    )
    from agentlightning_compat.store.postgres import (
        PostgresLightningStore as PostgresLightningStore,
    )
    from agentlightning_compat.store.sqlite import SqliteLightningStore as SqliteLightningStore
    from agentlightning_compat.store.threaded import (
        LightningStoreThreaded as LightningStoreThreaded,
    )
    from agentlightning_compat.tracer.agentops import AgentOpsTracer as AgentOpsTracer
    from agentlightning_compat.tracer.base import Tracer as Tracer
    from agentlightning_compat.tracer.base import clear_active_tracer as clear_active_tracer
    from agentlightning_compat.tracer.base import get_active_tracer as get_active_tracer
    from agentlightning_compat.tracer.base import set_active_tracer as set_active_tracer
    from agentlightning_compat.tracer.dummy import DummyTracer as DummyTracer
    from agentlightning_compat.tracer.otel import OtelTracer as OtelTracer
    from agentlightning_compat.trainer.components import build_component as build_component
    from agentlightning_compat.trainer.trainer import Trainer as Trainer

_MODULES = frozenset({"errors", "legacy"})

# Which module a public name is taken from.
_HOMES = {
    "agentlightning_compat.algorithm.base": "Algorithm",
    "agentlightning_compat.algorithm.fast": "Baseline FastAlgorithm",
    "agentlightning_compat.algorithm.functional": "algo",
    "agentlightning_compat.configuration": "lightning_cli",
    "agentlightning_compat.log_setup": "configure_logger setup_logging setup_module_logging",
    "agentlightning_compat.environment": """
        LightningEnvVar resolve_bool_env_var resolve_int_env_var resolve_str_env_var
    """,
    "agentlightning_compat.execution.base": "ExecutionStrategy",
    "agentlightning_compat.execution.client_server": "ClientServerExecutionStrategy",
    "agentlightning_compat.execution.events": """
        ExecutionEvent MultiprocessingEvent ThreadingEvent
    """,
    "agentlightning_compat.execution.shared_memory": "SharedMemoryExecutionStrategy",
    "agentlightning_compat.adapter": """
        Adapter LlmProxyTraceToTriplet OtelTraceAdapter TraceAdapter TraceToMessages
        TraceToTripletBase TracerTraceToTriplet
    """,
    "agentlightning_compat.http.client": "LightningStoreClient",
    "agentlightning_compat.http.server": "LightningStoreServer",
    "agentlightning_compat.legacy.agent_runner": "LegacyAgentRunner",
    "agentlightning_compat.legacy.client": "AgentLightningClient",
    "agentlightning_compat.legacy.client_store": "LegacyClientStore",
    "agentlightning_compat.legacy.dev_loader": "DevTaskLoader",
    "agentlightning_compat.legacy.server": "AgentLightningServer",
    "agentlightning_compat.litagent.agent": "LitAgent",
    "agentlightning_compat.litagent.decorator": "llm_rollout prompt_rollout rollout",
    "agentlightning_compat.emitter": """
        emit_annotation emit_exception emit_message emit_object emit_reward find_final_reward
        find_reward_spans get_message_value get_object_value get_reward_value
        get_rewards_from_span is_reward_span operation reward
    """,
    "agentlightning_compat.model": """
        Attempt AttemptStatus AttemptedRollout AttributeValue Attributes Dataset
        EnqueueRolloutRequest Event FilterField FilterOptions GenericResponse Hook LLM Link
        NamedResources OtelResource PaginatedResult ParallelWorkerBase PromptTemplate ProxyLLM
        Resource ResourceUnion ResourcesUpdate Rollout RolloutConfig RolloutLegacy RolloutMode
        RolloutRawResult RolloutRawResultLegacy RolloutStatus SortOptions Span
        SpanAttributeNames SpanContext SpanCoreFields SpanLike SpanNames SpanRecordingContext
        StatusCode Task TaskIfAny TaskInput TraceState TraceStatus Triplet Worker WorkerStatus
    """,
    "agentlightning_compat.runner.agent": "LitAgentRunner",
    "agentlightning_compat.runner.base": "Runner",
    "agentlightning_compat.tracer.agentops": "AgentOpsTracer",
    "agentlightning_compat.tracer.base": """
        Tracer clear_active_tracer get_active_tracer set_active_tracer
    """,
    "agentlightning_compat.tracer.dummy": "DummyTracer",
    "agentlightning_compat.tracer.otel": "OtelTracer",
    "agentlightning_compat.store.base": """
        LightningStore LightningStoreCapabilities LightningStoreStatistics
    """,
    "agentlightning_compat.store.memory": "InMemoryLightningStore",
    "agentlightning_compat.opening": "open_store",
    "agentlightning_compat.store.postgres": "PostgresLightningStore",
    "agentlightning_compat.store.sqlite": "SqliteLightningStore",
    "agentlightning_compat.store.threaded": "LightningStoreThreaded",
    "agentlightning_compat.trainer.components": "build_component",
    "agentlightning_compat.trainer.trainer": "Trainer",
}
_ORIGINS = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted(["__version__", *_MODULES, *_ORIGINS])  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _ORIGINS:
        value = getattr(import_module(_ORIGINS[name]), name)
        globals()[name] = value  # the next read does not come here
        return value
    from agentlightning_compat.absent import ABSENT, explain

    if name in ABSENT:
        raise explain(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _version() -> str:
    try:
        return metadata.version("agentlightning-compat")
    except metadata.PackageNotFoundError:  # run from a source tree
        return "0+source"


def __dir__() -> list[str]:
    return sorted(__all__)
