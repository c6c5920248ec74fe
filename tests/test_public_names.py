"""Every public name of agentlightning 0.3.0 is here, or says what to do without it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import agentlightning_compat as agl
from agentlightning_compat.absent import ABSENT
from tests.oracles import run_in_oracle

NAMES = """
Adapter TraceAdapter OtelTraceAdapter TraceToTripletBase TracerTraceToTriplet
LlmProxyTraceToTriplet TraceToMessages
Algorithm algo FastAlgorithm Baseline APO VERL
AgentLightningClient DevTaskLoader AgentLightningServer
lightning_cli
reward operation emit_reward get_reward_value get_rewards_from_span is_reward_span
find_reward_spans find_final_reward emit_message emit_object emit_exception emit_annotation
get_message_value get_object_value
LightningEnvVar resolve_bool_env_var resolve_int_env_var resolve_str_env_var
ExecutionStrategy ClientServerExecutionStrategy SharedMemoryExecutionStrategy ExecutionEvent
ThreadingEvent MultiprocessingEvent
LitAgent rollout llm_rollout prompt_rollout
LLMProxy
configure_logger setup_logging setup_module_logging
Runner LegacyAgentRunner LitAgentRunner
LightningStore LightningStoreCapabilities LightningStoreStatistics LightningStoreClient
LightningStoreServer InMemoryLightningStore CollectionBasedLightningStore LightningStoreThreaded
Tracer AgentOpsTracer OtelTracer DummyTracer get_active_tracer set_active_tracer
clear_active_tracer
Trainer build_component
Triplet RolloutLegacy Task TaskInput TaskIfAny RolloutRawResultLegacy RolloutRawResult RolloutMode
GenericResponse ParallelWorkerBase Dataset AttemptStatus RolloutStatus RolloutConfig Rollout
Attempt AttemptedRollout EnqueueRolloutRequest Hook Worker WorkerStatus PaginatedResult
FilterOptions SortOptions FilterField
Resource LLM ProxyLLM PromptTemplate ResourceUnion NamedResources ResourcesUpdate
AttributeValue Attributes TraceState SpanContext TraceStatus Event Link OtelResource Span
SpanNames SpanAttributeNames SpanLike StatusCode SpanCoreFields SpanRecordingContext
""".split()

# What is still to come. Once it is here, it is taken off.
TO_COME = {
    "AgentLightningClient",
    "AgentLightningServer",
    "DevTaskLoader",
    "LegacyAgentRunner",
    "LightningStoreClient",
    "LightningStoreServer",
} - set(agl.__all__)

READ_PARAMETERS = """
import inspect, json, sys
import agentlightning as agl

def parameters(value):
    if isinstance(value, type) and issubclass(value, (dict, str)):
        return None
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    found = []
    for parameter in signature.parameters.values():
        default = parameter.default
        empty = default is inspect.Parameter.empty
        found.append([parameter.name, parameter.kind.name, None if empty else repr(default)])
    return found

def public(cls):
    return sorted(
        name for name, value in inspect.getmembers(cls)
        if not name.startswith("_") and inspect.isroutine(value)
        and any(base.__module__.startswith(ROOT) for base in cls.__mro__ if name in vars(base))
    )

def read(names):
    found = {}
    for name in names:
        value = getattr(agl, name)
        if not callable(value) or not getattr(value, "__module__", "").startswith(ROOT):
            continue
        if inspect.isclass(value) and issubclass(value, Exception):
            continue
        found[name] = parameters(value)
        if isinstance(value, type):
            for method in public(value):
                found[f"{name}.{method}"] = parameters(getattr(value, method))
    return found
"""


def test_the_list_is_that_of_the_release() -> None:
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", sorted(set(NAMES) - TO_COME - set(ABSENT)))
def test_a_name_is_here(name) -> None:
    assert getattr(agl, name) is not None
    assert name in agl.__all__
    assert name in dir(agl)


@pytest.mark.parametrize("name", sorted(ABSENT))
def test_a_name_that_is_not_here_says_what_to_do(name) -> None:
    with pytest.raises(ImportError, match=f"agentlightning_compat has no {name}: .{{60,}}"):
        getattr(agl, name)
    assert name not in agl.__all__
    statement = f"from agentlightning_compat import {name}"
    done = subprocess.run(
        [sys.executable, "-c", statement], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert ABSENT[name][:40] in done.stderr


def test_only_names_of_the_release_are_to_come() -> None:
    assert set(NAMES) >= TO_COME


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = agl.Nonsense
    assert not hasattr(agl, "Nonsense")


def test_the_import_loads_nothing_heavy() -> None:
    program = """
