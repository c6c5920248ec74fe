"""`LightningStoreClient`: a store that is elsewhere."""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from agentlightning_compat.background import background_loop
from agentlightning_compat.errors import (
    CompatError,
    StoreUnavailableError,
    UnsupportedError,
)
from agentlightning_compat.http import paging, tokens
from agentlightning_compat.http import values as v
from agentlightning_compat.http.addresses import root_of
from agentlightning_compat.http.answers import error_of, value_of
from agentlightning_compat.http.calls import LONGEST_HOLD, Parts, held_for
from agentlightning_compat.http.connections import Request, UnreachableError, asked
from agentlightning_compat.http.wire import (
    BY_COMMAND,
    FEATURES,
    GIVE_UP,
    HEALTH,
    KEY,
    PREFIX,
    Operation,
)
from agentlightning_compat.model import AttemptedRollout, Rollout, Span
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.base import (
    LightningStore,
    LightningStoreCapabilities,
    LightningStoreStatistics,
)
from agentlightning_compat.store.query import Query

R = TypeVar("R")

_log = logging.getLogger(__name__)

# An old server has nobody woken: it is asked again after so many seconds.
_OLD_POLL = 1.0


class LightningStoreClient(LightningStore):
    """A store behind a server: ours, or that of agentlightning 0.3.

    It may be used from any thread and event loop, pickled and copied; it need not be closed.

    Args:
        server_address: the server's URL, without a path.
        retry_delays: seconds between tries of a call that may be tried again: while the server is
            away, and when an answer is lost. Against an old server writes are tried again only
            if they cannot have arrived.
        health_retry_delays: accepted for agentlightning's sake; a call is its own probe.
        request_timeout: seconds that one try may take, besides what it is asked to wait.
        connection_timeout: seconds for connecting.
        token: what the server asks for; AGL_SERVER_TOKEN.

    A call raises `StoreUnavailableError` when the server stays away, and the error that the
    store itself raised otherwise.
    """

    def __init__(
        self,
        server_address: str,
        *,
        retry_delays: Sequence[float] = (1.0, 2.0, 5.0),
        health_retry_delays: Sequence[float] = (0.1, 0.2, 0.5),
        request_timeout: float = 30.0,
        connection_timeout: float = 5.0,
        token: str | None = None,
    ) -> None:
        root = root_of(server_address)
        self.server_address_root = root
        self.server_address = f"{root}{PREFIX}"
        self._options: dict[str, Any] = {
            "retry_delays": tuple(retry_delays),
            "health_retry_delays": tuple(health_retry_delays),
            "request_timeout": request_timeout,
            "connection_timeout": connection_timeout,
            "token": token,
        }
        self._delays = tuple(retry_delays)
        self._timeout = request_timeout
        self._connect = connection_timeout
        token = tokens.given(token)
        self._headers = {paging.PAGES.decode(): "follows"}
        if token is not None:
            self._headers["authorization"] = f"Bearer {token}"
        self._features: frozenset[str] | None = None

    def __reduce__(self) -> Any:
        return partial(type(self), self.server_address_root, **self._options), ()

    async def close(self) -> None:
        """Nothing has to be closed: connections belong to the process."""

    async def __aenter__(self) -> LightningStoreClient:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    @property
    def capabilities(self) -> LightningStoreCapabilities:
        """What may be done with this store."""
        return {"thread_safe": True, "async_safe": True, "zero_copy": True, "otlp_traces": True}

    def otlp_traces_endpoint(self) -> str:
        """The URL that takes spans over OTLP."""
        return f"{self.server_address_root}/v1/traces"

    async def statistics(self) -> LightningStoreStatistics:
        """How much is in the store; `name` is that of the store behind the server."""
        answer: Any = await self._ask(BY_COMMAND[c.GetCounts], Parts())
        found: LightningStoreStatistics = answer
        return found

    async def _perform(self, command: c.Command[R]) -> R:
        result: Any
        old = not await self._has("spans")
        if old and isinstance(command, c.AddSpans):
            result = await self._old_spans(command)
        elif old and isinstance(command, c.NextSpanIds):
            result = [await self._old_number(*key) for key in command.keys]
        elif old and isinstance(command, c.GetRollout):
            result = await self._old_rollout(command.rollout_id)
        elif _by_mode(command) and not await self._has("modes"):
            raise UnsupportedError("this server cannot be asked for rollouts by mode")
        else:
            row = BY_COMMAND[type(command)]
            result = row.load(await self._ask(row, row.ask(command)), command)
            query = getattr(command, "query", None)
            if query is not None and not paging.is_whole(result, query):
                result = await paging.rest_of(
                    result, query, lambda part: self._perform(_about(command, part))
                )
        found: R = result
        return found

    async def _claim(self, command: c.Dequeue) -> Sequence[AttemptedRollout]:
        loop = asyncio.get_running_loop()
        end = loop.time() + (command.wait or 0.0)
        # Asked also where nothing is held: it tells whether claims have keys.
        holds = await self._has("hold") and bool(command.wait)
        while True:
            asked = loop.time()
            held = min(max(end - asked, 0.0), LONGEST_HOLD) if holds else None
            claimed = await self._claimed(c.Dequeue(command.limit, command.worker_id, held or None))
            now = loop.time()
            if claimed or now >= end:
                return claimed
            # Asked too early again: by an old server, or one that holds as many as it can.
            if held is None or now - asked < held / 2:
                await asyncio.sleep(min(_OLD_POLL, end - now))

    async def _claimed(self, command: c.Dequeue) -> Sequence[AttemptedRollout]:
        """Claim; what comes for somebody who has gone meanwhile, or whom no answer reaches, goes
        back into the queue."""
        row, key = BY_COMMAND[c.Dequeue], uuid.uuid4().hex
        try:
            answer = await self._ask(row, row.ask(command), key)
        except (asyncio.CancelledError, StoreUnavailableError):
            giving = self._give_up(key, command.limit)
            asyncio.run_coroutine_threadsafe(giving, background_loop())
            raise
        found: Sequence[AttemptedRollout] = row.load(answer, command)
        return found

    async def _give_up(self, key: str, limit: int) -> None:
        """End a claim that nobody waits for; if it was served already, give it back."""
        try:
            if await self._has("keys"):
                answer = await self._ask(_GIVE_UP, Parts(body={"key": key, "limit": limit}))
                for rollout in BY_COMMAND[c.Dequeue].load(answer, None):
                    await self.update_rollout(rollout.rollout_id, status="queuing")
        except CompatError as error:
            _log.warning("a claim that was given up may be lost until it is overdue: %s", error)

    async def _wait(self, command: c.WaitForRollouts) -> list[Rollout]:
        loop = asyncio.get_running_loop()
        end = None if command.timeout is None else loop.time() + command.timeout
        longest = LONGEST_HOLD if await self._has("hold") else _OLD_POLL
        wanted = set(command.rollout_ids)
        while True:
            asked = loop.time()
            left = None if end is None else max(end - asked, 0.0)
            held = longest if left is None else min(left, longest)
            found = await self._perform(c.WaitForRollouts(command.rollout_ids, held))
            missing = wanted - {rollout.rollout_id for rollout in found}
            if not missing or (left is not None and left <= held):
                return found
            if not await self._known(missing):
                return found
            if loop.time() - asked < held / 2:  # a server that holds as many as it can
                await asyncio.sleep(_OLD_POLL)

    async def _known(self, rollout_ids: set[str]) -> bool:
        """Whether any of these is in the store: nobody waits for the others."""
        page = await self.query_rollouts(rollout_id_in=sorted(rollout_ids), limit=1)
        return page.total > 0

    async def _old_spans(self, command: c.AddSpans) -> list[Span]:
        row = _ADD_SPAN
        spans = list(command.spans)
        if not command.numbered:
            numbers = [await self._old_number(s.rollout_id, s.attempt_id) for s in spans]
            spans = [
                span.model_copy(update={"sequence_id": number})
                for span, number in zip(spans, numbers, strict=True)
            ]
        answers = [await self._ask(row, Parts(body=span.model_dump())) for span in spans]
        return [v.loaded(Span, answer) for answer in answers if answer is not None]

    async def _old_number(self, rollout_id: str, attempt_id: str) -> int:
        body = {"rollout_id": rollout_id, "attempt_id": attempt_id}
        answer = await self._ask(BY_COMMAND[c.NextSpanIds], Parts(body=body))
        number: int = answer["sequence_id"]
        return number

    async def _old_rollout(self, rollout_id: str) -> Rollout | None:
        # Asked for by its id, an old server fails when it does not know it.
        page = await self.query_rollouts(rollout_id_in=[rollout_id])
        return page.items[0] if page.items else None

    async def _has(self, feature: str) -> bool:
        """Whether the server can do what those of 0.3 cannot."""
        if self._features is None:
            health = Operation("GET", HEALTH.removeprefix(PREFIX), _nothing)
            answer = await self._ask(health, Parts())
            listed = answer.get("features", ()) if isinstance(answer, dict) else ()
            self._features = frozenset(FEATURES) & frozenset(listed)
        return feature in self._features

    async def _ask(self, row: Operation, parts: Parts, key: str | None = None) -> Any:
        """Ask, again if it may be: what the server answers as JSON."""
        body = None if row.verb == "GET" else v.given(parts.body)
        path = row.path.format(
            **{k: quote(x, safe="", errors="surrogatepass") for k, x in parts.path.items()}
        )
        headers = {**self._headers, "content-type": "application/json"}
        keyed = row.writes and self._features is not None and "keys" in self._features
        if keyed:
            headers[KEY] = key or uuid.uuid4().hex
        asked = urlencode(parts.query, doseq=True, errors="surrogatepass")
        url = f"{self.server_address}{path}{'?' if asked else ''}{asked}"
        limit = self._timeout + held_for(parts)
        again = keyed or not row.writes
        return await self._tried(Request(row.verb, url, body, headers, limit, self._connect, again))

    async def _tried(self, request: Request) -> Any:
        for delay in (*self._delays, None):
            try:
                return await self._once(request)
            except StoreUnavailableError as error:
                may = request.again or isinstance(error.__cause__, UnreachableError)
                if delay is None or not may:
                    raise
                _log.warning("the store is away, asking again in %g s: %s", delay, error)
                request = replace(request, repeated=True)
            await asyncio.sleep(delay * random.uniform(0.75, 1.0))
        raise AssertionError("the last try returns or raises")

    @staticmethod
    async def _once(request: Request) -> Any:
        call = f"{request.verb} {request.url}"
        try:
            status, answer = await asked(request)
        except (asyncio.TimeoutError, OSError) as error:
            what = f"{type(error).__name__}: {error}".rstrip(": ")
            raise StoreUnavailableError(f"{call}: no answer ({what})") from error
        if status >= 300:
            raise error_of(status, call, answer)
        return value_of(answer, call)


def _about(command: Any, query: Query) -> Any:
    return replace(command, query=query)


def _by_mode(command: c.Command[Any]) -> bool:
    conditions = command.query.conditions if isinstance(command, c.QueryRollouts) else ()
    return any(condition.field == "mode" for condition in conditions)


async def _nothing(store: Any, parts: Parts) -> None:
    """The health of a server is not a store's business."""


_ADD_SPAN = Operation("POST", "/spans", _nothing, status=201, writes=True)
_GIVE_UP = Operation("POST", GIVE_UP, _nothing)
