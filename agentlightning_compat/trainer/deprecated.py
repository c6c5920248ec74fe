"""Arguments of the trainer that have other names now."""

from __future__ import annotations

import sys
import warnings
from typing import Any

_PACKAGE = __name__.partition(".")[0]


def renamed(old: str, given: Any, new: str, value: Any) -> Any:
    """What counts of an argument that may be given by its old name; warns at the user's line."""
    if given is None:
        return value
    warn(f"`{old}` of Trainer is deprecated: use `{new}`")
    if value is None:
        return given
    if given != value:
        warn(f"`{old}` of Trainer is ignored because `{new}` is given")
    return value


def dev_flag() -> None:
    """Warn of `Trainer(dev=True)`."""
    warn("Trainer(dev=True) is deprecated: call Trainer.dev(...)")


def no_effect(name: str, why: str) -> None:
    """Warn of an argument that does nothing."""
    warn(f"`{name}` of Trainer is deprecated and has no effect: {why}")


def warn(text: str) -> None:
    """Warn at the user's line."""
    warnings.warn(text, DeprecationWarning, stacklevel=_users_level())


def _users_level() -> int:
    """How far up the first frame is that is not of this package."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] != _PACKAGE:
            return level
        frame, level = frame.f_back, level + 1
    return level
