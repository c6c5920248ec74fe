"""Metrics of a server for Prometheus, under the names that 0.3 gives them and a few more."""

from __future__ import annotations

import logging
import time
from collections.abc import MutableMapping
from typing import Any, get_args

from agentlightning_compat.errors import CompatError, UnsupportedError
from agentlightning_compat.http import otlp
from agentlightning_compat.http.app import StoreApp, path_of
from agentlightning_compat.http.bodies import Receive, Scope, Send
from agentlightning_compat.http.routes import NotAllowed, Routes
from agentlightning_compat.http.wire import DOCUMENTS, GIVE_UP, HEALTH, PREFIX
from agentlightning_compat.model import RolloutStatus

_log = logging.getLogger(__name__)

# Under 0.3 only the second is right.
PATHS = frozenset({"/v1/prometheus", "/v1/prometheus/"})

_VERBS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FIXED = frozenset({HEALTH, f"{PREFIX}{GIVE_UP}", otlp.TRACES, *otlp.OTHERS, *DOCUMENTS})
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# Nobody is there any more to be answered.
_GONE = 499


class Metered:
    """Counts and times what `app` answers, and tells it at `PATHS` to those whom `store_app` lets
    in; that may be the same application, or one behind it.

    Raises:
        UnsupportedError: prometheus-client is not installed.
    """

    def __init__(self, app: Any, store_app: StoreApp) -> None:
        prometheus = _library()
        self._app = app
        self._store_app = store_app
        self._routes = Routes()
        self._registry = registry = prometheus.CollectorRegistry()
        self._told = prometheus.generate_latest
        self._kind = prometheus.CONTENT_TYPE_LATEST
        labels = ("path", "method", "status")
        self._total = prometheus.Counter(
            "agl_http_total", "Requests that were answered", labels, registry=registry
        )
        self._latency = prometheus.Histogram(
            "agl_http_latency", "Seconds to the answer", labels, buckets=_BUCKETS, registry=registry
        )
        held = prometheus.Gauge("agl_http_held", "Requests that wait now", registry=registry)
        held.set_function(lambda: store_app.held)
        self._rollouts = prometheus.Gauge(
            "agl_rollouts", "Rollouts in the store", ("status",), registry=registry
        )
        self._counts = {
            f"total_{name}": prometheus.Gauge(
                f"agl_{name}", f"{name.capitalize()} in the store", registry=registry
            )
            for name in ("attempts", "spans", "resources", "workers")
        }
        self._up = prometheus.Gauge(
            "agl_store_up", "Whether the store could be asked for the numbers", registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif path_of(scope) in PATHS and self._store_app.lets_in(dict(scope["headers"])):
            await self._tell(scope["method"], send)
        else:
            await self._timed(scope, receive, send)

    async def _timed(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = _GONE

        async def noting(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = time.perf_counter()
        try:
            await self._app(scope, receive, noting)
        finally:
            verb = scope["method"] if scope["method"] in _VERBS else "other"
            labels = (self._place(scope["method"], path_of(scope)), verb, str(status))
            self._total.labels(*labels).inc()
            self._latency.labels(*labels).observe(time.perf_counter() - began)

    def _place(self, verb: str, path: str) -> str:
        """The path without ids: there are only so many of them, whatever is asked for."""
        if path in _FIXED:
            return path
        if not path.startswith(f"{PREFIX}/"):
            return "other"
        try:
            operation, _ = self._routes.find(verb, path.removeprefix(PREFIX))
        except (CompatError, NotAllowed):
            return "other"
        return f"{PREFIX}{operation.path}"

    async def _tell(self, verb: str, send: Send) -> None:
        if verb not in ("GET", "HEAD"):
            await _send(send, 405, "text/plain", b"this is only read\n")
            return
        try:
            await self._ask_store()
            self._up.set(1)
        except Exception as error:  # the store may be somebody else's
            _log.warning("the store gave no numbers: %s", type(error).__name__)
            self._rollouts.clear()
            self._up.set(0)
        await _send(send, 200, self._kind, self._told(self._registry))

    async def _ask_store(self) -> None:
        store = self._store_app.store
        counts: Any = await store.statistics()
        for name, gauge in self._counts.items():
            if name in counts:
                gauge.set(counts[name])
        for status in get_args(RolloutStatus):
            page = await store.query_rollouts(status_in=[status], limit=1)
            self._rollouts.labels(status).set(page.total)


async def _send(send: Send, status: int, kind: str, body: bytes) -> None:
    length = str(len(body)).encode()
    headers = [(b"content-type", kind.encode()), (b"content-length", length)]
    if status == 405:
        headers.append((b"allow", b"GET, HEAD"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _library() -> Any:
    try:
        import prometheus_client
    except ModuleNotFoundError as error:
        raise UnsupportedError(
            "metrics are written by prometheus-client:"
            " pip install 'agentlightning-compat[prometheus]'"
        ) from error
    return prometheus_client
