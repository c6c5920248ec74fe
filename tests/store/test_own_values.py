"""Strange values in every place, on every backend: kept as they are, or refused and no trace."""

from __future__ import annotations

from typing import Any

import pytest

from agentlightning_compat.errors import InvalidRequestError, UnstorableValueError
from tests.store.stage import ids


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


def tree() -> dict:
    """Whose children know their parents."""
    root: dict = {"children": []}
    for _ in range(3):
        root["children"].append({"parent": root, "children": []})
    return root


VALUES = {
    "nan": float("nan"),
    "infinity": [float("inf"), float("-inf")],
    "nul": "a\0b",
    "quotes": 'it\'s "x" `y` \\ % _ ; --',
    "4 bytes": "\U0001f680\U0010ffff",
    "half a pair": {"\ud800": "\udfff"},
    "large number": [2**70, -(2**70), 1e308, 5e-324, -0.0],
    "empty": {"": [None, "", [], {}]},
    "low characters": "".join(map(chr, range(32))),
    "deep": nested(100),
}
REFUSED = {"251 deep": nested(250), "10,000 deep": nested(10_000), "a tree": tree()}


async def _input(stage, claimed, value):
    made = await stage.store.enqueue_rollout(value)
    return (await stage.store.get_rollout_by_id(made.rollout_id)).input


async def _metadata(stage, claimed, value):
    made = await stage.store.enqueue_rollout(1, metadata={"v": value})
    return (await stage.store.get_rollout_by_id(made.rollout_id)).metadata["v"]


async def _changed(stage, claimed, value):
    await stage.store.update_rollout(claimed.rollout_id, input=value, status="running")
    return (await stage.store.get_rollout_by_id(claimed.rollout_id)).input


async def _report(stage, claimed, value):
    await stage.report(claimed, "succeeded", metadata={"v": value})
    return (await stage.store.get_latest_attempt(claimed.rollout_id)).metadata["v"]


async def _span(stage, claimed, value):
    await stage.add(claimed, 7, more={"v": value})
    (found,) = await stage.store.query_spans(claimed.rollout_id)
    return found.more["v"]


async def _heartbeat(stage, claimed, value):
    await stage.store.update_worker("w", {"v": value})
    return (await stage.store.get_worker_by_id("w")).heartbeat_stats["v"]


async def _resources(stage, claimed, value):
    llm = stage.names.LLM(endpoint="e", model="m", sampling_parameters={"v": value})
    made = await stage.store.add_resources({"main": llm})
    found = await stage.store.get_resources_by_id(made.resources_id)
    return found.resources["main"].sampling_parameters["v"]


PLACES = {
    function.__name__.strip("_"): function
    for function in (_input, _metadata, _changed, _report, _span, _heartbeat, _resources)
}


async def everything(stage) -> list[Any]:
    """All that there is, as text."""
    store = stage.store
    rollouts = await store.query_rollouts()
    found: list[Any] = [await store.statistics(), rollouts.items]
    for rollout in rollouts:
        found.append((await store.query_attempts(rollout.rollout_id)).items)
        found.append((await store.query_spans(rollout.rollout_id)).items)
    found.append((await store.query_workers()).items)
    found.append((await store.query_resources()).items)
    return [repr(item) for item in found]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", VALUES)
async def test_a_value_is_as_it_was(stage, place, name):
    claimed = await stage.claimed("w")
    assert repr(await PLACES[place](stage, claimed, VALUES[name])) == repr(VALUES[name])


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", REFUSED)
async def test_a_value_that_is_refused_leaves_no_trace(stage, place, name):
    claimed = await stage.claimed("w")
    before = await everything(stage)
    with pytest.raises(InvalidRequestError):
        await PLACES[place](stage, claimed, REFUSED[name])
    assert await everything(stage) == before
    assert await PLACES[place](stage, claimed, 1) == 1