import sys
import agentlightning_compat
from agentlightning_compat import LitAgent, LitAgentRunner, InMemoryLightningStore, Trainer
Trainer(tracer="agentlightning.DummyTracer", strategy="shm")
heavy = {"opentelemetry", "aiohttp", "rich", "psutil", "asyncpg", "agentops", "libcst", "uvicorn"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.stdout) == ("", "[]\n")


# Parameters that differ from those of 0.3.0, each with its reason.
_WAIT = "A claim can wait in the store for work."
_MODEL = "The real one is a model that hides its fields behind **data."
_UNUSED = "Takes what ParallelWorkerBase's has, so that a subclass may hand on what it is given."
_DATA = "The migration guide writes train_data and val_data."
_INSIDE = "A step of init_worker() and teardown_worker(), not to be called."
_NO_STORE = "Inherited there from a class whose methods raise, since it has no store."
_TOKEN = "Who may use the server can be restricted."
DIFFERENT = {
    "AgentLightningServer": "The store can be given.",
    "AgentOpsTracer.init_worker": _UNUSED,
    "AgentOpsTracer.instrument": _INSIDE,
    "AgentOpsTracer.teardown_worker": _UNUSED,
    "AgentOpsTracer.uninstrument": _INSIDE,
    "AttemptedRollout": _MODEL,
    "AttemptedRollout.check_consistency": "A validator of pydantic's, not to be called.",
    "Baseline.run": "The real one shows what a decorator passes; callers give the datasets only.",
    "DummyTracer.init_worker": _UNUSED,
    "EnqueueRolloutRequest": _MODEL,
    "InMemoryLightningStore": "The clock can be given, for tests.",
    "InMemoryLightningStore.dequeue_many_rollouts": _WAIT,
    "InMemoryLightningStore.dequeue_rollout": _WAIT,
    "InMemoryLightningStore.query_spans": "Named as in the contract instead of **kwargs.",
    "InMemoryLightningStore.wait_for_rollout": "No part of the contract: wait_for_rollouts is.",
    "LegacyAgentRunner": "Runs several tasks at once, and keeps results that could not be sent.",
    "LegacyAgentRunner.run_context": _NO_STORE,
    "LegacyAgentRunner.step": _NO_STORE,
    "LightningStore.dequeue_many_rollouts": _WAIT,
    "LightningStore.dequeue_rollout": _WAIT,
    "LightningStoreClient": _TOKEN,
    "LightningStoreClient.dequeue_many_rollouts": _WAIT,
    "LightningStoreClient.dequeue_rollout": _WAIT,
    "LightningStoreServer": _TOKEN,
    "LightningStoreServer.dequeue_many_rollouts": _WAIT,
    "LightningStoreServer.dequeue_rollout": _WAIT,
    "LightningStoreThreaded.dequeue_many_rollouts": _WAIT,
    "LightningStoreThreaded.dequeue_rollout": _WAIT,
    "LitAgentRunner": "Runs several rollouts at once, and ends hooks that hang.",
    "OtelTracer.init_worker": _UNUSED,
    "OtelTracer.teardown_worker": _UNUSED,
    "ProxyLLM.get_base_url": "Both may be left out, as the real one's own callers do with None.",
    "ProxyLLM.model_post_init": "A step of pydantic's, not to be called.",
    "Rollout": _MODEL,
    "RolloutLegacy": _MODEL,
    "Tracer.init_worker": _UNUSED,
    "Trainer.dev": _DATA,
    "Trainer.fit": _DATA,
    "Trainer.init": _UNUSED,
    "Trainer.teardown": _UNUSED,
}


@pytest.mark.oracle
def test_signatures_are_those_of_the_release() -> None:
    names = sorted(set(NAMES) - TO_COME - set(ABSENT))
    reading = f"ROOT = 'agentlightning'\n{READ_PARAMETERS}\n"
    theirs = run_in_oracle("0.3.0", f"{reading}answer(read(json.load(sys.stdin)))", names)
    here: dict[str, Any] = {"ROOT": "agentlightning_compat"}
    exec(READ_PARAMETERS.replace("agentlightning as agl", "agentlightning_compat as agl"), here)
    ours = here["read"](names)
    assert len(theirs) > 200
    wrong = {name for name, wanted in theirs.items() if ours.get(name) != wanted}
    assert wrong == {name for name in DIFFERENT if name.partition(".")[0] in names}
