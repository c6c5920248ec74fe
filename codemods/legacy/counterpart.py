"""Where agentlightning_compat has what agentlightning 0.3.0 has under a path."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from codemods import api_map
from codemods.context import FileContext
from codemods.legacy.dotted import Target, judge
from codemods.legacy.generation import ONLY_LEGACY
from codemods.names.scopes import Binding

_OURS: Target = "agentlightning_compat"
# Top-level names of 0.3.0 of which legacy code had no use, so that the map has no rows for them.
_NEW_NAMES = frozenset(
    """
    Adapter Attempt AttemptedRollout CollectionBasedLightningStore Dataset DummyTracer
    EnqueueRolloutRequest Event ExecutionEvent ExecutionStrategy FastAlgorithm FilterField
    LightningEnvVar LightningStoreCapabilities LightningStoreStatistics LightningStoreThreaded
    Link LlmProxyTraceToTriplet MultiprocessingEvent OtelResource OtelTraceAdapter
    PaginatedResult ProxyLLM Rollout RolloutConfig RolloutRawResult Runner
    SharedMemoryExecutionStrategy SortOptions Span SpanContext SpanCoreFields
    SpanRecordingContext ThreadingEvent TraceAdapter TraceToMessages TraceToTripletBase
    TracerTraceToTriplet Worker algo build_component clear_active_tracer emit_annotation
    get_active_tracer get_message_value get_object_value get_rewards_from_span llm_rollout
    operation prompt_rollout resolve_bool_env_var resolve_int_env_var resolve_str_env_var
    rollout set_active_tracer setup_logging setup_module_logging
    """.split()
)
_PACKAGES = ("adapter", "algorithm", "emitter", "execution", "store")


def counterpart(path: str) -> str | None:
    """The path in agentlightning_compat, for a name or a module that 0.3.0 has; None if unknown."""
    api = api_map.load()
    parent, _, name = path.rpartition(".")
    if (
        name in _NEW_NAMES
        and path not in ONLY_LEGACY
        and not parent.startswith("agentlightning.verl")
    ):
        return f"{_OURS}.{name}"
    if path in api.modules:
        return api.modules[path].replacement[_OURS]
    row = api.lookup(path)
    if row is not None:
        return row.replacement[_OURS]
    ours = _OURS + path.removeprefix("agentlightning")
    return ours if ours in _modules() else None


@lru_cache(maxsize=1)
def _modules() -> frozenset[str]:
    """The modules that replacements are in."""
    kinds = ("class", "function", "constant", "type")
    paths = [r.replacement[_OURS] for r in api_map.load().symbols if r.kind in kinds]
    found = {path.rpartition(".")[0] for path in paths if path is not None}
    return frozenset(found | {f"{_OURS}.{package}" for package in _PACKAGES})


def settled(path: str) -> bool:
    """Whether rules for moved, renamed and removed names see to a path."""
    name = path.rpartition(".")[2]
    today = name in _NEW_NAMES and path not in ONLY_LEGACY
    return not today and judge(path, "agentlightning_compat") is not None


class Use:
    """One dotted name that begins with an imported module."""

    def __init__(self, name: ast.Name, ctx: FileContext) -> None:
        self.name = name
        self.part, self.path, self.new = _longest(name, ctx)

    @property
    def keeps_its_tail(self) -> bool:
        """Whether only the package at the head has to change."""
        return self.new == _OURS + self.path.removeprefix("agentlightning")


def _longest(name: ast.Name, ctx: FileContext) -> tuple[ast.expr, str, str | None]:
    """The longest part of the dotted name with a counterpart, its path, and the counterpart."""
    current: ast.expr = name
    best: tuple[ast.expr, str, str | None] = (name, ctx.written(name) or "", None)
    while isinstance(outer := ctx.parent(current), ast.Attribute) and outer.value is current:
        current, path = outer, ctx.written(outer) or ""
        row = api_map.load().lookup(path)
        new = counterpart(path)
        member = row is not None and row.kind in ("method", "attribute", "parameter")
        if member or (new is None and not settled(path) and not _is_module(best[1])):
            break
        best = (current, path, new)
    return best


def _is_module(path: str) -> bool:
    ours = _OURS + path.removeprefix("agentlightning")
    return path in api_map.load().modules or ours in _modules()


def uses(binding: Binding, ctx: FileContext) -> Iterator[Use]:
    """The reads of a name that an `import` statement binds."""
    for name in ctx.module.names.get(binding.name, ()):
        if isinstance(name.ctx, ast.Load):
            bindings = ctx.module.scope(name).lookup(name.id)
            if any(b.node is binding.node for b in bindings):
                yield Use(name, ctx)
