"""Remembers what was answered, so that a request which is sent again does not act again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, NamedTuple

from agentlightning_compat.errors import InvalidRequestError


class Reply(NamedTuple):
    """An HTTP answer with a body of JSON; `headers` are those besides its type and length."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


# What a request asks for: its path, and a hash of its body; None for any body.
Asked = tuple[str, int | None]


class Replies:
    """Answers by the key of their request, for as long as there is room.

    The oldest go first: after `count` of them, or when they take more than `size` bytes.
    """

    def __init__(self, *, count: int = 20_000, size: int = 64 * 1024 * 1024) -> None:
        self._count = count
        self._room = size
        self._known: OrderedDict[str, asyncio.Task[Reply]] = OrderedDict()
        self._asked: dict[str, Asked] = {}

    def once(
        self, key: str, asked: Asked, act: Callable[[], Coroutine[Any, Any, Reply]]
    ) -> asyncio.Task[Reply]:
        """What answers the request of this key: `act` the first time, the same after that.

        What failed in a way that may be over by the next time is not remembered.

        Raises:
            InvalidRequestError: with this key, something else was asked for before.
        """
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = asyncio.ensure_future(act())
            self._asked[key] = asked
            known.add_done_callback(partial(self._answered, key))
        elif self._asked[key] not in (asked, (asked[0], None)):
            raise InvalidRequestError("this idempotency key was sent with another request")
        return known

    async def give_up(
        self, key: str, path: str, instead: Callable[[], Coroutine[Any, Any, Reply]]
    ) -> Reply:
        """End what the request of this key began at a path, if it is not answered yet, with what
        comes `instead`; else its answer. So it is also answered if it comes later."""
        known = self._known.get(key)
        if known is not None and self._asked[key][0] == path:
            known.cancel()
            await asyncio.wait([known])
            if not known.cancelled():
                return known.result()
        return await self.once(key, (path, None), instead)

    def _answered(self, key: str, task: asyncio.Task[Reply]) -> None:
        failed = task.cancelled() or task.exception() is not None or task.result().status >= 500
        if failed:
            if self._known.get(key) is task:
                del self._known[key], self._asked[key]
            return
        self._room -= len(task.result().body)
        while self._known and (len(self._known) > self._count or self._room < 0):
            oldest, first = next(iter(self._known.items()))
            if not first.done():
                return
            del self._known[oldest], self._asked[oldest]
            if not (first.cancelled() or first.exception()):
                self._room += len(first.result().body)
