"""Finds what a request means by its verb, path and query string."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qs, unquote

from agentlightning_compat.errors import InvalidRequestError, NotFoundError
from agentlightning_compat.http.wire import OPERATIONS, PREFIX, Operation


class NotAllowed(Exception):
    """A path is not for this verb; `allowed` are those that it is for."""

    def __init__(self, path: str, allowed: str) -> None:
        super().__init__(f"{path} takes {allowed}")
        self.allowed = allowed


class Routes:
    """Finds the operation that a verb and a path mean."""

    def __init__(self) -> None:
        # By number of segments; those without names in them first: `/rollouts/search` is no
        # rollout called search.
        self._by_length: dict[int, list[tuple[Sequence[str], Operation]]] = {}
        for operation in sorted(OPERATIONS, key=lambda row: row.path.count("{")):
            segments = operation.path.split("/")
            self._by_length.setdefault(len(segments), []).append((segments, operation))

    def find(self, verb: str, path: str) -> tuple[Operation, dict[str, str]]:
        """The operation at a path that is still quoted, and the names in it.

        Raises:
            NotFoundError: there is nothing at this path.
            NotAllowed: there is, for other verbs.
        """
        segments = path.split("/")
        others: set[str] = set()
        for pattern, operation in self._by_length.get(len(segments), ()):
            names = _match(pattern, segments)
            if names is None:
                continue
            if operation.verb == verb:
                return operation, names
            others.add(operation.verb)
        if others:
            raise NotAllowed(f"{PREFIX}{path}", ", ".join(sorted(others)))
        raise NotFoundError(f"there is nothing at {PREFIX}{path}")


def _match(pattern: Sequence[str], segments: Sequence[str]) -> dict[str, str] | None:
    names = {}
    for wanted, given in zip(pattern, segments, strict=True):
        if wanted.startswith("{"):
            if not given:
                return None
            names[wanted[1:-1]] = _unquoted(given)
        elif wanted != given:
            return None
    return names


def _unquoted(text: str) -> str:
    try:
        return unquote(text, errors="surrogatepass")
    except UnicodeDecodeError as error:
        raise InvalidRequestError(f"{text} is no quoted UTF-8") from error


def query_of(text: str) -> dict[str, list[str]]:
    """The fields of a query string.

    Raises:
        InvalidRequestError: it cannot be read.
    """
    try:
        return parse_qs(text, keep_blank_values=True, errors="surrogatepass")
    except ValueError as error:  # also for more fields than anybody means
        raise InvalidRequestError(f"the query string cannot be read: {error}") from error
