"""Values that are handed in or out have nothing more to do with the store."""

from __future__ import annotations


async def test_a_task_is_not_shared(stage):
    task = {"list": [1]}
    metadata = {"list": [1]}
    made = await stage.store.enqueue_rollout(task, metadata=metadata)
    task["list"].append(2)
    metadata["list"].append(2)
    made.input["list"].append(3)
    made.metadata["list"].append(3)
    found = await stage.store.get_rollout_by_id(made.rollout_id)
    assert (found.input, found.metadata) == ({"list": [1]}, {"list": [1]})
    found.input["list"].append(4)
    claimed = await stage.store.dequeue_rollout()
    assert claimed.input == {"list": [1]}


async def test_a_configuration_is_not_shared(stage):
    config = stage.names.RolloutConfig(max_attempts=2, retry_condition=["failed"])
    made = await stage.store.enqueue_rollout(1, config=config)
    config.retry_condition.append("timeout")
    made.config.max_attempts = 9
    found = await stage.store.get_rollout_by_id(made.rollout_id)
    assert (found.config.max_attempts, found.config.retry_condition) == (2, ["failed"])


async def test_what_was_handed_out_does_not_change(stage):
    claimed = await stage.claimed("w")
    worker = await stage.store.get_worker_by_id("w")
    await stage.add(claimed)
    await stage.report(claimed, "succeeded")
    assert (claimed.status, claimed.attempt.status) == ("preparing", "preparing")
    assert worker.status == "busy"


async def test_changing_what_was_handed_out_changes_nothing(stage):
    claimed = await stage.claimed("w")
    claimed.status = "failed"
    claimed.attempt.status = "failed"
    worker = await stage.store.update_worker("w", {"a": [1]})
    worker.heartbeat_stats["a"].append(2)
    attempt = await stage.store.update_attempt(claimed.rollout_id, "latest", metadata={"a": [1]})
    attempt.metadata["a"].append(2)
    assert await stage.status(claimed) == "preparing"
    found = await stage.store.get_latest_attempt(claimed.rollout_id)
    assert (found.status, found.metadata) == ("preparing", {"a": [1]})
    assert (await stage.store.get_worker_by_id("w")).heartbeat_stats == {"a": [1]}


async def test_spans_are_not_shared(stage):
    claimed = await stage.claimed()
    span = stage.span(claimed.rollout_id, claimed.attempt.attempt_id, attributes={"list": [1]})
    await stage.store.add_span(span)
    span.name = "changed"
    span.attributes["list"].append(2)
    (found,) = await stage.store.query_spans(claimed.rollout_id)
    assert (found.name, found.attributes) == ("step", {"list": [1]})
    found.attributes["list"].append(3)
    (again,) = await stage.store.query_spans(claimed.rollout_id)
    assert again.attributes == {"list": [1]}


async def test_resources_are_not_shared(stage):
    resources = {"main": stage.names.LLM(endpoint="http://h", model="m")}
    added = await stage.store.add_resources(resources)
    resources["main"].endpoint = "changed"
    added.resources["main"].endpoint = "changed"
    latest = await stage.store.get_latest_resources()
    assert latest.resources["main"].endpoint == "http://h"
    latest.resources["main"].endpoint = "changed"
    found = await stage.store.get_resources_by_id(added.resources_id)
    assert found.resources["main"].endpoint == "http://h"
