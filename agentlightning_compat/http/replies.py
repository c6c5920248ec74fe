"""Remembers what was answered, so that a request which is sent again does not act again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """An HTTP answer with a body of JSON; `headers` are those besides its type and length."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Replies:
    """Answers by the key of their request, for as long as there is room.

    The oldest go first: after `count` of them, or when they take more than `size` bytes.
    """

    def __init__(self, *, count: int = 20_000, size: int = 64 * 1024 * 1024) -> None:
        self._count = count
        self._room = size
        self._known: OrderedDict[str, asyncio.Task[Reply]] = OrderedDict()

    def once(self, key: str, act: Callable[[], Coroutine[Any, Any, Reply]]) -> asyncio.Task[Reply]:
        """What answers the request of this key: `act` the first time, the same after that.

        What failed in a way that may be over by the next time is not remembered.
        """
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = asyncio.ensure_future(act())
            known.add_done_callback(partial(self._answered, key))
        return known

    async def give_up(self, key: str, nothing: Reply) -> Reply:
        """End what the request of this key began, if it is not answered yet, with `nothing`; else
        its answer. So it is also answered if it comes later."""
        known = self._known.get(key)
        if known is not None:
            known.cancel()
            await asyncio.wait([known])
            if not known.cancelled():
                return known.result()
        return await self.once(key, partial(_same, nothing))

    def _answered(self, key: str, task: asyncio.Task[Reply]) -> None:
        failed = task.cancelled() or task.exception() is not None or task.result().status >= 500
        if failed:
            if self._known.get(key) is task:
                del self._known[key]
            return
        self._room -= len(task.result().body)
        while self._known and (len(self._known) > self._count or self._room < 0):
            oldest, first = next(iter(self._known.items()))
            if not first.done():
                return
            del self._known[oldest]
            if not (first.cancelled() or first.exception()):
                self._room += len(first.result().body)


async def _same(reply: Reply) -> Reply:
    return reply
