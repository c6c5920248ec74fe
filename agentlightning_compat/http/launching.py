"""Runs an ASGI application with uvicorn, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from typing import Any

from agentlightning_compat.errors import UnsupportedError
from agentlightning_compat.http.limits import DEFAULT

_BACKLOG = 2048


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is any free one.

    Raises:
        OSError: the address is in use or not one of this machine; the text names it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once only on sockets that say they are TCP; on others they
    # wait 40 ms for an acknowledgement.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from error
    made.setblocking(False)
    return made


def server_of(app: Any, head: int) -> Any:
    """A uvicorn server of an application; `head` is how many bytes of headers it takes.

    Raises:
        UnsupportedError: uvicorn is not installed.
    """
    try:
        import uvicorn

        from agentlightning_compat.http.protocol import bounded
    except ModuleNotFoundError as error:
        raise UnsupportedError(
            "stores are served by uvicorn: pip install 'agentlightning-compat[http]'"
        ) from error
    config = uvicorn.Config(
        app,
        http=bounded(head),
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        lifespan="off",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
        backlog=_BACKLOG,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    return uvicorn.Server(config)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether something failed: requests that a stop ends did not."""
    return record.exc_info is None or not isinstance(record.exc_info[1], asyncio.CancelledError)


class ServerThread:
    """A server in a thread with an event loop of its own."""

    def __init__(self, app: Any, listening: socket.socket, head: int = DEFAULT.head) -> None:
        self._server = server_of(app, head)
        self._socket = listening
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="store-server", daemon=True)
        self._thread.start()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that requests are answered in."""
        return self._loop

    @property
    def alive(self) -> bool:
        """Whether it answers."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Answer what is under way, and end. Waits for that."""
        self._server.should_exit = True
        self._thread.join()

    def hurry(self) -> None:
        """Have a stop that is under way not wait for what is unanswered."""
        self._server.force_exit = True

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            # Not `run` or `serve`, which take over the signals of the process.
            self._loop.run_until_complete(self._server._serve(sockets=[self._socket]))
            self._drop_left()
        finally:
            self._socket.close()
            self._loop.close()

    def _drop_left(self) -> None:
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left, timeout=1))
