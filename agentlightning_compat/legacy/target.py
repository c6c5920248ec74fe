"""Which package the store API is taken from: `agentlightning` or `agentlightning_compat`.

Both have the same public names. The one that the objects at hand come from wins, because a store
accepts only its own spans and a trainer only its own hooks.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from typing import Any

REAL = "agentlightning"
COMPAT = "agentlightning_compat"
ROOTS = (REAL, COMPAT)
# All of our API loads it, none of these helpers does.
_MODEL = f"{COMPAT}.model"
_used: list[str] = []


def use(root: str | None) -> None:
    """Say which package this program runs on, for where it cannot be told; None: not any more.

    Raises:
        ValueError: `root` is neither "agentlightning" nor "agentlightning_compat".
    """
    if root is not None and root not in ROOTS:
        raise ValueError(f"{root!r} is none of {', '.join(ROOTS)}")
    _used[:] = [] if root is None else [root]


def root_of(value: object) -> str | None:
    """Return the package that defines the class of `value` or one of its bases, if it is ours."""
    cls = value if isinstance(value, type) else type(value)
    for base in cls.__mro__:
        module = base.__module__
        # The helpers' own classes say nothing about where the caller's objects come from.
        if f"{module}.".startswith(f"{COMPAT}.legacy."):
            continue
        root = module.partition(".")[0]
        if root in ROOTS:
            return root
    return None


def api(name: str, *hints: object) -> Any:
    """Return the store API's public object called `name`.

    `hints` are objects of the running program; the package of the first telling one is used.
    Without any it is the one that `use` named, or the only one that the program has imported or
    could import.

    Raises:
        ImportError: that package does not have the name, or it could be either of the two.
    """
    root = _chosen(hints)
    cause: ImportError | None = None
    try:
        found = getattr(import_module(root), name, None)
    except ImportError as error:
        found, cause = None, error
    if found is not None:
        return found
    raise ImportError(
        f"{root} has no {name!r} here; the store API is in releases 0.2 and 0.3:"
        ' pip install "agentlightning>=0.3,<1.0"'
    ) from cause


def active_tracer() -> Any | None:
    """Return the tracer whose context is open in this process, without importing anything."""
    for root in ROOTS:
        read = getattr(sys.modules.get(f"{root}.tracer.base"), "get_active_tracer", None)
        tracer = read() if read is not None else None
        if tracer is not None:
            return tracer
    return None


def _chosen(hints: tuple[object, ...]) -> str:
    for hint in hints:
        root = root_of(hint)
        if root is not None:
            return root
    if _used:
        return _used[0]
    real, ours = _real_is_imported(), _MODEL in sys.modules
    if real != ours:
        return REAL if real else COMPAT
    if not real and not _real_is_installed():
        return COMPAT
    which = "imported" if real else "installed, and neither is imported yet"
    raise ImportError(
        f"{REAL} and {COMPAT} are both {which}: say which one this program runs on, with"
        f" agentlightning_compat.legacy.target.use({REAL!r}) or use({COMPAT!r})"
    )


def _real_is_imported() -> bool:
    module = sys.modules.get(REAL)
    return module is not None and not _is_shim(module.__spec__)


def _real_is_installed() -> bool:
    if REAL in sys.modules:  # as the shim, or None: then it cannot be imported
        return False
    spec = find_spec(REAL)
    return spec is not None and not _is_shim(spec)


def _is_shim(spec: ModuleSpec | None) -> bool:
    # What the shim serves under the real package's name are our objects.
    return type(getattr(spec, "loader", None)).__module__.startswith(f"{COMPAT}.")
