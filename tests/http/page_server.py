"""A store behind a server that can go away and come back; its page is what tests look at."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager, suppress

from agentlightning_compat.http.app import StoreApp
from agentlightning_compat.http.launching import ServerThread, bound
from agentlightning_compat.store.memory import InMemoryLightningStore


class PageServer:
    """Coroutines of the store run in the server's thread: a browser's driver may hold a loop of
    this one."""

    def __init__(self, *, store=None, **options):
        self.store = store or InMemoryLightningStore()
        # A second descriptor keeps the port while nobody answers.
        self._kept = bound("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._kept.getsockname()[1]}"
        self.app = StoreApp(self.store, **options)
        self._thread = ServerThread(self.app, self._kept.dup())

    def do(self, work):
        """The result of a coroutine."""
        return asyncio.run_coroutine_threadsafe(work, self._thread.loop).result(60)

    @contextmanager
    def away(self):
        """Meanwhile connections are closed as soon as they are made."""
        self._thread.stop()
        over = threading.Event()
        refusing = threading.Thread(target=self._refuse, args=[over])
        refusing.start()
        try:
            yield
        finally:
            over.set()
            refusing.join()
            self._thread = ServerThread(self.app, self._kept.dup())

    def _refuse(self, over):
        door = self._kept.dup()
        door.settimeout(0.05)
        with door:
            while not over.is_set():
                with suppress(TimeoutError):
                    door.accept()[0].close()

    def close(self):
        """Stop the server, close the store and leave the port."""
        self.do(self.store.close())
        self._thread.stop()
        self._kept.close()
