"""The same OTLP exports to the real server and to ours: the same spans in the store."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from agentlightning_compat import LightningStoreClient
from tests.http.exports import ATTEMPT, NUMBER, ROLLOUT, place, spans
from tests.http.real.peers import OurServer

pytestmark = pytest.mark.oracle


@pytest.fixture(scope="module")
def our_peer():
    server = OurServer()
    yield server.peer
    server.close()


def post(url, body):
    request = urllib.request.Request(f"{url}/v1/traces", data=body.SerializeToString())
    request.add_header("content-type", "application/x-protobuf")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


async def kept(peer, make):
    """The answer to an export for a new rollout, and its spans as they were stored."""
    peer.wheel.reset()
    client = LightningStoreClient(peer.url)
    rollout = await client.start_rollout("task")
    status = post(peer.url, make(rollout))
    found = [span.model_dump() for span in await client.query_spans(rollout.rollout_id)]
    for span in found:
        for key in ("rollout_id", "attempt_id"):
            span[key] = key
        for attributes in (span["attributes"], span["resource"]["attributes"]):
            for key in (ROLLOUT, ATTEMPT):
                attributes.pop(key, None)
    (after,) = await client.query_rollouts()
    return status, found, (after.status, after.attempt.last_heartbeat_time)


@pytest.fixture
def both(real_peer, our_peer):
    async def compare(make):
        return await kept(real_peer, make), await kept(our_peer, make)

    return compare


def encoded(more=(), about=None):
    """A maker of exports of the same spans, each time for another rollout."""
    made = spans({"service.name": "tested", **(about or {})}, more)
    body = encode_spans(made)

    def make(rollout):
        copy = type(body).FromString(body.SerializeToString())
        for key, value in place(rollout).items():
            for part in copy.resource_spans:
                part.resource.attributes.add(key=key).value.string_value = value
        return copy

    return make


async def test_rich_spans(both):
    real, ours = await both(encoded())
    assert real == ours
    assert (real[0], len(real[1])) == (200, 2)
    assert real[2][0] == "running"


async def test_numbers_of_spans(both):
    more = [{NUMBER: "12"}, {NUMBER: 5}, {NUMBER: "-4"}, {NUMBER: "none"}, {NUMBER: 5}]
    real, ours = await both(encoded(more))
    assert real == ours
    assert sorted(span["sequence_id"] for span in real[1]) == [1, 2, 3, 4, 5, 5, 12]


async def test_ids_of_another_length_and_spans_without_times(both):
    make = encoded()

    def odd(rollout):
        body = make(rollout)
        for span in body.resource_spans[0].scope_spans[0].spans:
            span.trace_id = span.trace_id[:4]
            span.parent_span_id = b""
            span.end_time_unix_nano = 0
            span.status.Clear()
        return body

    real, ours = await both(odd)
    assert real == ours
    assert {span["end_time"] for span in real[1]} == {None}


async def test_spans_that_say_no_rollout_are_left_out(both):
    def homeless(rollout):
        body = encode_spans(spans({}, [place(rollout)]))
        body.resource_spans[0].scope_spans[0].spans[2].span_id = b"\1" * 8
        return body

    (status, real, _), (_, ours, _) = await both(homeless)
    assert ([span["name"] for span in real], status) == (["more 0"], 200)
    assert [span["name"] for span in ours] == ["more 0"]


async def test_an_unknown_rollout_fails_the_whole_export_there_and_nothing_else_here(both):
    more = [{ROLLOUT: "ro-nobody", ATTEMPT: "at-nobody"}]
    (status, _, _), (ours, found, _) = await both(encoded(more))
    assert (status, ours) == (500, 200)
    assert [span["name"] for span in found] == ["root", "child"]


async def test_attributes_that_no_sdk_makes_fail_there_and_are_kept_here(both):
    make = encoded()

    def odd(rollout):
        body = make(rollout)
        values = body.resource_spans[0].scope_spans[0].spans[0].attributes
        inner = values.add(key="map").value.kvlist_value.values.add(key="x")
        inner.value.int_value = 3
        values.add(key="nothing")
        return body

    (status, real, _), (ours, found, _) = await both(odd)
    assert (status, real, ours) == (500, [], 200)
    assert found[0]["attributes"]["map.x"] == 3


async def test_raw_bytes(both):
    make = encoded()

    def raw(rollout):
        body = make(rollout)
        values = body.resource_spans[0].scope_spans[0].spans[0].attributes
        values.add(key="raw").value.bytes_value = b"\xab\xcd"
        return body

    real, ours = await both(raw)
    assert real == ours
    assert real[1][0]["attributes"]["raw"] == "abcd"


async def test_empty_exports(both):
    real, ours = await both(lambda rollout: encode_spans([]))
    assert real == ours
    assert real[:2] == (200, [])
