"""The table of deliberate differences is complete, and what no other test shows of it."""

from __future__ import annotations

from importlib import import_module

import pytest

from agentlightning_compat import InMemoryLightningStore, LightningStoreThreaded
from codemods import reference
from tests.store.differences import DIFFERENCES, SHOWN_HERE
from tests.store.stage import refused

ROWS = {row["name"]: row for row in reference.differences()}


def test_every_difference_has_a_row_and_every_row_a_test():
    told = {name for name, row in ROWS.items() if row["area"] == "store"}
    assert told == {*DIFFERENCES.values(), *SHOWN_HERE.values()}


@pytest.mark.parametrize("test", [*DIFFERENCES, *SHOWN_HERE])
def test_the_tests_of_differences_exist(test):
    module, _, name = test.partition(".")
    assert callable(getattr(import_module(f"tests.store.{module}"), name))


async def test_a_refused_span_takes_no_number(stage):
    claimed = await stage.claimed()
    await refused(stage.store.add_span(stage.span(claimed.rollout_id, "at-nobody", 40)))
    key = (claimed.rollout_id, claimed.attempt.attempt_id)
    assert await stage.store.get_next_span_sequence_id(*key) == 1


async def test_what_goes_on_has_no_end(stage):
    claimed = await stage.claimed()
    await stage.report(claimed, "succeeded")
    ended = await stage.store.get_rollout_by_id(claimed.rollout_id)
    assert None not in (ended.end_time, ended.attempt.end_time)
    await stage.report(claimed, "running")
    again = await stage.store.get_rollout_by_id(claimed.rollout_id)
    assert (again.end_time, again.attempt.end_time) == (None, None)
    await stage.store.update_rollout(claimed.rollout_id, status="failed")
    queued = await stage.store.update_rollout(claimed.rollout_id, status="queuing")
    assert queued.end_time is None


async def test_the_wrapper_passes_everything_on():
    class Traced(InMemoryLightningStore):
        def otlp_traces_endpoint(self) -> str:
            return "http://here/v1/traces"

    store = Traced()
    safe = LightningStoreThreaded(store)
    await store.update_worker("first")
    await store.dequeue_rollout("second")
    asked = {"status_in": ["idle"], "worker_id_contains": "first"}
    both = await safe.query_workers(**asked, filter_logic="or")
    assert [worker.worker_id for worker in both] == ["first", "second"]
    assert len(await safe.query_workers(**asked, filter_logic="and")) == 0
    assert safe.otlp_traces_endpoint() == "http://here/v1/traces"
