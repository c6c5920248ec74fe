"""The page at `/` as files: who gets them, and with which headers. Browsers look at it elsewhere."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import agentlightning_compat
from agentlightning_compat.errors import UnsupportedError
from agentlightning_compat.http import calls, client, page_files
from agentlightning_compat.http.client import LightningStoreClient
from agentlightning_compat.legacy.asgi import LegacyApp
from agentlightning_compat.legacy.routes import LegacyRoutes
from agentlightning_compat.model import EnqueueRolloutRequest
from agentlightning_compat.store.base import LightningStore
from agentlightning_compat.store.memory import InMemoryLightningStore
from agentlightning_compat.store.sqlite import SqliteLightningStore
from tests.http.page_server import PageServer
from tests.http.served import Served

FOLDER = Path(agentlightning_compat.__file__).parent / "http" / "page"


@pytest.fixture(scope="module")
def server():
    made = PageServer(token="secret")
    yield made
    made.close()


def get(server, path, verb="GET", **headers):
    """Status, headers and body, as any client is told."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(server.url + path, method=verb, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_the_page_comes_without_a_token_and_the_data_does_not(server):
    status, headers, body = get(server, "/")
    assert status == 200
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert body == (FOLDER / "index.html").read_bytes()
    status, _, body = get(server, "/v1/agl/rollouts")
    assert (status, json.loads(body)["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_every_file_is_served_with_its_kind_and_kept_to_itself(server, path):
    kinds = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
    where = "/" if path.name == "index.html" else f"/page/{path.name}"
    status, headers, body = get(server, where)
    assert (status, body) == (200, path.read_bytes())
    wanted = kinds.get(path.suffix, "image/svg+xml")
    assert headers["content-type"].split(";")[0] == wanted
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy


def test_what_a_browser_has_is_not_sent_again(server):
    _, headers, _ = get(server, "/page/page.js")
    tag = headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        status, headers, body = get(server, "/page/page.js", if_none_match=known)
        assert (status, headers["etag"], body) == (304, tag, b"")
    assert get(server, "/page/page.js", if_none_match='"other"')[0] == 200
    assert get(server, "/page/page.css")[1]["etag"] != tag


def test_head_is_get_without_the_body(server):
    status, headers, body = get(server, "/", "HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) == (FOLDER / "index.html").stat().st_size


@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_the_page_is_only_read(server, verb):
    status, headers, _ = get(server, "/", verb)
    assert (status, headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    [
        "/page/",
        "/page/nothing.js",
        "/page/index.html",
        "/page/../page_files.py",
        "/page/%2e%2e/app.py",
        "/page/..%2fapp.py",
        "/page/page.js/",
        "/page/page.js%00",
    ],
)
def test_nothing_but_the_files_is_below_page(server, path):
    status, _, body = get(server, path)
    assert (status, body) == (404, b"there is no such file\n")


def test_other_paths_are_left_to_the_server(server):
    assert get(server, "/pages")[0] == 401
    assert get(server, "/pages", authorization="Bearer secret")[0] == 404
    assert get(server, "/index.html", authorization="Bearer secret")[0] == 404


def test_the_page_stands_beside_the_legacy_routes():
    made = PageServer()
    made.app = LegacyApp(LegacyRoutes(made.store, 300.0), made.app)
    with made.away():
        pass
    assert get(made, "/")[0] == 200
    status, _, body = get(made, "/task")
    assert (status, json.loads(body)["is_available"]) == (200, False)
    made.close()


def test_nothing_is_loaded_from_elsewhere_and_no_text_becomes_markup():
    found = [path for path in FOLDER.iterdir() if path.suffix in (".js", ".html", ".css")]
    assert len(found) > 8
    for path in found:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://|@import|url\(", text), path
        assert not re.search(r"(inner|outer)HTML|insertAdjacentHTML|document\.write|eval\(", text)
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|<style|\sstyle=", text), path


def test_the_files_name_each_other_and_no_others():
    index = (FOLDER / "index.html").read_text(encoding="utf-8")
    named = set(re.findall(r'(?:href|src)="page/([^"]+)"', index))
    for path in FOLDER.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        named |= set(re.findall(r'from "\./([^"]+)"', text))
    assert named | {"index.html"} == {path.name for path in FOLDER.iterdir()}
    assert set(page_files._files()) == {"/", *(f"/page/{name}" for name in named)}


MODES = ("train", "val", "test", None)


def opened(kind, folder):
    """A store of a kind."""
    if kind == "sqlite":
        return SqliteLightningStore(folder / "store.db")
    store = InMemoryLightningStore()
    return Served(store) if kind == "another server" else store


@pytest.mark.parametrize("kind", ["memory", "sqlite", "another server"])
async def test_rollouts_by_mode(kind, tmp_path):
    async with opened(kind, tmp_path) as store:
        new = [EnqueueRolloutRequest(input=n, mode=MODES[n % 4]) for n in range(12)]
        await store.enqueue_many_rollouts(new)
        await store.dequeue_many_rollouts(limit=2)

        async def asked(**fields):
            page = await calls.query_rollouts(store, calls.Parts(body=fields))
            return page.total, [item.input for item in page.items]

        assert await asked(mode_in=["val"]) == (3, [1, 5, 9])
        assert await asked(mode_in=["val", "test"], limit=2, offset=1) == (6, [2, 5])
        assert await asked(mode_in=["val"], status_in=["queuing"]) == (2, [5, 9])
        assert await asked(mode_in=["val"], sort_by="start_time", limit=0) == (3, [])
        assert await asked(mode_in=["val"], rollout_id_contains="no such id") == (0, [])
        assert await asked(mode_in=[]) == (0, [])
        parts = calls.Parts(query={"mode_in": ["train", "test"], "limit": ["1"]})
        page = await calls.query_rollouts(store, parts)
        assert (page.total, page.items[0].input) == (6, 0)


async def test_a_mode_is_not_silently_left_out(monkeypatch):
    """By servers that do not know it, and by stores that have nothing but the methods of 0.3."""
    parts = calls.Parts(body={"mode_in": ["val"]})
    monkeypatch.setattr(client, "FEATURES", ("spans", "hold", "keys"))
    async with Served(InMemoryLightningStore()) as store:
        assert isinstance(store, LightningStoreClient)
        with pytest.raises(UnsupportedError, match="by mode"):
            await calls.query_rollouts(store, parts)

    class Methods(LightningStore):
        pass

    for other in (Methods(), object()):
        with pytest.raises(UnsupportedError):
            await calls.query_rollouts(other, parts)
