"""A server, or clients of one, in a process of its own; also runs in the peer's environment.

python -m benchmarks.http_side peer|ours|floor serve|ask

Reads one JSON request a line and answers each with a line of JSON: clients measure something, a
server says how much CPU time it took so far. The first line of a server is its URL.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ClassVar

PACKAGES = {"peer": "agentlightning", "ours": "agentlightning_compat"}
SPANS = 8
Spans = list[Any]
Write = Callable[[Any, Any, Spans], Awaitable[Any]]


def used() -> float:
    """Seconds of CPU time that this process took so far."""
    return time.process_time()


class OtelSpan:
    """Makes spans of the OpenTelemetry SDK, as a tracer does."""

    def __init__(self) -> None:
        trace = importlib.import_module("opentelemetry.sdk.trace")
        # Spans are kept until a client sends them.
        self._tracer = trace.TracerProvider(shutdown_on_exit=False).get_tracer("benchmark")

    def made(self, number: int) -> Any:
        """A span like that of a call to a model."""
        attributes = {
            "gen_ai.prompt": f"{number:8} hello" * 8,
            "gen_ai.request.model": "gpt-4o-mini",
            "n": number,
            "x": 1.5,
        }
        span = self._tracer.start_span("openai.chat.completion", attributes=attributes)
        span.end()
        return span


async def one_by_one(store: Any, claimed: Any, spans: Spans) -> None:
    """`add_otel_span` for each, which numbers it: as the peer's own span processor does."""
    for span in spans:
        await store.add_otel_span(claimed.rollout_id, claimed.attempt.attempt_id, span)


async def numbered(store: Any, claimed: Any, spans: Spans) -> None:
    """`add_span` for each, with numbers that the client knows without asking."""
    for number, span in enumerate(converted(store, claimed, spans), 1):
        span.sequence_id = number
        await store.add_span(span)


async def at_once(store: Any, claimed: Any, spans: Spans) -> None:
    """As our tracer does."""
    writer = importlib.import_module("agentlightning_compat.tracer.writer")
    writing = writer.SpanWriter(store, claimed.rollout_id, claimed.attempt.attempt_id)
    for span in converted(store, claimed, spans):
        writing.add(span)
    await writing.close()


WRITES: dict[str, Write] = {"one by one": one_by_one, "numbered": numbered, "at once": at_once}


def converted(store: Any, claimed: Any, spans: Spans) -> Spans:
    """The spans as those of the store's package, not numbered yet."""
    kind = importlib.import_module(type(store).__module__.split(".")[0]).Span
    key = (claimed.rollout_id, claimed.attempt.attempt_id)
    return [kind.from_opentelemetry(span, *key, 0) for span in spans]


class Clients:
    """What is measured from the side of the clients."""

    def __init__(self, side: str) -> None:
        self._kind = importlib.import_module(PACKAGES[side]).LightningStoreClient
        self._otel = OtelSpan()

    async def lifecycle(self, url: str, clients: int, count: int, write: str) -> dict[str, float]:
        """Seconds, on the clock and of the CPU, for `count` rollouts by so many clients."""
        stores = [self._kind(url) for _ in range(clients)]
        # Connections are opened by the first call.
        await asyncio.gather(*(store.get_latest_resources() for store in stores))
        left = iter(range(count))

        async def some(store: Any) -> None:
            for _ in left:
                fresh = [self._otel.made(number) for number in range(SPANS)]
                await self._one(store, fresh, WRITES[write])

        start, cpu = time.perf_counter(), used()
        await asyncio.gather(*(some(store) for store in stores))
        found = {"wall": time.perf_counter() - start, "cpu": used() - cpu}
        await asyncio.gather(*(store.close() for store in stores))
        return found

    @staticmethod
    async def _one(store: Any, spans: Spans, write: Write) -> None:
        await store.enqueue_rollout({"question": "what is 6 times 7?"}, mode="train")
        claimed = await store.dequeue_rollout(worker_id="worker")
        await write(store, claimed, spans)
        key = (claimed.rollout_id, claimed.attempt.attempt_id)
        await store.update_attempt(*key, status="succeeded")

    async def calls(self, url: str, count: int) -> dict[str, list[float]]:
        """Seconds of single calls by one client."""
        store = self._kind(url)
        times: dict[str, list[float]] = {"claim": [], "add 8 spans": [], "query 8 spans": []}
        for _ in range(count):
            await store.enqueue_rollout({"question": "what is 6 times 7?"}, mode="train")
            start = time.perf_counter()
            claimed = await store.dequeue_rollout(worker_id="worker")
            times["claim"].append(time.perf_counter() - start)
            spans = converted(store, claimed, [self._otel.made(number) for number in range(SPANS)])
            for number, span in enumerate(spans, 1):
                span.sequence_id = number
            start = time.perf_counter()
            await store.add_many_spans(spans)
            times["add 8 spans"].append(time.perf_counter() - start)
            start = time.perf_counter()
            found = await store.query_spans(claimed.rollout_id)
            times["query 8 spans"].append(time.perf_counter() - start)
            if len(found) != SPANS:
                raise RuntimeError(f"{len(found)} of {SPANS} spans were stored")
        await store.close()
        return times


