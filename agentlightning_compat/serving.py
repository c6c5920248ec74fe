"""`agl-migrate serve`: a store server as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence

from agentlightning_compat.errors import CompatError
from agentlightning_compat.http.server import DEFAULT_PORT, LightningStoreServer
from agentlightning_compat.opening import open_store


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line until SIGINT or SIGTERM; 0, or 2 when it cannot serve."""
    given = _parser().parse_args(arguments)
    try:
        asyncio.run(_serve(given))
    except (CompatError, OSError) as error:
        print(f"agl-migrate serve: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="agl-migrate serve", description="Serve a store to runners and algorithms elsewhere."
    )
    parser.add_argument(
        "--store",
        default="sqlite:///agl.db",
        metavar="URL",
        help="memory://, sqlite:///path or postgresql://... (%(default)s)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="what to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="%(default)s; 0: any")
    parser.add_argument("--token", help="what clients have to show (AGL_SERVER_TOKEN)")
    parser.add_argument(
        "--insecure", action="store_true", help="let in everybody who reaches the host"
    )
    return parser


async def _serve(given: argparse.Namespace) -> None:
    async with open_store(given.store) as store:
        server = LightningStoreServer(
            store, given.host, given.port, token=given.token, insecure=given.insecure
        )
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C interrupts instead
                loop.add_signal_handler(number, ended.set)
        async with server:
            print(f"serving {type(store).__name__} at {server.endpoint}", flush=True)
            await ended.wait()
