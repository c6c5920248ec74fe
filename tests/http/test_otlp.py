"""Spans over OTLP: from a real exporter, and by hand."""

from __future__ import annotations

import asyncio
import gzip
import urllib.error
import urllib.request

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, Status, StatusCode

from agentlightning_compat.http.server import LightningStoreServer
from agentlightning_compat.store.memory import InMemoryLightningStore


@pytest.fixture
def store():
    return InMemoryLightningStore()


@pytest.fixture
def server(store):
    made = LightningStoreServer(store, port=0)
    asyncio.run(made.start())
    yield made
    asyncio.run(made.stop())


def post(server, body, path="/v1/traces", **headers):
    headers = {"Content-Type": "application/x-protobuf", **headers}
    request = urllib.request.Request(server.endpoint + path, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def proto_span(name, span_id, **attributes):
    span = ProtoSpan(trace_id=b"\1" * 16, span_id=bytes([span_id] * 8), name=name)
    for key, value in attributes.items():
        span.attributes.add(key=f"agentlightning.{key}").value.string_value = value
    return span


def request_of(*spans):
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])]
    )


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_spans_of_an_exporter_are_those_of_the_sdk(server, store, compression):
    rollout = asyncio.run(store.start_rollout("task"))
    ids = {
        "agentlightning.rollout_id": rollout.rollout_id,
        "agentlightning.attempt_id": rollout.attempt.attempt_id,
    }
    provider = TracerProvider(resource=Resource.create(ids), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(server.otlp_traces_endpoint(), compression=compression)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("parent", attributes={"a": 1, "b": [1.5, 2.5]}) as parent:
        parent.add_event("happened", {"what": "this"})
        with tracer.start_as_current_span(
            "child", links=[Link(parent.get_span_context())]
        ) as child:
            child.set_status(Status(StatusCode.ERROR, "went wrong"))
    provider.shutdown()
    spans = asyncio.run(store.query_spans(rollout.rollout_id)).items
    assert [(span.name, span.sequence_id) for span in spans] == [("child", 1), ("parent", 2)]
    first, second = spans
    assert first.parent_id == second.span_id == f"{parent.get_span_context().span_id:016x}"
    assert (first.status.status_code, first.status.description) == ("ERROR", "went wrong")
    assert first.links[0].context.span_id == second.span_id
    assert (second.attributes["a"], list(second.attributes["b"])) == (1, [1.5, 2.5])
    assert second.events[0].name == "happened"
    assert second.events[0].attributes == {"what": "this"}
    assert second.start_time == pytest.approx(parent.start_time / 1e9)
    assert second.resource.attributes["agentlightning.rollout_id"] == rollout.rollout_id


def test_a_span_without_a_place_keeps_no_other_out(server, store):
    rollout = asyncio.run(store.start_rollout("task"))
    place = {"rollout_id": rollout.rollout_id, "attempt_id": rollout.attempt.attempt_id}
    body = request_of(
        proto_span("stray", 1, rollout_id="ro-nobody", attempt_id="at-nobody"),
        proto_span("homeless", 2),
        proto_span("numbered", 3, span_sequence_id="7", **place),
        proto_span("bad number", 4, span_sequence_id="-3", **place),
    )
    status, answer = post(server, body.SerializeToString())
    partial = ExportTraceServiceResponse.FromString(answer).partial_success
    assert (status, partial.rejected_spans) == (200, 1)
    assert "ro-nobody" in partial.error_message
    stored = asyncio.run(store.query_spans(rollout.rollout_id, sort_by="name")).items
    assert [span.name for span in stored] == ["bad number", "numbered"]
    assert stored[1].sequence_id == 7
    assert stored[0].sequence_id > 0


def test_attributes_that_are_no_simple_values(server, store):
    rollout = asyncio.run(store.start_rollout("task"))
    place = {"rollout_id": rollout.rollout_id, "attempt_id": rollout.attempt.attempt_id}
    span = proto_span("odd", 1, **place)
    inner = span.attributes.add(key="map").value.kvlist_value.values.add(key="x")
    inner.value.int_value = 3
    span.attributes.add(key="raw").value.bytes_value = b"\xab\xcd"
    mixed = span.attributes.add(key="mixed").value.array_value
    mixed.values.add().int_value = 1
    mixed.values.add().string_value = "a"
    span.attributes.add(key="nothing")
    assert post(server, request_of(span).SerializeToString())[0] == 200
    (stored,) = asyncio.run(store.query_spans(rollout.rollout_id)).items
    kept = {k: x for k, x in stored.attributes.items() if not k.startswith("agentlightning.")}
    assert kept == {"map.x": 3, "raw": "abcd", "mixed": '[1, "a"]'}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 200),
        (b"\xff\xff", {}, 400),
        (b"", {"Content-Type": "application/json"}, 400),
        (b"no gzip", {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b"")[:-4], {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b""), {"Content-Encoding": "gzip"}, 200),
        (gzip.compress(bytes(129 << 20), 1), {"Content-Encoding": "gzip"}, 413),
        (gzip.compress(b"") * 2, {"Content-Encoding": "gzip"}, 400),
    ],
    ids=["empty", "no protobuf", "json", "no gzip", "cut gzip", "empty gzip", "bomb", "more"],
)
def test_what_is_no_export_is_refused(server, body, headers, status):
    assert post(server, body, **headers)[0] == status


def test_answers_are_packed_for_who_asks(server):
    status, answer = post(server, b"\xff", **{"Accept-Encoding": "gzip"})
    assert (status, b"no export of spans" in gzip.decompress(answer)) == (400, True)


@pytest.mark.parametrize("path", ["/v1/metrics", "/v1/logs", "/v1/development/profiles"])
def test_the_rest_of_otlp_is_not_kept(server, path):
    assert post(server, b"", path)[0] == 501
