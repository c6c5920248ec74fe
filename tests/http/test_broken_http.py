"""What is no HTTP, or half of it, is refused or dropped, and the server goes on."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import random

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentlightning_compat.http.app import StoreApp
from agentlightning_compat.http.wire import PREFIX
from agentlightning_compat.store.memory import InMemoryLightningStore
from tests.http.asked import ask
from tests.http.raw import said, statuses
from tests.http.serving import serving

HEALTH = b"GET /v1/agl/health HTTP/1.1\r\nhost: x\r\n"
POST = f"POST {PREFIX}/rollouts HTTP/1.1\r\nhost: x\r\n".encode()
CLOSE = b"connection: close\r\n"
END = b"\r\n"
ROLLOUT = b'{"input": 1}'


@pytest.fixture(scope="module")
def store():
    return InMemoryLightningStore()


@pytest.fixture(scope="module")
def server(store):
    with serving(store, max_body=1 << 20, max_head=1 << 14) as made:
        yield made


@pytest.fixture(autouse=True)
def the_server_goes_on(server, store, caplog):
    yield
    assert statuses(said(server.endpoint, HEALTH + CLOSE + END)) == [200]
    assert asyncio.run(store.statistics())["total_rollouts"] == 0
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


REFUSED = {
    "no HTTP": b"\x00\x01\x02 hello\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(200),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a proxy's verb": b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n",
    "a verb of nobody's": b"BREW / HTTP/1.1\r\nhost: x\r\n\r\n",
    "bytes in the path": b"GET /v1/agl/\xff\xfe HTTP/1.1\r\n\r\n",
    "a blank in the path": b"GET /v1/agl/ health HTTP/1.1\r\n\r\n",
    "a version of nobody's": b"GET / HTTP/9.9\r\n\r\n",
    "a header without a name": HEALTH + b": x\r\n\r\n",
    "a header without a colon": HEALTH + b"hello\r\n\r\n",
    "a zero in a header": HEALTH + b"x: a\0b\r\n\r\n",
    "a folded header": HEALTH + b"x: a\r\n\tb\r\n bad bad: \0\r\n\r\n",
    "a negative length": POST + b"content-length: -1\r\n\r\n" + ROLLOUT,
    "a length in words": POST + b"content-length: ten\r\n\r\n" + ROLLOUT,
    "a length beyond counting": POST + b"content-length: " + b"9" * 30 + b"\r\n\r\n",
    "two lengths": POST + b"content-length: 12\r\ncontent-length: 13\r\n\r\n" + ROLLOUT,
    "length and chunks": POST + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks that are none": POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "a chunk that is longer": POST + b"transfer-encoding: chunked\r\n\r\n2\r\n{}{}{}\r\n0\r\n\r\n",
    "a chunk beyond counting": POST + b"transfer-encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n",
    "a large head": HEALTH + b"x: " + b"a" * (1 << 15) + b"\r\n\r\n",
    "a large chunked body": POST + b"transfer-encoding: chunked\r\n" + CLOSE + END + b"200000\r\n",
    "a large body": POST + b"content-length: 99999999\r\n" + CLOSE + END,
    "packed JSON": POST
    + b"content-encoding: gzip\r\ncontent-length: 32\r\n"
    + CLOSE
    + END
    + gzip.compress(ROLLOUT, mtime=0),
}


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused(server, request_):
    answer = said(server.endpoint, request_, *([b"x" * 0x200000] if b"200000" in request_ else []))
    found = statuses(answer)
    # Where more is sent than was read, the closed connection may be all that is told.
    assert found in ([], [400], [413], [431]), answer
    assert found or b"200000" in request_
    assert b"Traceback" not in answer
    if found:
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "invalid_request"


CUT = [
    b"",
    b"P",
    POST,
    POST + b"content-length: 12\r\n",
    POST + b"content-length: 12\r\n\r\n",
    POST + b"content-length: 12\r\n\r\n" + ROLLOUT[:-1],
    POST + b"content-length: 13\r\n\r\n" + ROLLOUT,
    POST + b"transfer-encoding: chunked\r\n\r\nc\r\n" + ROLLOUT,
    POST + b"transfer-encoding: chunked\r\n\r\nc\r\n" + ROLLOUT + b"\r\n",
    POST + b"transfer-encoding: chunked\r\n\r\nc\r\n" + ROLLOUT + b"\r\n0\r\n",
    POST + b"expect: 100-continue\r\ncontent-length: 12\r\n\r\n",
]


@pytest.mark.parametrize("request_", CUT)
def test_what_is_cut_is_not_done(server, request_):
    assert statuses(said(server.endpoint, request_, cut=True)) in ([], [100])


def test_one_after_the_other_and_each_is_answered(server):
    line = b"GET /v1/agl/rollouts/%d HTTP/1.1\r\nhost: x\r\n\r\n"
    answer = said(server.endpoint, b"".join(line % n for n in range(50)) + HEALTH + CLOSE + END)
    assert statuses(answer) == [200] * 51
    assert answer.count(b"\r\n\r\nnull") == 50


def test_a_request_in_pieces_is_one(server, store):
    whole = f"GET {PREFIX}/rollouts HTTP/1.1\r\nhost: x\r\n".encode() + CLOSE + END
    answer = said(server.endpoint, *(whole[n : n + 1] for n in range(len(whole))))
    assert statuses(answer) == [200]


def test_what_comes_after_a_request_that_was_refused_early_is_no_request(server):
    # The refused body looks like requests; none of it may be taken for one.
    inner = POST + b"content-length: 12\r\n\r\n" + ROLLOUT
    length = b"content-length: %d\r\n\r\n" % (2 << 20)
    body = (inner * (1 + (2 << 20) // len(inner)))[: 2 << 20]
    answer = said(server.endpoint, POST + length, body, HEALTH + CLOSE + END)
    assert statuses(answer) == [413, 200]


@pytest.mark.parametrize("seed", range(20))
def test_requests_with_bytes_that_do_not_belong(server, seed):
    chance = random.Random(seed)
    path = f"{PREFIX}/rollouts/search"
    whole = bytearray(
        f"POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n"
        "content-length: 13\r\n\r\n".encode()
        + b'{"limit": 12}'
    )
    for _ in range(chance.randint(1, 4)):
        whole[chance.randrange(len(whole))] = chance.randrange(256)
    answer = said(server.endpoint, bytes(whole), cut=True)
    assert all(200 <= status < 500 for status in statuses(answer))
    assert b"Traceback" not in answer


def test_a_browsers_socket_is_not_opened(server):
    upgrade = b"upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAA\r\n"
    answer = said(server.endpoint, HEALTH + b"connection: upgrade, close\r\n" + upgrade + END)
    assert statuses(answer) == [200]


# Spans over OTLP


def export():
    message = ExportTraceServiceRequest()
    resource = message.resource_spans.add()
    pair = resource.resource.attributes.add(key="agentlightning.rollout_id")
    pair.value.string_value = "nobody"
    for number in range(3):
        span = resource.scope_spans.add().spans.add(name=f"span {number}")
        span.attributes.add(key="agentlightning.attempt_id").value.string_value = "x"
        nested = span.attributes.add(key="deep").value
        for _ in range(20):
            nested = nested.array_value.values.add()
        nested.int_value = number
    return message.SerializeToString()


@pytest.mark.parametrize("packed", [False, True])
def test_exports_with_bytes_that_do_not_belong(packed, caplog):
    app = StoreApp(InMemoryLightningStore())
    headers = [("content-type", b"application/x-protobuf")]
    whole = gzip.compress(export(), mtime=0) if packed else export()
    headers += [("content-encoding", b"gzip")] if packed else []
    chance = random.Random(7)

    async def send_all():
        for length in range(0, len(whole), 3):
            yield await ask(app, "POST", "/v1/traces", whole[:length], headers=headers)
        for _ in range(400):
            broken = bytearray(whole)
            for _ in range(chance.randint(1, 3)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            yield await ask(app, "POST", "/v1/traces", bytes(broken), headers=headers)

    async def all_of_them():
        return [answer.status async for answer in send_all()]

    found = asyncio.run(all_of_them())
    assert set(found) <= {200, 400, 413}
    assert 400 in found
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("levels", [20, 5000])
async def test_spans_that_are_too_deep_are_refused(levels):
    # An attribute of lists within lists, as a protobuf that nobody but an attacker makes.
    inner = b"\x18\x01"
    for _ in range(levels):
        length = _varint(len(inner))
        inner = b"\x0a" + length + inner  # values of an array
        inner = b"\x2a" + _varint(len(inner)) + inner  # array_value
    pair = b"\x0a\x01x\x12" + _varint(len(inner)) + inner
    span = b"\x4a" + _varint(len(pair)) + pair
    for name in (b"\x12", b"\x12", b"\x0a"):
        span = name + _varint(len(span)) + span
    app = StoreApp(InMemoryLightningStore())
    headers = [("content-type", b"application/x-protobuf")]
    answer = await ask(app, "POST", "/v1/traces", span, headers=headers)
    assert answer.status == (400 if levels > 100 else 200), answer


def _varint(number):
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
