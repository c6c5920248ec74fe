"""A bar on the terminal for runs that take long enough to wonder."""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

PATIENCE = 1.0
"""Seconds before a bar appears."""


def is_shown() -> bool:
    """Whether standard error is a terminal that a bar can be drawn on."""
    import os

    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def track(label: str, items: Iterable[T], length: int) -> Iterable[T]:
    """`items` as they are, with a bar on standard error once it takes more than a second."""
    return _tracked(label, items, length) if is_shown() else items


def _tracked(label: str, items: Iterable[T], length: int) -> Iterator[T]:
    import click

    iterator = iter(items)
    begin = monotonic()
    done = 0
    for item in iterator:
        yield item
        done += 1
        if monotonic() - begin > PATIENCE:
            break
    else:
        return
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        bar.update(done)
        for item in iterator:
            yield item
            bar.update(1)
