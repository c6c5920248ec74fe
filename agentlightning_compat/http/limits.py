"""What one request may ask of a server, so that no client can take it away from the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agentlightning_compat.errors import InvalidRequestError
from agentlightning_compat.http.values import DEEPEST
from agentlightning_compat.store.values import is_deeper

# Bytes below which counting brackets is quicker than looking at values.
_SHORT = 1 << 14


@dataclass(frozen=True, slots=True)
class Limits:
    """Each is the most that is taken; more is refused before anything is done.

    body: bytes of a body, also when unpacked. The spans of a long trace fit, or a payload of some
        megabytes.
    head: bytes of the request line and the headers.
    depth: objects and lists within each other in a body, at most 500.
    batch: rollouts, spans, keys or ids in one request, and rollouts that one claim gets: a claim
        of more gets so many.
    page: items in one reply; None for as many as are asked for.
    held: requests that wait for something at a time; others are told at once that there is
        nothing yet.
    """

    body: int = 128 * 1024 * 1024
    head: int = 64 * 1024
    depth: int = 200
    batch: int = 100_000
    page: int | None = None
    held: int = 10_000

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            least = {"page": 2, "held": 0}.get(name, 1)  # a page laps over the one before it
            if value is None and name == "page":
                continue
            if type(value) is not int or value < least:
                raise InvalidRequestError(f"max_{name} is a number from {least}, not {value!r}")
        if self.depth > DEEPEST:
            raise InvalidRequestError(f"max_depth is at most {DEEPEST}, not {self.depth}")

    def check_depth(self, data: bytes, body: Any) -> None:
        """Refuse JSON that goes too deep for those who follow it down; `body` is what it says.

        Raises:
            InvalidRequestError: it does.
        """
        size = len(data)
        # Most bodies have less brackets than levels would need.
        if size <= 2 * self.depth or (
            size < _SHORT and data.count(b"[") + data.count(b"{") <= self.depth
        ):
            return
        if is_deeper(body, self.depth):
            raise InvalidRequestError(f"a body has at most {self.depth} levels")

    def check_batch(self, body: Any) -> None:
        """Refuse a body that lists too much.

        Raises:
            InvalidRequestError: it does.
        """
        if isinstance(body, dict):
            for name, value in body.items():
                # A rollout's input is one thing, whatever it is made of.
                if type(value) is list and len(value) > self.batch and name != "input":
                    raise InvalidRequestError(f"{name} has at most {self.batch} items")


DEFAULT = Limits()
