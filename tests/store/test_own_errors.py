"""The same typed errors on every backend, and nothing half done."""

from __future__ import annotations

import warnings

import pytest
from pydantic import create_model

from agentlightning_compat import errors
from tests.store.stage import refused


async def test_unknown_ids_are_told_apart(stage):
    store = stage.store
    queued = await store.enqueue_rollout(1)
    key = queued.rollout_id
    await refused(store.update_rollout("x", status="failed"), errors.RolloutNotFoundError)
    await refused(store.start_attempt("x"), errors.RolloutNotFoundError)
    await refused(store.update_attempt("x", "latest"), errors.RolloutNotFoundError)
    await refused(store.update_attempt(key, "latest"), errors.AttemptNotFoundError)
    await refused(store.add_span(stage.span("x", "y")), errors.RolloutNotFoundError)
    await refused(store.add_span(stage.span(key, "y")), errors.AttemptNotFoundError)
    await refused(store.get_next_span_sequence_id("x", "y"), errors.RolloutNotFoundError)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("enqueue_rollout", {"input": 1, "mode": "play"}),
        ("enqueue_rollout", {"input": 1, "metadata": [1]}),
        ("enqueue_rollout", {"input": 1, "config": {"max_attempts": 0}}),
        ("enqueue_rollout", {"input": 1, "resources_id": 3}),
        ("enqueue_many_rollouts", {"rollouts": [{"no": "input"}]}),
        ("start_rollout", {"input": 1, "worker_id": 7}),
        ("dequeue_rollout", {"worker_id": 7}),
        ("dequeue_rollout", {"wait": "long"}),
        ("dequeue_rollout", {"wait": float("nan")}),
        ("dequeue_many_rollouts", {"limit": "all"}),
        ("query_rollouts", {"status_in": "queuing"}),
        ("query_rollouts", {"sort_by": "input"}),
        ("query_spans", {"rollout_id": "r", "sort_by": "attributes"}),
        ("query_workers", {"status_in": ["asleep"]}),
        ("query_resources", {"limit": -5}),
        ("query_attempts", {"rollout_id": None}),
        ("get_rollout_by_id", {"rollout_id": 1}),
        ("add_span", {"span": {"name": "x"}}),
        ("add_resources", {"resources": {"a": {"resource_type": "gpu"}}}),
        ("add_resources", {"resources": None}),
        ("update_worker", {"worker_id": "w", "heartbeat_stats": None}),
        ("update_worker", {"worker_id": "w", "heartbeat_stats": 3}),
        ("wait_for_rollouts", {"rollout_ids": [1]}),
        ("wait_for_rollouts", {"rollout_ids": ["a"], "timeout": "soon"}),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)
async def test_arguments_without_meaning(stage, method, arguments):
    await refused(getattr(stage.store, method)(**arguments), errors.InvalidRequestError)
    statistics = await stage.store.statistics()
    assert not any(value for key, value in statistics.items() if key in TOTALS)


TOTALS = ("total_rollouts", "total_resources", "total_workers", "total_spans")


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "lost"},
        {"status": None},
        {"mode": "play"},
        {"config": None},
        {"metadata": "x"},
        {"resources_id": 4},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_changes_without_meaning(stage, changes):
    made = await stage.store.enqueue_rollout(1)
    await refused(
        stage.store.update_rollout(made.rollout_id, input="new", **changes),
        errors.InvalidRequestError,
    )
    assert await stage.store.get_rollout_by_id(made.rollout_id) == made


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "lost"},
        {"worker_id": None},
        {"last_heartbeat_time": "now"},
        {"last_heartbeat_time": float("nan")},
        {"last_heartbeat_time": -(10**400)},
        {"last_heartbeat_time": True},
        {"metadata": 3},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_reports_without_meaning(stage, changes):
    claimed = await stage.claimed()
    call = stage.store.update_attempt(claimed.rollout_id, "latest", **changes)
    await refused(call, errors.InvalidRequestError)
    assert await stage.store.get_latest_attempt(claimed.rollout_id) == claimed.attempt


async def test_old_names_of_filters_warn(stage):
    made = await stage.store.enqueue_rollout(1)
    with pytest.warns(DeprecationWarning, match="status_in"):
        page = await stage.store.query_rollouts(status=["queuing"])
    assert [item.rollout_id for item in page] == [made.rollout_id]
    with pytest.warns(DeprecationWarning, match="rollout_id_in"):
        page = await stage.store.query_rollouts(rollout_ids=["x"], rollout_id_in=[made.rollout_id])
    assert len(page) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await stage.store.query_rollouts(status_in=["queuing"])


async def test_values_of_another_package_will_do(stage):
    names = stage.names

    fields = {
        key: (item.annotation, item) for key, item in names.RolloutConfig.model_fields.items()
    }
    config = create_model("RolloutConfig", **fields)(max_attempts=3)
    made = await stage.store.enqueue_rollout(1, config=config)
    assert type(made.config) is names.RolloutConfig
    assert made.config.max_attempts == 3
    made = await stage.store.enqueue_many_rollouts([{"input": 2, "mode": "test"}])
    assert made[0].mode == "test"


async def test_strange_ids_and_values(stage):
    odd = 'it\'s "\u0000" \U0001f680 \\ % _ ; --'
    made = await stage.store.enqueue_rollout(
        {odd: [odd, 2**53, -0.5, None, True]}, metadata={odd: odd}, resources_id=odd
    )
    claimed = await stage.store.dequeue_rollout(odd)
    assert claimed.input == made.input == {odd: [odd, 2**53, -0.5, None, True]}
    assert claimed.metadata == {odd: odd}
    span = stage.span(
        claimed.rollout_id, claimed.attempt.attempt_id, span_id=odd, name=odd, attributes={odd: odd}
    )
    assert await stage.store.add_span(span) == span
    assert await stage.store.add_span(span) is None
    (found,) = await stage.store.query_spans(claimed.rollout_id, name_contains='"\u0000"')
    assert found == span
    page = await stage.store.query_workers(worker_id_contains="' or 1=1 --")
    assert list(page) == []
    assert (await stage.store.get_worker_by_id(odd)).current_rollout_id == made.rollout_id
    llm = names_llm(stage, odd)
    await stage.store.update_resources(odd, {odd: llm})
    assert (await stage.store.get_resources_by_id(odd)).resources == {odd: llm}


def names_llm(stage, text):
    return stage.names.LLM(endpoint=text, model=text)


async def test_a_large_payload(stage):
    text = "x" * 10_000_000
    made = await stage.store.enqueue_rollout({"text": text})
    found = await stage.store.get_rollout_by_id(made.rollout_id)
    assert found.input == {"text": text}


async def test_numbers_that_json_does_not_know_are_kept_or_refused(stage):
    strange = {"inf": float("inf"), "nan": float("nan")}
    try:
        made = await stage.store.enqueue_rollout(strange)
    except errors.UnstorableValueError:
        assert (await stage.store.statistics())["total_rollouts"] == 0
        return
    found = await stage.store.get_rollout_by_id(made.rollout_id)
    assert found.input["inf"] == float("inf")
    assert found.input["nan"] != found.input["nan"]


async def test_a_value_that_is_too_deep_is_refused(stage):
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    await refused(stage.store.enqueue_rollout(deep), errors.UnstorableValueError)
    assert (await stage.store.statistics())["total_rollouts"] == 0
