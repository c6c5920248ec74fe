"""What is answered to a request that is not done."""

from __future__ import annotations

from pydantic import ValidationError

from agentlightning_compat.errors import CompatError, to_wire
from agentlightning_compat.http.replies import Reply
from agentlightning_compat.http.values import encoded


def wrong_verb(text: str, allowed: str) -> Reply:
    """The path is for other verbs, which are `allowed`."""
    refused = refusal(405, text, "invalid_request")
    return refused._replace(headers=((b"allow", allowed.encode()),))


def failure(error: CompatError) -> Reply:
    """What an error of the runtime is answered with."""
    return Reply(error.status, encoded(to_wire(error)))


def refusal(status: int, text: str, code: str) -> Reply:
    """A problem that has a code of its own."""
    return Reply(status, encoded({"code": code, "detail": text, "retry": False}))


def invalid(error: ValidationError) -> Reply:
    """Fields that a model does not take: which, and why, but not what was in them."""
    detail = error.errors(include_url=False, include_input=False, include_context=False)
    listed = [{**item, "loc": list(item["loc"])} for item in detail]
    return Reply(422, encoded({"detail": listed}))
