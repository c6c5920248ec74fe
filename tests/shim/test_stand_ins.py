"""Names that only programs written for agentlightning import."""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from itertools import chain, islice

import pytest

from agentlightning_compat import shim
from agentlightning_compat.model import Attempt, AttemptedRollout, Rollout, RolloutConfig
from agentlightning_compat.shim.table import load

# What nobody is told anything about: inner parts of modules, such as their loggers.
INNER = {
    "logger",
    "P",
    "extract_extra_fields",
    "get_span_processors",
    "to_otel_status_code",
    "DummySpanRecordingContext",
    "OtelSpanRecordingContext",
    "STORE_WRITE_TIMEOUT_SECONDS",
}


@pytest.fixture
def agl():
    assert shim.install("0.3")
    import agentlightning

    yield agentlightning
    shim.uninstall()


@pytest.mark.parametrize("generation", ["0.1", "0.3"])
def test_what_is_not_served_is_inner_or_says_what_to_do(generation):
    names = load(generation)
    untold = set()
    for module, entries in names._modules.items():
        for name, entry in entries.items():
            if entry.target is None and not entry.advice:
                untold.add(f"{module}.{name}")
    assert {path.rpartition(".")[2] for path in untold} <= INNER


def test_public_names_that_are_not_served_are_known(agl):
    absent = {
        name for name, entry in load("0.3")._modules["agentlightning"].items() if not entry[0]
    }
    assert absent == {"APO", "VERL", "LLMProxy", "CollectionBasedLightningStore"}
    with pytest.raises(AttributeError, match="LiteLLM server"):
        _ = agl.LLMProxy


def test_functions_under_other_names(agl):
    from agentlightning.logging import DATE_FORMAT, DEFAULT_FORMAT, setup, setup_module
    from agentlightning.store.base import UNSET, Unset

    assert (agl.setup_logging, agl.setup_module_logging) == (setup, setup_module)
    assert "%(levelname)s" in DEFAULT_FORMAT
    assert "%H" in DATE_FORMAT
    assert isinstance(UNSET, Unset)


def test_types_for_annotations(agl):
    from agentlightning.adapter.triplet import Transition
    from agentlightning.algorithm.decorator import AlgorithmFuncAsyncFull
    from agentlightning.config import CliConfigurable
    from agentlightning.litagent.decorator import LlmRolloutFuncSync2
    from agentlightning.trainer.init_utils import OptionalDefaults
    from agentlightning.utils.server_launcher import LaunchMode

    def mine(task: str, llm: agl.LLM) -> float: ...

    function: LlmRolloutFuncSync2[str] = mine
    assert function is mine
    assert Transition(state=[1], action=[2], response_id=None, agent_name="a", reward=1.0).reward
    assert all([AlgorithmFuncAsyncFull, CliConfigurable, OptionalDefaults, LaunchMode])


def test_values_from_command_lines(agl):
    from agentlightning.config import nullable_float, nullable_int, nullable_str

    for read in (nullable_float, nullable_int, nullable_str):
        assert [read(text) for text in ("None", "null", "~", "NIL")] == [None] * 4
    assert (nullable_float("1.5"), nullable_int("3"), nullable_str("x")) == (1.5, 3, "x")
    for read in (nullable_float, nullable_int):
        with pytest.raises(argparse.ArgumentTypeError, match="'x' is no"):
            read("x")


def test_small_functions(agl):
    from agentlightning.litagent.litagent import is_v0_1_rollout_api
    from agentlightning.types.tracer import convert_timestamp
    from agentlightning.utils.id import generate_id

    assert is_v0_1_rollout_api(lambda task, rollout_id, resources: None)
    assert not is_v0_1_rollout_api(lambda task, resources, rollout: None)
    assert [convert_timestamp(t) for t in (None, 0, 12, 1_700_000_000_500_000_000)] == [
        None,
        None,
        12,
        1_700_000_000.5,
    ]
    assert len({generate_id(12) for _ in range(100)}) == 100
    assert int(generate_id(12), 16) < 16**12


