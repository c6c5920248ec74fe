"""`agl-migrate serve`: a store server as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Sequence
from typing import Any

from agentlightning_compat.errors import CompatError
from agentlightning_compat.http.limits import DEFAULT
from agentlightning_compat.http.server import DEFAULT_PORT, LightningStoreServer
from agentlightning_compat.legacy.asgi import LegacyApp
from agentlightning_compat.legacy.client_store import UpstreamStore
from agentlightning_compat.legacy.routes import LegacyRoutes
from agentlightning_compat.opening import open_store

# The most that one request may ask for.
_LIMITS: dict[str, tuple[int | None, str]] = {
    "body": (DEFAULT.body, "bytes of a body (%(default)s)"),
    "head": (DEFAULT.head, "bytes of a request line and its headers (%(default)s)"),
    "depth": (DEFAULT.depth, "objects and lists within each other (%(default)s)"),
    "batch": (DEFAULT.batch, "rollouts, spans or ids in a request (%(default)s)"),
    "page": (DEFAULT.page, "items in a reply (as many as are asked for)"),
    "held": (DEFAULT.held, "requests that wait at a time (%(default)s)"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line until SIGINT or SIGTERM; 0, or 2 when it cannot serve.

    What is under way is answered for up to 5 s more; a second signal ends that."""
    given = _parser().parse_args(arguments)
    if given.access_log:
        _write_requests()
    try:
        asyncio.run(_serve(given))
    except (CompatError, OSError) as error:
        print(f"agl-migrate serve: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="agl-migrate serve",
        description="Serve a store to runners and algorithms elsewhere, and to legacy clients.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--store",
        default="sqlite:///agl.db",
        metavar="URL",
        help="memory://, sqlite:///path or postgresql://... (%(default)s)",
    )
    what.add_argument(
        "--upstream",
        metavar="URL",
        help="a legacy server, whose tasks runners of the store API get from here",
    )
    parser.add_argument("--host", default="127.0.0.1", help="what to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="%(default)s; 0: any")
    parser.add_argument("--token", help="what clients have to show (AGL_SERVER_TOKEN)")
    parser.add_argument(
        "--insecure", action="store_true", help="let in everybody who reaches the host"
    )
    parser.add_argument("--prometheus", action="store_true", help="tell metrics at /v1/prometheus")
    parser.add_argument(
        "--access-log",
        action="store_true",
        help="write a line for each request: its verb, path and status, nothing of what it holds",
    )
    for name, (default, help_text) in _LIMITS.items():
        parser.add_argument(f"--max-{name}", type=int, default=default, metavar="N", help=help_text)
    parser.add_argument(
        "--task-timeout",
        type=_seconds,
        default=300.0,
        metavar="SECONDS",
        help="after which a task is handed out to legacy clients again (%(default)g)",
    )
    return parser


def _write_requests() -> None:
    requests = logging.getLogger("agentlightning_compat.http.requests")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    requests.addHandler(handler)
    requests.setLevel(logging.DEBUG)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0")
    return value


def _store(given: argparse.Namespace) -> Any:
    return UpstreamStore(given.upstream) if given.upstream else open_store(given.store)


async def _serve(given: argparse.Namespace) -> None:
    async with _store(given) as store:
        server = LightningStoreServer(
            store,
            given.host,
            given.port,
            token=given.token,
            insecure=given.insecure,
            prometheus=given.prometheus,
            **{f"max_{name}": getattr(given, f"max_{name}") for name in _LIMITS},
        )
        legacy = "with the legacy routes "
        if server.app.guarded:
            legacy = "(legacy clients have no token: their routes are not served) "
        else:
            server.front = LegacyApp(LegacyRoutes(store, given.task_timeout), server.app)
        ended = asyncio.Event()

        def end() -> None:
            if ended.is_set():  # told twice
                server.hurry()
            ended.set()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C interrupts instead
                loop.add_signal_handler(number, end)
        async with server:
            print(f"serving {type(store).__name__} {legacy}at {server.endpoint}", flush=True)
            await ended.wait()
