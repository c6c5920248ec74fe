"""Any store, made safe for being called from several threads."""

from __future__ import annotations

import asyncio
import functools
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

from agentlightning_compat.store.base import LightningStore, LightningStoreCapabilities
from agentlightning_compat.store.local import LocalStore

_METHODS = tuple(
    name
    for name in dir(LightningStore)
    if not name.startswith("_") and asyncio.iscoroutinefunction(getattr(LightningStore, name))
)


class LightningStoreThreaded(LightningStore):
    """A store that any thread may call.

    The stores of this package are safe already and are called as they are. Any other is called in
    one event loop, in a thread of its own; calls that wait do not hold up others.
    """

    def __init__(self, store: LightningStore) -> None:
        super().__init__()
        self.store = store
        self._loop: _LoopThread | None = None
        if not isinstance(store, LocalStore | LightningStoreThreaded):
            self._loop = _LoopThread()
            weakref.finalize(self, self._loop.end)
        for name in _METHODS:
            method = getattr(store, name)
            # As attributes of the object, so that they have the signatures of the store's own.
            setattr(self, name, method if self._loop is None else self._loop.calling(method))

    @property
    def capabilities(self) -> LightningStoreCapabilities:
        """What the store is capable of, and threads."""
        return {**self.store.capabilities, "async_safe": True, "thread_safe": True}

    def otlp_traces_endpoint(self) -> str:
        """See `LightningStore`."""
        return self.store.otlp_traces_endpoint()

    def release(self) -> None:
        """End the thread, if there is one. The store can be called no more through this."""
        if self._loop is not None:
            self._loop.end()


class _LoopThread:
    # Begun by the first call: a store that is only handed around needs no thread.
    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def calling(
        self, method: Callable[..., Coroutine[Any, Any, Any]]
    ) -> Callable[..., Coroutine[Any, Any, Any]]:
        @functools.wraps(method)
        async def call(*args: Any, **kwargs: Any) -> Any:
            loop = self._begun()
            if asyncio.get_running_loop() is loop:  # the store calls itself
                return await method(*args, **kwargs)
            call = asyncio.run_coroutine_threadsafe(method(*args, **kwargs), loop)
            return await asyncio.wrap_future(call)

        return call

    def _begun(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop,), name="store calls", daemon=True
                )
                self._thread.start()
            return self._loop

    def end(self) -> None:
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join(timeout=10.0)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
