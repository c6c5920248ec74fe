"""The arguments that the other tests leave alone; values and names of every kind."""

from __future__ import annotations

import warnings

from opentelemetry.sdk.trace import TracerProvider

from tests.store.stage import ids, refused


async def test_a_rollout_started_with_everything(stage):
    config = stage.names.RolloutConfig(
        timeout_seconds=9.5, max_attempts=3, retry_condition=["failed"]
    )
    made = await stage.store.start_rollout(
        {"q": [1, None, "é"]},
        mode="val",
        resources_id="rs-later",
        config=config,
        metadata={"note": {"deep": True}},
        worker_id="w1",
    )
    assert (made.input, made.mode) == ({"q": [1, None, "é"]}, "val")
    assert (made.resources_id, made.config) == ("rs-later", config)
    assert made.metadata == {"note": {"deep": True}}
    assert made.attempt.worker_id == "w1"
    found = await stage.store.get_rollout_by_id(made.rollout_id)
    assert found.model_dump() == made.model_dump()


async def test_attempts_in_any_order(stage):
    claimed = await stage.claimed()
    stage.clock.advance(1)
    await stage.store.start_attempt(claimed.rollout_id)
    query = stage.store.query_attempts
    for sort_by in ("start_time", "sequence_id"):
        page = await query(claimed.rollout_id, sort_by=sort_by, sort_order="desc", limit=1)
        assert ([item.sequence_id for item in page], page.total) == ([2], 2)
    await refused(query(claimed.rollout_id, sort_by="nothing"))


async def test_pages_of_spans(stage):
    claimed = await stage.claimed()
    for number in (1, 2, 3, 4):
        await stage.add(claimed, number, name=("odd" if number % 2 else "even"))
    page = await stage.store.query_spans(claimed.rollout_id, name="odd", limit=1, offset=1)
    assert ([span.sequence_id for span in page], page.total) == ([3], 2)
    assert (page.limit, page.offset) == (1, 1)


async def test_old_names_of_filters(stage):
    first, second = await stage.store.enqueue_rollout(1), await stage.store.enqueue_rollout(2)
    await stage.store.update_rollout(second.rollout_id, status="failed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ids(await stage.store.query_rollouts(status=["failed"])) == [second.rollout_id]
        found = await stage.store.query_rollouts(rollout_ids=[first.rollout_id])
    assert ids(found) == [first.rollout_id]


async def test_resources_of_every_kind(stage):
    names = stage.names
    given = {
        "plain": names.LLM(
            endpoint="http://h/v1", model="m", api_key="k", sampling_parameters={"temperature": 0.5}
        ),
        "proxied": names.ProxyLLM(endpoint="http://p", model="m2"),
        "prompt": names.PromptTemplate(template="say {what}", engine="f-string"),
    }
    stored = await stage.store.add_resources(given)
    for found in (
        stored,
        await stage.store.get_resources_by_id(stored.resources_id),
        await stage.store.get_latest_resources(),
        (await stage.store.query_resources())[0],
    ):
        assert {k: type(item) for k, item in found.resources.items()} == {
            "plain": names.LLM,
            "proxied": names.ProxyLLM,
            "prompt": names.PromptTemplate,
        }
        assert {k: x.model_dump() for k, x in found.resources.items()} == {
            k: x.model_dump() for k, x in given.items()
        }


async def named(stage, name, part):
    """A resource and a worker of this name are kept and found."""
    llm = {"m": stage.names.LLM(endpoint="http://h", model="m")}
    stored = await stage.store.update_resources(name, llm)
    assert await stage.store.get_resources_by_id(name) == stored
    assert list(await stage.store.query_resources(resources_id=name)) == [stored]
    assert list(await stage.store.query_resources(resources_id_contains=part)) == [stored]
    await stage.store.update_worker(name, {"free": 0.5})
    assert (await stage.store.get_worker_by_id(name)).heartbeat_stats == {"free": 0.5}
    found = await stage.store.query_workers(worker_id_contains=part)
    assert [worker.worker_id for worker in found] == [name]


async def test_names_with_signs_in_them(stage):
    await named(stage, "a+b &=é 文", "b &=é")
    assert list(await stage.store.query_resources(resources_id="")) == []


async def test_names_that_mean_something_in_an_address(stage):
    await named(stage, "a%2f#?b", "f#?")


async def test_a_query_changes_nothing(stage):
    await stage.store.update_resources("only", {})
    await stage.store.query_resources(resources_id="none", limit=1)
    assert [item.resources_id for item in await stage.store.query_resources()] == ["only"]
    assert (await stage.store.get_latest_resources()).resources_id == "only"


async def test_a_span_of_opentelemetry(stage):
    claimed = await stage.claimed()
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    key = (claimed.rollout_id, claimed.attempt.attempt_id)
    numbered = []
    for number in (None, 7, None):
        with tracer.start_as_current_span("step", attributes={"many": [1.5, 2.5]}) as span:
            span.add_event("happened", {"flag": True})
        stored = await stage.store.add_otel_span(*key, span, sequence_id=number)
        numbered.append(stored.sequence_id)
    assert numbered == [1, 7, 8]
    assert await stage.store.add_otel_span(*key, span) is None
    found = (await stage.store.query_spans(*key))[0]
    assert (found.name, list(found.attributes["many"])) == ("step", [1.5, 2.5])
    assert (found.events[0].name, found.events[0].attributes) == ("happened", {"flag": True})
