"""The token that servers ask for and clients show."""

from __future__ import annotations

import os

from agentlightning_compat.errors import InvalidRequestError

VARIABLE = "AGL_SERVER_TOKEN"


def given(token: str | None) -> str | None:
    """The token, that of AGL_SERVER_TOKEN if there is none, or None.

    Raises:
        InvalidRequestError: it cannot be part of a request.
    """
    found = token or os.environ.get(VARIABLE) or None
    if found is not None and not (found.isascii() and found.isprintable() and " " not in found):
        raise InvalidRequestError("a token has letters, digits and signs of ASCII, and no spaces")
    return found