ODD = {
    "quotes": "' or 1=1; --\"`",
    "nul": "\0",
    "nul inside": "a\0\x01\x02b",
    "4 bytes": "\U0001f680",
    "wildcards": "%_*?[a]\\",
    "long": "x" * 5000,
    "spaces": " \n\t",
}


@pytest.mark.parametrize("name", ODD)
async def test_an_id_is_as_it_was(stage, name):
    odd, store = ODD[name], stage.store
    made = await store.enqueue_rollout(1, resources_id=odd)
    claimed = await store.dequeue_rollout(odd)
    assert (claimed.resources_id, claimed.attempt.worker_id) == (odd, odd)
    assert (await store.get_worker_by_id(odd)).current_rollout_id == made.rollout_id
    fields = {"span_id": odd, "trace_id": odd, "parent_id": odd, "name": odd}
    assert await stage.add(claimed, 1, **fields) is not None
    assert await stage.add(claimed, 1, **fields) is None
    for field in fields:
        for how in (field, f"{field}_contains"):
            assert len(await store.query_spans(made.rollout_id, **{how: odd})) == 1
            assert len(await store.query_spans(made.rollout_id, **{how: odd + "x"})) == 0
    await store.update_resources(odd, {odd: stage.names.LLM(endpoint=odd, model=odd)})
    assert (await store.get_latest_resources()).resources_id == odd
    assert await store.get_rollout_by_id(odd) is None
    assert list(await store.query_rollouts(rollout_id_in=[odd])) == []
    assert list(await store.query_rollouts(rollout_id_contains=odd)) == []
    assert ids(await store.query_rollouts(rollout_id_in=[odd, made.rollout_id])) == ids([made])
    assert await store.wait_for_rollouts(rollout_ids=[odd], timeout=0) == []


async def test_half_a_pair_as_an_id_is_kept_or_refused(stage):
    half, store = "w\ud800", stage.store
    claimed = await stage.claimed("w")
    before = await everything(stage)
    llm = stage.names.LLM(endpoint="e", model="m")
    calls = {
        "worker": lambda: store.update_worker(half, {}),
        "claim": lambda: store.dequeue_rollout(half),
        "start": lambda: store.start_rollout(1, worker_id=half),
        "report": lambda: stage.report(claimed, "succeeded", worker_id=half),
        "resources": lambda: store.update_resources(half, {"main": llm}),
        "name": lambda: stage.add(claimed, 1, name=half),
        "span": lambda: stage.add(claimed, 2, span_id=half),
        "many": lambda: store.enqueue_many_rollouts(
            [{"input": 1}, {"input": 2, "resources_id": half}]
        ),
    }
    kept = {name: await done(call()) for name, call in calls.items()}
    if not any(kept.values()):
        assert await everything(stage) == before
    assert len(set(kept.values())) == 1
    for look in (store.get_rollout_by_id, store.get_resources_by_id, store.get_latest_attempt):
        assert await done(look("\udc00")) is all(kept.values())


async def done(call) -> bool:
    """Whether the value was taken; if not, it was refused."""
    try:
        await call
    except UnstorableValueError:
        return False
    return True


@pytest.mark.parametrize("place", ["input", "metadata", "span", "report"])
async def test_ten_megabytes(stage, place):
    claimed = await stage.claimed("w")
    text = "\u00fc" * 5_000_000
    assert await PLACES[place](stage, claimed, text) == text


async def test_a_clock_that_goes_back_changes_no_order(stage):
    made = []
    for number in range(3):
        made.append(await stage.store.enqueue_rollout(number))
        stage.clock.advance(-1000)
    assert ids(await stage.store.query_rollouts()) == ids(made)
    claimed = [await stage.store.dequeue_rollout("w") for _ in made]
    assert ids(claimed) == ids(made)
    for item in claimed:
        stage.clock.advance(-10)
        await stage.add(item)
        await stage.report(item, "succeeded")
    found = await stage.store.wait_for_rollouts(rollout_ids=ids(made), timeout=0)
    assert ids(found) == ids(made)
    assert (await stage.store.get_worker_by_id("w")).status == "idle"
