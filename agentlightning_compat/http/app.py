"""The store server as an ASGI application, built from the table of operations."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from pydantic import ValidationError

from agentlightning_compat.errors import (
    CompatError,
    InternalError,
    InvalidRequestError,
    StoreUnavailableError,
)
from agentlightning_compat.http import calls, otlp, page_files, paging, repeating
from agentlightning_compat.http.bodies import CutShortError, Receive, Scope, Send, body_of
from agentlightning_compat.http.calls import Parts
from agentlightning_compat.http.checking import whole
from agentlightning_compat.http.limits import DEFAULT, Limits
from agentlightning_compat.http.paging import PAGES
from agentlightning_compat.http.refusals import failure, invalid, refusal, wrong_verb
from agentlightning_compat.http.replies import Asked, Replies, Reply
from agentlightning_compat.http.routes import NotAllowed, Routes, query_of
from agentlightning_compat.http.values import decoded, dumped, encoded
from agentlightning_compat.http.wire import (
    CLAIM,
    DOCUMENTS,
    FEATURES,
    GIVE_UP,
    HEALTH,
    KEY,
    LONGEST_KEY,
    PREFIX,
    Operation,
)
from agentlightning_compat.store.base import LightningStore
from agentlightning_compat.store.once import Once

_log = logging.getLogger(__name__)
_requests = logging.getLogger("agentlightning_compat.http.requests")

_JSON = (b"content-type", b"application/json")
_KEY = KEY.encode()
# What browsers say of requests that are made by a page of somebody else's.
FOREIGN = frozenset({b"cross-site", b"same-site"})
_READING = frozenset({"GET", "HEAD"})
_HOLDING = frozenset({calls.dequeue, calls.wait})


def path_of(scope: Scope) -> str:
    """The path of a request, still quoted."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.split(b"?")[0].decode("latin-1")


