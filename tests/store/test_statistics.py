"""What a store says of itself."""

from __future__ import annotations


async def test_totals(stage):
    claimed = await stage.claimed("w")
    await stage.store.enqueue_rollout(2)
    await stage.store.start_attempt(claimed.rollout_id)
    for number in (1, 2, 2):
        await stage.add(claimed, number)
    llm = stage.names.LLM(endpoint="http://h", model="m")
    await stage.store.add_resources({"main": llm})
    stage.clock.advance(30)
    statistics = await stage.store.statistics()
    totals = {key: value for key, value in statistics.items() if key.startswith("total_")}
    totals.pop("total_span_bytes", None)
    assert totals == {
        "total_rollouts": 2,
        "total_attempts": 2,
        "total_spans": 2,
        "total_resources": 1,
        "total_workers": 1,
    }
    behind = getattr(stage.store, "behind", stage.store)
    assert statistics["name"] == type(behind).__name__
    assert statistics["uptime"] >= 30


async def test_capabilities(stage):
    assert set(stage.store.capabilities) == {
        "thread_safe",
        "async_safe",
        "zero_copy",
        "otlp_traces",
    }
    assert stage.store.capabilities["async_safe"]


async def test_no_address_for_traces(stage):
    try:
        address = stage.store.otlp_traces_endpoint()
    except NotImplementedError:
        assert not stage.store.capabilities["otlp_traces"]
    else:
        assert address.endswith("/v1/traces")
