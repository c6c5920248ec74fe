"""Runners for a store server that runs elsewhere, as `Trainer.fit(agent, url)` started them."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any
from urllib.parse import SplitResult, urlsplit

from agentlightning_compat.legacy import target
from agentlightning_compat.legacy.complaints import complain, shown

_PROBE_SECONDS = 5.0
# In this order a client or a server object tells where it is.
_ADDRESS_FIELDS = ("server_address_root", "endpoint")


def runner_strategy(url: Any, n_runners: int | None = None) -> dict[str, Any]:
    """Return the `strategy` of a `Trainer` whose runners work for the store server at `url`.

    Args:
        url: `http://host:port`, or a client object that has such an address.
        n_runners: how many runners; `None` leaves it to the trainer.

    Raises:
        TypeError: `url` has no address, for example because an environment variable is not set.
        ValueError: 0.3's runners cannot reach a server by this URL; the message says why.
    """
    parts = _parts(url)
    strategy: dict[str, Any] = {
        "type": "cs",
        "role": "runner",
        "server_host": _host(parts),
        "server_port": parts.port or 80,
        # Else AGL_MANAGED_STORE=0 would make the runners use the trainer's own, empty store.
        "managed_store": True,
    }
    if n_runners is not None:
        strategy["n_runners"] = n_runners
    return strategy


def fit_fleet(trainer: Any, agent: Any, url: Any) -> None:
    """Run `trainer`'s runners with `agent` for the store server at `url`.

    For code that gets its trainer from elsewhere; otherwise pass `runner_strategy(url)` to the
    `Trainer`. Its number of runners, `max_rollouts`, tracer and hooks are kept, an algorithm is
    not run: it belongs to the process of the server. Returns when the runners are done, which
    without `max_rollouts` is never, as under the legacy API.

    Raises:
        TypeError, ValueError: as `runner_strategy` does.
        ConnectionError: the server is a legacy `AgentLightningServer`: no runner of the store API
            would ever get work from it.
    """
    settings = runner_strategy(url, trainer.n_runners)
    del settings["type"]
    _probe(f"http://{settings['server_host']}:{settings['server_port']}")
    previous = trainer.strategy
    trainer.strategy = target.api("ClientServerExecutionStrategy", trainer)(**settings)
    try:
        trainer.fit(agent)
    finally:
        trainer.strategy = previous


def _parts(url: Any) -> SplitResult:
    address = url
    for field in _ADDRESS_FIELDS:
        if not isinstance(address, str):
            address = getattr(url, field, None)
    if not isinstance(address, str):
        raise TypeError(
            f"expected the URL of a store server, got {shown(url)}; is an environment variable"
            " not set? For a DevTaskLoader use Trainer.dev with dev_tasks and dev_resources"
        )
    parts = urlsplit(address.strip())
    problem = _problem(parts)
    if problem:
        raise ValueError(f"{address!r}: {problem}")
    return parts


def _problem(parts: SplitResult) -> str | None:
    if parts.scheme == "local":
        return "a DevTaskLoader; use Trainer.dev with dev_tasks and dev_resources"
    if parts.scheme == "https":
        return "0.3's runners speak plain HTTP only; put a proxy that ends TLS next to them"
    if parts.scheme != "http" or not parts.hostname:
        return "not an http:// URL; write http://host:port"
    if parts.username is not None or parts.query or parts.fragment:
        return "a user name, a query or a fragment would be dropped; write http://host:port"
    if parts.path.strip("/"):
        return (
            "0.3's runners take a host and a port only; make the server reachable without the"
            f" path {parts.path!r}, or drive a LitAgentRunner over LightningStoreClient(url)"
        )
    return None


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def _probe(root: str) -> None:
    """Find out early what would otherwise be waited for in silence.

    A runner's client takes every error of a poll for an empty queue.
    """
    if _status(f"{root}/v1/agl/health") == 404 and _status(f"{root}/task") == 200:
        raise ConnectionError(
            f"{root} is a legacy AgentLightningServer; a store server (LightningStoreServer, or"
            " Trainer.fit of the process with the algorithm) has to run there"
        )


def _status(url: str) -> int | None:
    try:
        with urllib.request.urlopen(url, timeout=_PROBE_SECONDS) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        complain(f"no answer from {url} ({error}); the runners go on trying")
        return None