class StoreApp:
    """Answers the routes of `wire` over a store; other paths are left to `other`.

    With a `token`, requests without it (`Authorization: Bearer ...`) are refused, but for
    `/v1/agl/health`. `limits` is what one request may ask for.
    """

    def __init__(
        self,
        store: LightningStore,
        *,
        token: str | None = None,
        other: Any = None,
        limits: Limits = DEFAULT,
    ) -> None:
        self._store = store
        self._token = None if token is None else f"Bearer {token}".encode()
        self._other = other
        self._limits = limits
        self._routes = Routes()
        self._replies = Replies()
        self._held: set[asyncio.Future[Reply]] = set()

    @property
    def guarded(self) -> bool:
        """Whether a token is needed."""
        return self._token is not None

    @property
    def store(self) -> LightningStore:
        """What is served."""
        return self._store

    @property
    def held(self) -> int:
        """How many requests wait for something."""
        return len(self._held)

    def drop_held(self) -> None:
        """Have those who wait for something come again: this server ends."""
        for task in self._held:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            with suppress(CutShortError):
                await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = path_of(scope)
        headers = dict(scope["headers"])
        if page_files.serves(path):  # without a token: it is where one is asked for
            await page_files.answer(scope["method"], path, headers, send)
        elif path != HEALTH and not self.lets_in(headers):
            await _send(send, refusal(401, "a token is needed here", "unauthorized"))
        elif headers.get(b"sec-fetch-site") in FOREIGN and scope["method"] not in _READING:
            await _send(send, refusal(403, "pages of other sites change nothing", "unauthorized"))
        elif path == HEALTH or path in DOCUMENTS:
            await _send(send, _shown(scope["method"], path, self.guarded))
        elif path in otlp.OTHERS or path == otlp.TRACES:
            await self._otlp(scope, path, headers, receive, send)
        elif path.startswith(f"{PREFIX}/"):
            reply = await self._answer(scope, path.removeprefix(PREFIX), headers, receive)
            _requests.debug("%s %s %s", scope["method"], path, reply.status)
            await _send(send, reply)
        elif self._other is not None:
            await self._other(scope, receive, send)
        else:
            await _send(send, refusal(404, f"there is nothing at {path}", "not_found"))

    async def _otlp(
        self, scope: Scope, path: str, headers: dict[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        body = await body_of(headers, receive, self._limits.body)
        if scope["method"] != "POST":
            await _send(send, wrong_verb(f"{path} takes POST", "POST"))
            return
        if path in otlp.OTHERS:
            answer = otlp.refusal(501, f"{path}: only spans are kept here")
        elif body is None:
            answer = otlp.refusal(413, f"a body has at most {self._limits.body} bytes")
        else:
            kind = headers.get(b"content-type", b"").decode("latin-1")
            encoding = headers.get(b"content-encoding", b"").decode("latin-1")
            answer = await otlp.export(self._store, kind, encoding, body, self._limits.body)
        _requests.debug("POST %s %s", path, answer.status)
        data, packed = otlp.packed(
            headers.get(b"accept-encoding", b"").decode("latin-1"), answer.body
        )
        kinds = [(b"content-type", otlp.PROTOBUF.encode())]
        if packed:
            kinds.append((b"content-encoding", b"gzip"))
        await _send(send, Reply(answer.status, data), kinds)

    def lets_in(self, headers: dict[bytes, bytes]) -> bool:
        """Whether a request has the token that is needed."""
        if self._token is None:
            return True
        return hmac.compare_digest(headers.get(b"authorization", b""), self._token)

    async def _answer(
        self, scope: Scope, path: str, headers: dict[bytes, bytes], receive: Receive
    ) -> Reply:
        body = await body_of(headers, receive, self._limits.body)
        if body is None:
            return refusal(413, f"a body has at most {self._limits.body} bytes", "invalid_request")
        try:
            if path == GIVE_UP and scope["method"] == "POST":
                return await self._given_up(body)
            operation, names = self._routes.find(scope["method"], path)
            asked = scope.get("query_string", b"").decode("latin-1")
            parts = Parts(names, query_of(asked) if asked else {}, self._read(body))
            parts.follows = PAGES in headers
            return await self._done(operation, parts, headers, (path, hash(body)), receive)
        except NotAllowed as error:
            return wrong_verb(str(error), error.allowed)
        except CompatError as error:
            return failure(error)

    def _read(self, body: bytes) -> Any:
        found = decoded(body)
        self._limits.check_depth(body, found)
        self._limits.check_batch(found)
        return found

    async def _done(
        self,
        operation: Operation,
        parts: Parts,
        headers: dict[bytes, bytes],
        asked: Asked,
        receive: Receive,
    ) -> Reply:
        held = _is_held(operation, parts)
        if held and len(self._held) >= self._limits.held:
            held = False
            parts.body = {**parts.body, "wait": 0, "timeout": 0}
        key = headers.get(_KEY, b"").decode("latin-1") if operation.writes else ""
        once = repeating.once_of(key, headers) if key else None
        act = partial(self._perform, operation, parts, once)
        if len(key) > LONGEST_KEY:
            raise InvalidRequestError(f"{KEY} has at most {LONGEST_KEY} characters")
        task = self._replies.once(key, asked, act) if key else asyncio.ensure_future(act())
        if not held:
            return await asyncio.shield(task)
        gone = asyncio.ensure_future(receive())
        self._held.add(task)
        try:
            await asyncio.wait([task, gone], return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                task.cancel()  # what it was about to claim goes to somebody else
                await asyncio.wait([task])
            if task.cancelled():
                return failure(StoreUnavailableError("nobody is waited for any more"))
            return task.result()
        finally:
            self._held.discard(task)
            gone.cancel()
            await asyncio.wait([gone])

    async def _given_up(self, body: bytes) -> Reply:
        fields = self._read(body)
        key = fields.get("key") if isinstance(fields, dict) else None
        if not isinstance(key, str) or len(key) > LONGEST_KEY:
            raise InvalidRequestError("key is text, not too long, and has to be there")
        limit = min(whole(fields.get("limit", 1), "limit"), self._limits.batch)
        return await self._replies.give_up(key, CLAIM, partial(self._claims_of, key, limit))

    async def _claims_of(self, key: str, limit: int) -> Reply:
        try:
            found = await repeating.claims_of(self._store, key, limit)
        except CompatError as error:
            return failure(error)
        return Reply(200, encoded(dumped(found)))

    async def _perform(self, operation: Operation, parts: Parts, once: Once | None) -> Reply:
        act = partial(paging.bounded, operation.call, self._store, parts, self._limits)
        try:
            result = await repeating.acted(act, once)
            return Reply(operation.status, encoded(dumped(result)))
        except CompatError as error:
            return failure(error)
        except ValidationError as error:
            return invalid(error)
        except (TypeError, ValueError, KeyError) as error:
            # A store of somebody else's, or a field of the wrong kind.
            # What it says may be from the payload; the client is told.
            _log.warning("%s %s: %s", operation.verb, operation.path, type(error).__name__)
            return refusal(400, str(error), "invalid_request")
        except Exception:
            _log.exception("%s %s failed", operation.verb, operation.path)
            return failure(InternalError("the server failed; its log says why"))


def _is_held(operation: Operation, parts: Parts) -> bool:
    if operation.call not in _HOLDING or not isinstance(parts.body, dict):
        return False
    return bool(parts.body.get("wait") or "timeout" in parts.body)


def _shown(verb: str, path: str, guarded: bool) -> Reply:
    if verb not in ("GET", "HEAD"):
        return wrong_verb(f"{path} takes GET", "GET, HEAD")
    if path == HEALTH:
        return Reply(200, encoded({"status": "ok", "features": FEATURES}))
    from agentlightning_compat.http import openapi  # few ask for it

    return Reply(200, openapi.document(guarded))


async def _send(send: Send, reply: Reply, kinds: Sequence[tuple[bytes, bytes]] = (_JSON,)) -> None:
    headers = [*kinds, *reply.headers, (b"content-length", str(len(reply.body)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return
