"""Which pages a browser lets use the server."""

from __future__ import annotations

import urllib.request

import pytest

from agentlightning_compat.errors import InvalidRequestError
from agentlightning_compat.http.app import StoreApp
from agentlightning_compat.http.origins import CrossOrigin, named
from agentlightning_compat.http.wire import PREFIX
from agentlightning_compat.store.memory import InMemoryLightningStore
from tests.http.asked import ask
from tests.http.serving import serving

PAGE = b"https://example.org"
SEARCH = f"{PREFIX}/rollouts/search"


def of(*origins, token=None):
    app = StoreApp(InMemoryLightningStore(), token=token)
    return CrossOrigin(app, named(origins)) if origins else app


def told(answer):
    return {k: v for k, v in answer.headers.items() if k.startswith("access-control-")}


@pytest.mark.parametrize("verb", ["GET", "OPTIONS", "POST"])
async def test_nobody_is_let_in_by_default(verb):
    headers = [("origin", PAGE), ("access-control-request-method", b"POST")]
    assert told(await ask(of(), verb, SEARCH, headers=headers)) == {}


async def test_browsers_ask_before_they_send_a_token():
    headers = [
        ("origin", PAGE),
        ("access-control-request-method", b"POST"),
        ("access-control-request-headers", b"authorization,content-type"),
    ]
    answer = await ask(of(PAGE.decode(), token="x"), "OPTIONS", SEARCH, headers=headers)
    assert (answer.status, answer.body) == (204, b"")
    found = told(answer)
    assert found["access-control-allow-origin"] == PAGE.decode()
    assert found["access-control-allow-headers"] == "authorization,content-type"
    assert "POST" in found["access-control-allow-methods"]
    assert found["access-control-allow-credentials"] == "true"
    assert answer.headers["vary"] == "origin"


async def test_then_they_may_read_the_answer():
    app = of(PAGE.decode(), token="x")
    headers = [("origin", PAGE), ("authorization", b"Bearer x"), ("sec-fetch-site", b"cross-site")]
    answer = await ask(app, "POST", SEARCH, {}, headers=headers)
    assert (answer.status, answer.json["total"]) == (200, 0)
    assert told(answer)["access-control-allow-origin"] == PAGE.decode()
    refused = await ask(app, "POST", SEARCH, {}, headers=[("origin", PAGE)])
    assert (refused.status, bool(told(refused))) == (401, True)


@pytest.mark.parametrize(
    "origin", [b"https://example.org.evil.net", b"http://example.org", b"null"]
)
async def test_others_may_not(origin):
    headers = [("origin", origin), ("access-control-request-method", b"POST")]
    app = of(PAGE.decode())
    for verb in ("OPTIONS", "GET", "POST"):
        assert told(await ask(app, verb, SEARCH, headers=headers)) == {}


async def test_any_may_without_credentials():
    answer = await ask(of("*"), "GET", f"{PREFIX}/rollouts", headers=[("origin", PAGE)])
    found = told(answer)
    assert found["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in found


@pytest.mark.parametrize("site", [b"cross-site", b"same-site"])
async def test_a_page_elsewhere_cannot_write_without_being_asked(site):
    # A form or a plain text body goes out without asking; nothing may come of it.
    store = InMemoryLightningStore()
    headers = [("origin", PAGE), ("sec-fetch-site", site), ("content-type", b"text/plain")]
    body = {"rollouts": [{"input": 1}]}
    path = f"{PREFIX}/queues/rollouts/enqueue"
    answer = await ask(StoreApp(store), "POST", path, body, headers=headers)
    assert (answer.status, answer.json["code"]) == (403, "unauthorized")
    assert (await store.statistics())["total_rollouts"] == 0
    own = [("origin", b"http://127.0.0.1:4747"), ("sec-fetch-site", b"same-origin")]
    assert (await ask(StoreApp(store), "POST", path, body, headers=own)).status == 201


@pytest.mark.parametrize("wrong", ["example.org", "https://", "https://example.org/path", "://x"])
def test_what_is_no_origin_is_refused(wrong):
    with pytest.raises(InvalidRequestError, match="is no origin"):
        named([wrong])


def test_origins_as_0_3_takes_them():
    assert named(None) == named([]) == named("") == frozenset()
    assert named(" https://example.org/ ") == named(["https://example.org", ""])
    assert named("*") == {"*"}


def test_a_server_lets_in_who_is_named():
    store = InMemoryLightningStore()
    with serving(store, cors_allow_origins="https://example.org") as server:
        request = urllib.request.Request(
            f"{server.endpoint}{PREFIX}/statistics", headers={"Origin": "https://example.org"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.headers["access-control-allow-origin"] == "https://example.org"