class Floor:
    """The same library for requests, and nothing around it."""

    # Bytes of a request and its reply, as they are measured on our side.
    SIZES: ClassVar[dict[str, tuple[int, int]]] = {
        "claim": (46, 480),
        "add 8 spans": (5900, 32),
        "query 8 spans": (200, 5900),
    }
    # Those of one lifecycle: enqueue, claim, write, update.
    ROUND = ((160, 330), (46, 480), (5900, 32), (24, 260))

    async def _asked(self, session: Any, url: str, sent: int, wanted: int) -> None:
        async with session.post(f"{url}/{wanted}", data=b"x" * sent) as response:
            await response.read()

    async def lifecycle(self, url: str, clients: int, count: int, write: str) -> dict[str, float]:
        """Seconds for the requests of `count` rollouts."""
        aiohttp = importlib.import_module("aiohttp")
        left = iter(range(count))
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def some() -> None:
                for _ in left:
                    for sizes in self.ROUND:
                        await self._asked(session, url, *sizes)

            await asyncio.gather(*(self._asked(session, url, 1, 1) for _ in range(clients)))
            start, cpu = time.perf_counter(), used()
            await asyncio.gather(*(some() for _ in range(clients)))
            return {"wall": time.perf_counter() - start, "cpu": used() - cpu}

    async def calls(self, url: str, count: int) -> dict[str, list[float]]:
        """Seconds of single requests."""
        aiohttp = importlib.import_module("aiohttp")
        times: dict[str, list[float]] = {name: [] for name in self.SIZES}
        async with aiohttp.ClientSession() as session:
            for _ in range(count):
                for name, sizes in self.SIZES.items():
                    start = time.perf_counter()
                    await self._asked(session, url, *sizes)
                    times[name].append(time.perf_counter() - start)
        return times


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """As many bytes as the path says."""
    while (await receive()).get("more_body"):
        pass
    body = b"x" * int(scope["path"][1:])
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def served(side: str) -> tuple[str, Callable[[], Coroutine[Any, Any, None]]]:
    """A running server: its URL, and what ends it."""
    if side == "peer":
        package = importlib.import_module(PACKAGES[side])
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        # Otherwise it holds a lock of threads while it waits: several clients stop it for good.
        server = package.LightningStoreServer(
            package.InMemoryLightningStore(thread_safe=True), "127.0.0.1", port
        )
        await server.start()
        return f"http://127.0.0.1:{port}", server.stop
    if side == "ours":
        package = importlib.import_module(PACKAGES[side])
        server = package.LightningStoreServer(package.InMemoryLightningStore(), "127.0.0.1", 0)
        await server.start()
        return server.endpoint, server.stop
    launching = importlib.import_module("agentlightning_compat.http.launching")
    listening = launching.bound("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    thread = launching.ServerThread(echo, listening)

    async def stop() -> None:
        await asyncio.to_thread(thread.stop)

    return url, stop


async def serve(side: str, say: Callable[[Any], None]) -> None:
    """Serve until there are no more requests; each is answered with the CPU time used so far."""
    url, stop = await served(side)
    say(url)
    while await asyncio.to_thread(sys.stdin.readline):
        say(used())
    await stop()


async def ask(side: str, say: Callable[[Any], None]) -> None:
    """Measure what is asked for, in one event loop: connections stay open."""
    clients: Any = Floor() if side == "floor" else Clients(side)
    while line := await asyncio.to_thread(sys.stdin.readline):
        request = json.loads(line)
        say(await getattr(clients, request.pop("measure"))(**request))


def main() -> None:
    """Answer requests until there are no more."""
    logging.disable(logging.CRITICAL)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer

    def say(value: Any) -> None:
        print(json.dumps(value), file=answers, flush=True)

    asyncio.run({"serve": serve, "ask": ask}[sys.argv[2]](sys.argv[1], say))


if __name__ == "__main__":
    main()
