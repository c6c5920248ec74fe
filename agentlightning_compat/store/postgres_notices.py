"""What processes tell each other through PostgreSQL: one connection that listens."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from agentlightning_compat.store.sql.jobs import SharedSignals
from agentlightning_compat.store.transaction import Effects

_LONGEST = 7900  # bytes; PostgreSQL takes 8000


class Notices:
    """The channel of a schema."""

    def __init__(self, schema: str, signals: SharedSignals) -> None:
        self._channel = f"agl_{hashlib.sha256(schema.encode()).hexdigest()[:16]}"
        self._signals = signals
        self._me = secrets.token_hex(8)

    async def tell(self, raw: Any, effects: Effects) -> None:
        """Let the others know, once the transaction that this belongs to is committed."""
        if not effects:
            return
        news = [self._me, effects.queued, effects.finished, effects.check_at]
        note = json.dumps(news)
        if len(note) > _LONGEST:
            news[2] = None
            note = json.dumps(news)
        await raw.execute("SELECT pg_notify($1, $2)", self._channel, note)

    async def listen(self, connect: Callable[[], Awaitable[Any]], ready: asyncio.Event) -> None:
        """Hear what other processes did, until this is cancelled."""
        while True:
            with suppress(Exception):  # it is tried again
                await self._hear(await connect(), ready)
            await asyncio.sleep(0.2)

    async def _hear(self, raw: Any, ready: asyncio.Event) -> None:
        """Hear it until the connection ends."""
        ended = asyncio.Event()
        raw.add_termination_listener(lambda _: ended.set())
        try:
            await raw.add_listener(self._channel, self._heard)
            ready.set()
            # What was said in between was not heard.
            self._signals.everybody()
            self._signals.due(None)
            await ended.wait()
        finally:
            raw.terminate()

    def _heard(self, _connection: Any, _pid: int, _channel: str, note: str) -> None:
        sender, queued, finished, check_at = json.loads(note)
        if sender == self._me:
            return
        if check_at is not None:
            self._signals.due(check_at)
        if queued:
            self._signals.queued(queued)
        if finished is None:
            self._signals.look()
        elif finished:
            self._signals.finished(finished)
