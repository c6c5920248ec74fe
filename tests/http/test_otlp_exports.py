"""Large and rich exports of a real OpenTelemetry exporter."""

from __future__ import annotations

import asyncio
import logging

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult

from agentlightning_compat.http.server import LightningStoreServer
from agentlightning_compat.store.memory import InMemoryLightningStore
from tests.http.exports import ATTEMPT, KINDS, NUMBER, ROLLOUT, place, spans

BOTH = [Compression.NoCompression, Compression.Gzip]


@pytest.fixture
def store():
    return InMemoryLightningStore()


@pytest.fixture
def server(store):
    made = LightningStoreServer(store, port=0)
    asyncio.run(made.start())
    yield made
    asyncio.run(made.stop())


def started(store):
    return asyncio.run(store.start_rollout("task"))


def stored(store, rollout, **query):
    return asyncio.run(store.query_spans(rollout.rollout_id, **query)).items


def export(server, made, compression=Compression.Gzip):
    exporter = OTLPSpanExporter(server.otlp_traces_endpoint(), timeout=60, compression=compression)
    try:
        return exporter.export(made)
    finally:
        exporter.shutdown()


@pytest.mark.parametrize("compression", BOTH)
def test_everything_that_a_span_may_have(server, store, compression):
    rollout = started(store)
    made = spans({**place(rollout), "service.name": "tested"})
    assert export(server, made, compression) is SpanExportResult.SUCCESS
    root, child = stored(store, rollout, sort_by="start_time")
    plain = {k: list(x) if isinstance(x, tuple) else x for k, x in KINDS.items()}
    assert root.attributes == plain
    assert [(event.name, event.attributes) for event in root.events] == [
        ("first", plain),
        ("bare", {}),
    ]
    assert root.events[0].timestamp == 1_700_000_000.1
    assert (root.start_time, root.end_time) == (1_700_000_000.0, 1_700_000_000.5)
    assert (root.status.status_code, child.status.status_code) == ("OK", "ERROR")
    assert child.status.description == "went wrong"
    assert child.events[0].attributes["exception.message"] == "lost"
    assert (root.parent_id, child.parent_id) == (None, root.span_id)
    far, near = child.links
    assert (far.context.trace_id, far.attributes) == (f"{5 << 100:032x}", {"why": "because"})
    assert near.context.span_id == root.span_id
    about = root.resource.attributes
    assert (about["service.name"], about[ROLLOUT]) == ("tested", rollout.rollout_id)


@pytest.mark.parametrize(
    ("count", "compression"), [(10_000, Compression.NoCompression), (1_000, Compression.Gzip)]
)
def test_many_spans_in_an_export(server, store, count, compression):
    rollout = started(store)
    made = spans(place(rollout), [{"n": number} for number in range(count)])
    assert export(server, made, compression) is SpanExportResult.SUCCESS
    page = asyncio.run(store.query_spans(rollout.rollout_id, name_contains="more"))
    assert [span.attributes["n"] for span in page] == list(range(count))
    assert [span.sequence_id for span in page] == list(range(3, count + 3))


def test_an_export_that_comes_again_is_stored_once(server, store):
    rollout = started(store)
    made = spans(place(rollout))
    for _ in range(2):
        assert export(server, made) is SpanExportResult.SUCCESS
    assert len(stored(store, rollout)) == 2


def test_a_span_says_better_than_its_resource_where_it_belongs(server, store):
    first, second = started(store), started(store)
    more = [
        place(second),
        {ROLLOUT: second.rollout_id, ATTEMPT: second.attempt.attempt_id, NUMBER: "9"},
        {NUMBER: 40},
        {NUMBER: "no number"},
    ]
    assert export(server, spans(place(first), more)) is SpanExportResult.SUCCESS
    assert {span.name for span in stored(store, first)} == {"root", "child", "more 2", "more 3"}
    assert [(s.name, s.sequence_id) for s in stored(store, second)] == [
        ("more 0", 1),
        ("more 1", 9),
    ]
    (numbered,) = stored(store, first, name="more 2")
    assert numbered.sequence_id == 40


def test_spans_of_unknown_rollouts_are_told_to_the_exporter(server, store, caplog):
    rollout = started(store)
    caplog.set_level(logging.WARNING)
    more = [{ROLLOUT: "ro-nobody", ATTEMPT: "at-nobody"}] * 2
    assert export(server, spans(place(rollout), more)) is SpanExportResult.SUCCESS
    assert len(stored(store, rollout)) == 2
    # Without any place at all nobody is asked for one: it may be what another library traces.
    assert export(server, spans({})) is SpanExportResult.SUCCESS
    assert len(stored(store, rollout)) == 2
