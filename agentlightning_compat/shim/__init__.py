"""`import agentlightning` served from this runtime, for programs that are not migrated yet.

    import agentlightning_compat.shim
    agentlightning_compat.shim.install()

before the program imports `agentlightning`, or `python -m agentlightning_compat script.py`.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import Literal

from agentlightning_compat import usage
from agentlightning_compat.shim.finder import ShimFinder
from agentlightning_compat.shim.table import load

__all__ = ["Generation", "install", "uninstall"]

Generation = Literal["0.1", "0.3"]


def install(as_: Generation = "0.3", *, shadow: bool = False) -> bool:
    """Serve `agentlightning` and its modules from here.

    `as_` decides what the few names mean that 0.1 and 0.3 have for different things, such as
    `Rollout`; names that only one of them has are served in any case. Legacy names are warned
    about where they are used, and written to the file that AGL_MIGRATE_REPORT names.

    Returns:
        False when a real agentlightning is installed: it is left in place, unless `shadow` is
        set.

    Raises:
        RuntimeError: a real agentlightning was imported already and would have to be shadowed.
        ValueError: there is no such generation.
    """
    names = load(as_)
    if _installed() is not None:
        uninstall()
    if not shadow and _real_is_there():
        return False
    if "agentlightning" in sys.modules:
        raise RuntimeError("agentlightning is imported already: install the shim before that")
    usage.start(os.environ.get("AGL_MIGRATE_REPORT"))
    sys.meta_path.insert(0, ShimFinder(names))
    return True


def uninstall() -> None:
    """Serve nothing any more. Objects that a program has keep working."""
    finder = _installed()
    if finder is None:
        return
    sys.meta_path.remove(finder)
    for name in [n for n in sys.modules if n.partition(".")[0] == "agentlightning"]:
        del sys.modules[name]
    usage.stop()


def _installed() -> ShimFinder | None:
    return next((f for f in sys.meta_path if isinstance(f, ShimFinder)), None)


def _real_is_there() -> bool:
    return "agentlightning" in sys.modules or find_spec("agentlightning") is not None
