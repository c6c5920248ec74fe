"""Brings spans to the store: some at a time while a context is open, the rest at its end."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentlightning_compat.errors import CompatError
from agentlightning_compat.model import Span
from agentlightning_compat.store.commands import AddSpans
from agentlightning_compat.store.contract.spans import can_number

if TYPE_CHECKING:
    from agentlightning_compat.store.base import LightningStore

_log = logging.getLogger(__name__)

# Seconds: how long a span may wait for others to go with, and how long a store that is away is
# asked again at the end.
DELAY = 0.5
PATIENCE = 60.0
_PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
_MANY = 256
# How many spans go in one call at most: over a network a call has a size.
MOST = 1000


class SpanWriter:
    """Writes the spans of one attempt, from the event loop that it was made in.

    A span is a sign of life of its attempt, so those of a long rollout are written while it
    runs. Storing one twice does no harm: the store leaves out what it has.
    """

    def __init__(
        self, store: LightningStore, rollout_id: str, attempt_id: str, *, delay: float = DELAY
    ) -> None:
        self._store = store
        self._key = (rollout_id, attempt_id)
        self._delay = delay
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._pending: list[Span] = []
        self._armed = False
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def add(self, span: Span) -> None:
        """Have a span written soon; from any thread."""
        with self._lock:
            self._pending.append(span)
            arm = not self._closed and (not self._armed or len(self._pending) == _MANY)
            self._armed = True
        if arm:
            try:
                self._loop.call_soon_threadsafe(self._arm)
            except RuntimeError:  # the loop is closed, and with it the attempt is over
                return

    async def close(self) -> None:
        """Write what is not written yet.

        Raises:
            CompatError: the store does not take it, or stays away.
        """
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            await asyncio.wait([self._writing])
        with self._lock:
            self._closed = True
        until = self._loop.time() + PATIENCE
        tries = 0
        while not await self._written(until):
            await asyncio.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1

    async def _written(self, until: float) -> bool:
        """Try once; False if it is worth to try again."""
        try:
            await self._write_all()
        except Exception as error:
            if not _comes_back(error) or self._loop.time() >= until:
                raise
            _log.warning("spans wait for the store: %r", error)
            return False
        return True

    def _arm(self) -> None:
        if self._closed:
            return
        if self._timer is not None:
            self._timer.cancel()
        delay = 0.0 if len(self._pending) >= _MANY else self._delay
        self._timer = self._loop.call_later(delay, self._begin)

    def _begin(self) -> None:
        if self._writing is None or self._writing.done():
            self._writing = self._loop.create_task(self._write_some())
        else:
            self._arm()

    async def _write_some(self) -> None:
        with self._lock:
            self._armed = False
        try:
            await self._write_all()
        except Exception as error:  # tried again at the end, where it can be raised
            _log.debug("spans could not be written yet: %r", error)

    async def _write_all(self) -> None:
        while self._pending:
            await self._write()

    async def _write(self) -> None:
        with self._lock:
            batch, self._pending = self._pending[:MOST], self._pending[MOST:]
        try:
            await put(self._store, self._key, batch)
        except BaseException:
            with self._lock:
                self._pending = batch + self._pending
            raise


async def put(store: LightningStore, key: tuple[str, str], spans: Sequence[Span]) -> None:
    """Store spans of an attempt, its (rollout id, attempt id); those without a number get one.

    Raises:
        CompatError: the store does not take them, or stays away. It may be asked again: spans
            that are stored already are left out.
    """
    if can_number(store) and not any(span.sequence_id for span in spans):
        await _put_at_once(store, key, spans)
        return
    unnumbered = [span for span in spans if not span.sequence_id]
    keys = [key] * len(unnumbered)
    numbers = await store.get_many_span_sequence_ids(keys) if keys else ()
    for span, number in zip(unnumbered, numbers, strict=True):
        span.sequence_id = number
    await store.add_many_spans(spans)


async def _put_at_once(store: LightningStore, key: tuple[str, str], spans: Sequence[Span]) -> None:
    """Both in one call: over a network a call takes its time."""
    stored = await store._perform(AddSpans(spans, numbered=False))
    numbers = {span.span_id: span.sequence_id for span in stored}
    if len(numbers) < len(spans):  # some were stored by a call whose answer was lost
        found = await store.query_spans(*key)
        numbers = {span.span_id: span.sequence_id for span in found}
    for span in spans:
        span.sequence_id = numbers.get(span.span_id, 0)


def _comes_back(error: Exception) -> bool:
    if isinstance(error, CompatError):
        return error.retry_may_help
    return isinstance(error, (ConnectionError, TimeoutError, asyncio.TimeoutError))
