"""Says once per line of the user's program that something was not taken as it may look.

Through `logging`, not `warnings`: importing agentlightning 0.3 replaces `warnings.showwarning`, so
a warning would be seen by nobody.
"""

from __future__ import annotations

import logging
import sys

_LOGGER = logging.getLogger("agentlightning_compat.legacy")
_PACKAGE = "agentlightning_compat."
_said: set[tuple[str, str]] = set()


def users_line() -> str:
    """Return `file:line` of the innermost frame that is not inside this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__")):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def complain(message: str) -> None:
    """Log `message` with the user's line, the first time that this line gives cause for it."""
    line = users_line()
    if (line, message) not in _said:
        _said.add((line, message))
        _LOGGER.warning("%s: %s", line, message)


def shown(value: object, limit: int = 80) -> str:
    """Return the type and the start of the representation of `value`, for a message."""
    try:
        text = repr(value)
    except Exception as error:  # a broken __repr__ must not hide the complaint
        text = f"<no repr: {type(error).__name__}>"
    if len(text) > limit:
        text = text[: limit - 3] + "..."
    return f"{type(value).__name__} {text}"


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and module.startswith(_PACKAGE)
