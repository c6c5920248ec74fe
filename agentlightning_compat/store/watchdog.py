"""Looking for overdue attempts even when nobody calls the store."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, Protocol


class Watched(Protocol):
    """A store whose attempts can be overdue."""

    def sweep_now(self) -> float | None:
        """Deal with what is overdue; seconds until the next look, None when there is none."""
        ...


class Watchdog:
    """A thread that sleeps until something can be overdue. It starts with the first deadline.

    It ends when the store is gone or closed; it does not keep a store alive.
    """

    # Clocks are set back and forth: the longest sleep without looking at one.
    LONGEST = 60.0

    def __init__(self, store: Watched, on_error: Callable[[BaseException], None]) -> None:
        self._wake = threading.Event()
        self._store = weakref.ref(store, self._gone)
        self._on_error = on_error
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def look_again(self) -> None:
        """An earlier deadline than all known ones has come up."""
        if self._thread is None:
            with self._lock:
                if self._thread is None and not self._closed:
                    self._thread = threading.Thread(
                        target=self._run, name="store-watchdog", daemon=True
                    )
                    self._thread.start()
        self._wake.set()

    def close(self) -> None:
        """End the thread and wait for it."""
        self._closed = True
        self._wake.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _gone(self, _: weakref.ref[Any]) -> None:
        self._closed = True
        self._wake.set()

    def _run(self) -> None:
        while True:
            # In this order: whoever closes or has news sets the event last.
            self._wake.clear()
            if self._closed:
                return
            pause = self._look()
            self._wake.wait(self.LONGEST if pause is None else min(pause, self.LONGEST))

    def _look(self) -> float | None:
        store = self._store()
        if store is None:
            return None
        try:
            return store.sweep_now()
        except Exception as error:  # the next look may go well
            self._on_error(error)
            return 1.0
