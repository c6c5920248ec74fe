"""HTTP for the legacy protocol, on the background loop: one pool of connections for a process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from agentlightning_compat.background import elsewhere
from agentlightning_compat.errors import (
    InternalError,
    InvalidRequestError,
    NotFoundError,
    StoreUnavailableError,
)
from agentlightning_compat.http.connections import library, session

# What a server says that has no time now; everything else from 400 to 499 is meant as said.
_LATER = frozenset({408, 425, 429})
_LONGEST_EXCERPT = 300


async def get_json(url: str, *, timeout: float, headers: Mapping[str, str]) -> Any:
    """What a server answers to GET; `timeout` in seconds.

    Raises:
        StoreUnavailableError: there is no answer, or the server asks to come back later.
        NotFoundError: the server does not know it.
        InvalidRequestError: the server refuses.
        InternalError: the answer is not JSON.
        UnsupportedError: aiohttp is not installed (`agentlightning-compat[http]`).
    """
    return await elsewhere(_exchange("GET", url, None, timeout, headers))


async def post_json(url: str, body: Any, *, timeout: float, headers: Mapping[str, str]) -> Any:
    """What a server answers to a POST of JSON; errors as those of `get_json`."""
    return await elsewhere(_exchange("POST", url, body, timeout, headers))


async def _exchange(
    verb: str, url: str, body: Any, timeout: float, headers: Mapping[str, str]
) -> Any:
    http = library()
    call = f"{verb} {url}"
    limit = http.ClientTimeout(total=timeout)
    try:
        request = session().request(verb, url, json=body, headers=headers, timeout=limit)
        async with request as response:
            text = await response.text(errors="replace")
    except http.InvalidURL as error:
        raise InvalidRequestError(f"{url!r} is no URL that can be asked") from error
    except (asyncio.TimeoutError, OSError, http.ClientError) as error:
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        raise StoreUnavailableError(f"{call}: no answer ({what})") from error
    if response.status >= 400:
        raise _refusal(response.status, call, text)
    try:
        return json.loads(text)
    except ValueError as error:
        raise InternalError(f"{call}: the answer is not JSON: {_excerpt(text)}") from error


def _refusal(status: int, call: str, text: str) -> Exception:
    said = f"{call}: {status} {_excerpt(text)}"
    if status >= 500 or status in _LATER:
        return StoreUnavailableError(said)
    return NotFoundError(said) if status == 404 else InvalidRequestError(said)


def _excerpt(text: str) -> str:
    return text if len(text) <= _LONGEST_EXCERPT else f"{text[:_LONGEST_EXCERPT]}..."
