"""The trainer's components, and what they are by default."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from agentlightning_compat.algorithm.base import Algorithm
from agentlightning_compat.errors import UnsupportedError
from agentlightning_compat.execution.base import ExecutionStrategy
from agentlightning_compat.execution.client_server import ClientServerExecutionStrategy
from agentlightning_compat.runner.base import Runner
from agentlightning_compat.store.base import LightningStore
from agentlightning_compat.tracer.base import Tracer
from agentlightning_compat.trainer.components import (
    build_component,
    instantiate_component,
    instantiate_from_spec,
)

if TYPE_CHECKING:
    from agentlightning_compat.adapter.base import TraceAdapter

T = TypeVar("T")
ComponentSpec: TypeAlias = T | type[T] | Callable[[], T] | str | dict[str, Any] | None

_log = logging.getLogger(__name__)

STRATEGIES = {
    "shm": "agentlightning_compat.execution.shared_memory.SharedMemoryExecutionStrategy",
    "cs": "agentlightning_compat.execution.client_server.ClientServerExecutionStrategy",
}
# What a proxy has to have; its class is the user's own.
_PROXY = ("start", "stop", "is_running", "set_store")


def tracer(spec: ComponentSpec[Tracer]) -> Tracer:
    """The tracer; by default the one that sees most with what is installed."""
    return build_component(
        spec, expected_type=Tracer, spec_name="tracer", default_factory=_default_tracer
    )


def _default_tracer() -> Tracer:
    if find_spec("agentops") is not None and (made := _agentops()) is not None:
        return made
    if find_spec("opentelemetry") is not None and find_spec("opentelemetry.sdk") is not None:
        from agentlightning_compat.tracer.otel import OtelTracer

        return OtelTracer()
    from agentlightning_compat.tracer.dummy import DummyTracer

    _log.warning("OpenTelemetry is not installed: only what agents emit themselves is traced")
    return DummyTracer()


def _agentops() -> Tracer | None:
    try:
        made: Tracer = import_module("agentlightning_compat").AgentOpsTracer()
    except (AttributeError, ImportError, UnsupportedError) as error:
        _log.warning("AgentOps is installed and cannot be used: %s", error)
        return None
    return made


def adapter(spec: ComponentSpec[TraceAdapter[Any]]) -> TraceAdapter[Any]:
    """The adapter; a dictionary need not name its class."""
    from agentlightning_compat.adapter import TraceAdapter, TracerTraceToTriplet

    return build_component(
        spec,
        expected_type=TraceAdapter,
        spec_name="adapter",
        default_factory=TracerTraceToTriplet,
        dict_requires_type=False,
        dict_default_cls=TracerTraceToTriplet,
    )


def algorithm(spec: ComponentSpec[Algorithm]) -> Algorithm | None:
    """The algorithm, if there is one."""
    return build_component(spec, expected_type=Algorithm, spec_name="algorithm", allow_none=True)


def strategy(
    spec: ComponentSpec[ExecutionStrategy], n_runners: int | None, port: int | None
) -> ExecutionStrategy:
    """The strategy. `n_runners` and `port` are for one that is made here; `port` also for a
    client-server strategy that is given."""
    defaults: dict[str, Any] = {"n_runners": 1 if n_runners is None else n_runners}
    if port is not None:
        defaults["server_port"] = port
    made = build_component(
        spec,
        expected_type=ExecutionStrategy,
        spec_name="strategy",
        default_factory=lambda: ClientServerExecutionStrategy(**defaults),
        optional_defaults=defaults,
        registry=STRATEGIES,
    )
    if port is not None and isinstance(made, ClientServerExecutionStrategy):
        made.server_port = port
    return made


def runner_count(strategy: ExecutionStrategy, asked: int | None) -> int:
    """How many runners there will be: the strategy has the last word."""
    count = getattr(strategy, "n_runners", None)
    if not isinstance(count, int) or count < 1:
        return 1 if asked is None else asked
    if asked is not None and asked != count:
        _log.warning("there will be %d runners, as the strategy says, not %d", count, asked)
    return count


def store(spec: ComponentSpec[LightningStore], strategy: ExecutionStrategy) -> LightningStore:
    """The store; `sqlite:///...` and other URLs will do as well."""
    if isinstance(spec, str) and "://" in spec:
        from agentlightning_compat.opening import open_store

        return open_store(spec)
    served = isinstance(strategy, ClientServerExecutionStrategy)
    return build_component(
        spec,
        expected_type=LightningStore,
        spec_name="store",
        default_factory=lambda: _in_memory(thread_safe=served),
    )


def _in_memory(*, thread_safe: bool) -> LightningStore:
    from agentlightning_compat.store.memory import InMemoryLightningStore

    return InMemoryLightningStore(thread_safe=thread_safe)


def runner_maker(
    spec: ComponentSpec[Runner[Any]], tracer: Tracer, max_rollouts: int | None
) -> Callable[[], Runner[Any]]:
    """What makes a runner; each call another one, unless one is given."""
    defaults: dict[str, Any] = {"tracer": lambda: tracer}
    if max_rollouts is not None:
        defaults["max_rollouts"] = max_rollouts

    def default() -> Runner[Any]:
        from agentlightning_compat.runner.agent import LitAgentRunner

        made: Runner[Any] = instantiate_component(LitAgentRunner, None, defaults)
        return made

    return lambda: build_component(
        spec,
        expected_type=Runner,
        spec_name="runner",
        default_factory=default,
        optional_defaults=defaults,
    )


def llm_proxy(spec: ComponentSpec[Any], store: LightningStore) -> Any | None:
    """The proxy, if there is one.

    Raises:
        TypeError: it has not what a proxy has.
    """
    if isinstance(spec, str | dict):
        arguments = {"store": store, **spec} if isinstance(spec, dict) else spec
        made = instantiate_from_spec(
            arguments, spec_name="llm_proxy", optional_defaults={"store": lambda: store}
        )
    elif isinstance(spec, type):
        made = instantiate_component(spec, None, {"store": lambda: store})
    else:
        made = spec() if callable(spec) else spec
    if made is None:
        return None
    missing = [name for name in _PROXY if not hasattr(made, name)]
    if missing:
        raise TypeError(f"llm_proxy: {type(made).__name__} has no {', '.join(missing)}")
    return made
