"""Requests over the client's own sockets, and what servers may do to them."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agentlightning_compat.http import direct
from agentlightning_compat.http.connections import Request, UnreachableError, asked
from tests.http.scripted import PATIENCE, Answer, Scripted, plain


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """What is idle is used again, however long this machine took meanwhile."""
    monkeypatch.setattr(direct, "_IDLE", PATIENCE)


ROOT = Path(__file__).resolve().parents[2]


def request(url, body=b"{}", *, timeout=PATIENCE, again=False, path="/v1/agl/health"):
    verb = "GET" if body is None else "POST"
    headers = {"content-type": "application/json"}
    return Request(verb, f"{url}{path}", body, headers, timeout, PATIENCE, again)


def test_loops_and_threads_share_connections():
    with Scripted(*[plain(b"%d" % n) for n in range(3)]) as server:
        found = [asyncio.run(asked(request(server.url))) for _ in range(2)]
        thread = threading.Thread(
            target=lambda: found.append(asyncio.run(asked(request(server.url))))
        )
        thread.start()
        thread.join()
        assert found == [(200, b"0"), (200, b"1"), (200, b"2")]
        assert len(server.connections) == 1


async def test_what_is_sent():
    with Scripted(plain(b""), plain(b"")) as server:
        await asked(request(server.url, b'{"a":1}', path="/v1/agl/workers/a%20b?x=1"))
        await asked(request(server.url, None))
    host = server.url.removeprefix("http://").encode()
    assert server.requests == [
        b"POST /v1/agl/workers/a%20b?x=1 HTTP/1.1\r\nhost: " + host + b"\r\n"
        b'content-type: application/json\r\ncontent-length: 7\r\n\r\n{"a":1}',
        b"GET /v1/agl/health HTTP/1.1\r\nhost: " + host + b"\r\n"
        b"content-type: application/json\r\n\r\n",
    ]


_HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        Answer([b"HTTP/1.1 200 ", b"OK\r\ncontent-", b"length: 5\r\n\r\nhe", b"llo"]),
        Answer(
            [_HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n", b"3\r\nllo\r\n0\r\n\r\n"]
        ),
        Answer([_HEAD + b"\r\nhe", b"llo"], close=True),
        Answer([b"HTTP/1.1 100 Continue\r\n\r\n", _HEAD + b"content-length: 5\r\n\r\nhello"]),
        Answer([_HEAD + b"connection: close\r\ncontent-length: 5\r\n\r\nhello"], close=True),
    ],
    ids=["pieces", "chunks", "until it closes", "a hint first", "says that it closes"],
)
async def test_answers_of_any_shape(answer):
    with Scripted(answer, plain(b"next")) as server:
        assert await asked(request(server.url)) == (200, b"hello")
        assert await asked(request(server.url, again=True)) == (200, b"next")


@pytest.mark.parametrize(
    "answer",
    [
        Answer([_HEAD + b"content-length: 5\r\n\r\nhe"], close=True),
        Answer([_HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n"], close=True),
        Answer([_HEAD + b"content-le"], close=True),
        Answer([], close=True),
        Answer([b"SSH-2.0-OpenSSH_9.6\r\n"]),
    ],
    ids=["half a body", "half of the chunks", "half a head", "nothing", "no HTTP"],
)
async def test_what_is_no_answer(answer):
    with Scripted(answer) as server:
        with pytest.raises(ConnectionError):
            await asked(request(server.url, again=True))
        assert len(server.requests) == 1


async def test_what_a_server_says_beyond_its_answer_is_no_answer_to_the_next_request():
    twice = Answer([2 * (_HEAD + b"content-length: 3\r\n\r\none")])
    with Scripted(twice, plain(b"two")) as server:
        assert await asked(request(server.url)) == (200, b"one")
        assert await asked(request(server.url)) == (200, b"two")
        assert len(server.connections) == 2


async def test_a_connection_that_the_server_closed_meanwhile_is_replaced():
    with Scripted(plain(b"one", close=True), plain(b"two")) as server:
        assert await asked(request(server.url, again=True)) == (200, b"one")
        assert await asked(request(server.url, again=True)) == (200, b"two")
        assert len(server.connections) == 2


async def test_what_may_have_arrived_is_sent_again_only_if_it_does_no_harm():
    answers = [plain(b"one"), Answer([], close=True), plain(b"two"), Answer([], close=True)]
    with Scripted(*answers) as server:
        assert await asked(request(server.url)) == (200, b"one")
        assert await asked(request(server.url, again=True)) == (200, b"two")
        assert len(server.requests) == 3
        with pytest.raises(ConnectionError):
            await asked(request(server.url, again=False))
        assert len(server.requests) == 4


async def test_an_answer_that_does_not_come_in_time():
    with Scripted(Answer([_HEAD]), plain(b"next")) as server:
        with pytest.raises(TimeoutError):
            await asked(request(server.url, timeout=0.1))
        assert await asyncio.to_thread(server.ended.acquire, timeout=PATIENCE)
        assert await asked(request(server.url)) == (200, b"next")


async def test_a_call_that_is_cancelled_closes_its_connection():
    with Scripted(Answer([_HEAD]), plain(b"next")) as server:
        asking = asyncio.ensure_future(asked(request(server.url)))
        while not server.requests:  # it is under way then
            await asyncio.sleep(0.001)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await asyncio.to_thread(server.ended.acquire, timeout=PATIENCE)
        assert await asked(request(server.url)) == (200, b"next")


async def test_a_large_request_that_is_refused_before_it_was_read():
    refused = Answer([b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno"], read_body=False)
    with Scripted(refused, plain(b"next")) as server:
        assert await asked(request(server.url, b"x" * (64 << 20))) == (413, b"no")
        server.read_on.set()
        assert await asyncio.to_thread(server.ended.acquire, timeout=PATIENCE)


async def test_a_large_request_arrives_whole():
    with Scripted(plain(b"one"), plain(b"two")) as server:
        body = bytes(range(256)) * 4096
        assert await asked(request(server.url, body)) == (200, b"one")
        assert server.requests[0].endswith(b"\r\n\r\n" + body)
        assert await asked(request(server.url)) == (200, b"two")
        assert len(server.connections) == 1


async def test_nobody_listens():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # so that nobody else is given it
        with pytest.raises(UnreachableError):
            await asked(request(f"http://127.0.0.1:{silent.getsockname()[1]}"))
    with pytest.raises(UnreachableError):
        await asked(request("http://nobody.invalid:1"))


_FORKING = """
import asyncio, os, sys
from agentlightning_compat.http import direct
from agentlightning_compat.http.connections import Request, asked

def ask():
    return asyncio.run(asked(Request("POST", sys.argv[1], b"{}", {}, 60.0, 60.0)))

assert ask() == (200, b"0")
child = os.fork()
if child == 0:
    os._exit(0 if ask() == (200, b"1") else 1)
assert os.waitpid(child, 0)[1] == 0
assert ask() == (200, b"2")
"""


def test_a_forked_child_has_connections_of_its_own():
    with Scripted(*[plain(b"%d" % n) for n in range(3)]) as server:
        subprocess.run(
            [sys.executable, "-W", "error", "-c", _FORKING, f"{server.url}/"],
            check=True,
            cwd=ROOT,
            timeout=PATIENCE,
        )
        assert len(server.connections) in (2, 3)  # 3 if the child took longer than idle ones live
