"""Which package the store API is taken from: `agentlightning` or `agentlightning_compat`.

Both have the same public names. The one that the objects at hand come from wins, because a store
accepts only its own spans and a trainer only its own hooks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

REAL = "agentlightning"
COMPAT = "agentlightning_compat"
ROOTS = (REAL, COMPAT)


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
    Without any, a package that is imported already comes before one that is not.

    Raises:
        ImportError: no installed package has the name.
    """
    cause: ImportError | None = None
    for root in _candidates(hints):
        try:
            module = import_module(root)
        except ImportError as error:
            cause = error
            continue
        found = getattr(module, name, None)
        if found is not None:
            return found
    raise ImportError(
        f"no installed agent-lightning package has {name!r}; the store API is in releases 0.2 and"
        ' 0.3: pip install "agentlightning>=0.3,<1.0"'
    ) from cause


def active_tracer() -> Any | None:
    """Return the tracer whose context is open in this process, without importing anything."""
    for root in ROOTS:
        read = getattr(sys.modules.get(f"{root}.tracer.base"), "get_active_tracer", None)
        tracer = read() if read is not None else None
        if tracer is not None:
            return tracer
    return None


def _candidates(hints: tuple[object, ...]) -> Iterator[str]:
    for hint in hints:
        root = root_of(hint)
        if root is not None:
            yield root
            return
    if REAL in sys.modules:
        yield REAL
        yield COMPAT
    else:
        yield COMPAT
        yield REAL
