"""Acting once for requests that arrive twice, also if the store was opened anew in between.

Who repeats a request gives it the key that it had before. The ids that it makes are made from
that key, so that what it did the first time is found under them, in the transactions of the store
itself: nothing has to be written, or removed later, for requests that are never repeated. Only a
repeated one looks.

- Queuing and starting rollouts, adding resources: the ids are unique. A repeated request is
  answered with what is there, as it is now.
- Claims and further attempts: a repeated claim is answered with the attempts that have its ids
  and of which nothing was heard; a sweep may have taken them back, then it claims anew.
- Spans are known by their own ids. A repeated request is told that they were there.
- Updates say what something becomes: doing them again changes nothing but times, and the version
  of a set of resources. Between both, others may have moved a rollout on; then it is moved back.
- Numbers of spans are given out once more: some are left out.
"""

from __future__ import annotations

import hashlib
from contextvars import ContextVar
from typing import NamedTuple


class Once(NamedTuple):
    """One act of a request. `again`: it may have been done before; `only`: if it was not, it is
    not to be done any more."""

    key: str
    again: bool = False
    only: bool = False

    def rollout_id(self, number: int = 0) -> str:
        """The id of the so manieth new rollout."""
        return f"ro-{self._digits('ro', number)[:12]}"

    def attempt_id(self, number: int = 0) -> str:
        """The id of the so manieth new attempt."""
        return f"at-{self._digits('at', number)[:8]}"

    def resources_id(self) -> str:
        """The id of a new set of resources."""
        return f"rs-{self._digits('rs', 0)[:12]}"

    def _digits(self, kind: str, number: int) -> str:
        return hashlib.sha256(f"{kind} {number} {self.key}".encode()).hexdigest()


class Request:
    """A request with a key; each act of it gets a key of its own, in their order."""

    __slots__ = ("_acts", "_once")

    def __init__(self, once: Once) -> None:
        self._once = once
        self._acts = 0

    def act(self) -> Once:
        """The next act."""
        self._acts += 1
        return self._once._replace(key=f"{self._once.key} {self._acts}")


# The request that is being answered.
asked: ContextVar[Request | None] = ContextVar("asked", default=None)


def once() -> Once | None:
    """The next act of the request that is being answered; None if it has no key."""
    request = asked.get()
    return None if request is None else request.act()
