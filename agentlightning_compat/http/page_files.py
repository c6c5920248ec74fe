"""The page at `/` for people who watch: static files, which hold no data themselves.

What the page shows it asks the store's own routes for, with the token that somebody gives it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_FOLDER = Path(__file__).parent / "page"
_BELOW = "/page/"
_KINDS = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}
# Ids and inputs may come from anywhere. The page makes text of them; should it ever fail to, the
# browser still runs nothing and asks nobody else for anything.
_POLICY = (
    b"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none';"
    b" frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_ALWAYS = [
    # Kept, but asked about each time: files of two releases do not mix.
    (b"cache-control", b"no-cache"),
    (b"content-security-policy", _POLICY),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


class _File(NamedTuple):
    body: bytes
    kind: bytes
    tag: bytes


@cache
def _files() -> Mapping[str, _File]:
    """The files by the paths they are served at: nothing else can be asked for."""
    found = {}
    for path in _FOLDER.iterdir():
        kind = _KINDS.get(path.suffix)
        if kind is not None:
            body = path.read_bytes()
            tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode()
            name = "/" if path.name == "index.html" else f"{_BELOW}{path.name}"
            found[name] = _File(body, kind, tag)
    return found


def serves(path: str) -> bool:
    """Whether a path is the page's."""
    return path == "/" or path.startswith(_BELOW)


async def answer(verb: str, path: str, asked: Mapping[bytes, bytes], send: Send) -> None:
    """Send a file, or why not; `asked` are the headers of the request."""
    file = _files().get(path)
    if file is None:
        await _send(send, 404, verb, [(b"content-type", b"text/plain")], b"there is no such file\n")
    elif verb not in ("GET", "HEAD"):
        allowed = [(b"allow", b"GET, HEAD"), (b"content-type", b"text/plain")]
        await _send(send, 405, verb, allowed, b"this is only read\n")
    elif _has(asked.get(b"if-none-match", b""), file.tag):
        await send({"type": "http.response.start", "status": 304, "headers": _about(file)})
        await send({"type": "http.response.body", "body": b""})
    else:
        kind = (b"content-type", file.kind)
        await _send(send, 200, verb, [kind, *_about(file)], file.body)


def _about(file: _File) -> Headers:
    return [(b"etag", file.tag), *_ALWAYS]


def _has(listed: bytes, tag: bytes) -> bool:
    tags = [item.strip().removeprefix(b"W/") for item in listed.split(b",")]
    return tag in tags or b"*" in tags


async def _send(send: Send, status: int, verb: str, headers: Headers, body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": b"" if verb == "HEAD" else body})