def rollout(status):
    return Rollout(rollout_id="r", input=1, start_time=0.0, status=status)


async def test_rules_of_a_store(agl):
    from agentlightning.store import base
    from agentlightning.store.utils import rollout_status_from_attempt, scan_unhealthy_rollouts

    kinds = {
        status: (base.is_queuing(made), base.is_running(made), base.is_finished(made))
        for status in ("queuing", "requeuing", "preparing", "running", "succeeded", "cancelled")
        for made in [rollout(status)]
    }
    assert list(kinds.values()) == [
        *[(True, False, False)] * 2,
        *[(False, True, False)] * 2,
        *[(False, False, True)] * 2,
    ]
    config = RolloutConfig(
        max_attempts=2, retry_condition=["failed"], timeout_seconds=10, unresponsive_seconds=5
    )

    def attempt(status="running", sequence_id=1, start=0.0, heard=None):
        return Attempt(
            rollout_id="r",
            attempt_id=f"a{start}{heard}",
            sequence_id=sequence_id,
            start_time=start,
            status=status,
            last_heartbeat_time=heard,
        )

    outcomes = {
        ("running", 1): "running",
        ("succeeded", 1): "succeeded",
        ("failed", 1): "requeuing",
        ("failed", 2): "failed",
        ("timeout", 1): "failed",
    }
    for key, status in outcomes.items():
        assert await rollout_status_from_attempt(attempt(*key), config) == status
    far = 1e12
    watched = [
        AttemptedRollout(**rollout("running").model_dump(exclude={"config"}), config=c, attempt=a)
        for c, a in (
            (config, attempt()),
            (config, attempt(start=far)),
            (RolloutConfig(unresponsive_seconds=5), attempt(heard=1.0)),
            (RolloutConfig(unresponsive_seconds=5), attempt(heard=far)),
        )
    ]
    found = await scan_unhealthy_rollouts(watched)
    assert found == {("r", "a0.0None"): "timeout", ("r", "a0.01.0"): "unresponsive"}


def test_batches(agl):
    from agentlightning.algorithm.utils import batch_iter_over_dataset

    data = list("abcde")
    batches = list(islice(batch_iter_over_dataset(data, 2), 5))
    assert {len(set(batch)) for batch in batches} == {2}
    # One that is left over from the first time through may be passed over in the second.
    counts = Counter(chain.from_iterable(batches))
    assert counts.keys() == set(data)
    assert max(counts.values()) <= 3
    for batch in islice(batch_iter_over_dataset(data, 9), 3):
        assert sorted(batch) == data


class Proxy:
    def __init__(self, runs):
        self.runs = runs
        self.calls = []

    def is_running(self):
        return self.runs

    async def start(self):
        self.calls.append("start")

    async def stop(self):
        self.calls.append("stop")


async def test_parts_of_algorithms(agl):
    from agentlightning.algorithm.utils import with_llm_proxy, with_store

    class Mine(agl.Algorithm):
        @with_store
        async def stored(self, store, number, *, more):
            return store, number, more

        @with_llm_proxy()
        async def either(self, proxy, number):
            assert proxy is None or proxy.runs or proxy.calls == ["start"]
            return proxy, number

        @with_llm_proxy(required=True, auto_start=False)
        async def needing(self, proxy):
            return proxy

    mine = Mine()
    store = agl.InMemoryLightningStore()
    mine.set_store(store)
    assert await mine.stored(1, more=2) == (store, 1, 2)
    assert await mine.either(1) == (None, 1)
    with pytest.raises(ValueError, match="LLM proxy"):
        await mine.needing()
    for proxy, calls in ((Proxy(False), ["start", "stop"]), (Proxy(True), [])):
        mine.set_llm_proxy(proxy)
        assert await mine.either(1) == (proxy, 1)
        assert proxy.calls == calls
    assert await mine.needing() is proxy
    assert mine.either.__name__ == "either"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert await mine.either(2) == (proxy, 2)
