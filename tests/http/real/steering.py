"""Steers a store server in another process: a fresh store, and the time that it reads.

Nothing but the standard library is needed here: the environments of the real releases use it too.
"""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

START = 1_000_000.0


class Steering:
    """Takes orders from a `Wheel`; `reset` puts a fresh store in, at the time `START`."""

    def __init__(self, reset: Callable[[], object], advance: Callable[[float], object]) -> None:
        orders = {"reset": lambda _: reset(), "advance": advance}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                _, order, seconds = self.path.split("/")
                orders[order](float(seconds))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *said: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more orders."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Wheel:
    """The clock of the server that takes orders at this URL; each waits until it is obeyed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._time = START

    def now(self) -> float:
        return self._time

    def advance(self, seconds: float) -> float:
        self._order("advance", seconds)
        self._time += seconds
        return self._time

    def reset(self) -> None:
        self._order("reset", 0.0)
        self._time = START

    def _order(self, order: str, seconds: float) -> None:
        request = urllib.request.Request(f"{self._url}/{order}/{seconds!r}", method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()
