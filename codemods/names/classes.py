"""Classes and what they inherit, over files and into agentlightning."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from codemods.names import known
from codemods.names.module import Module
from codemods.names.values import External, Instance, ProjectClass, Value

if TYPE_CHECKING:
    from codemods.names.annotations import Infers

Mro = Callable[[ProjectClass], Iterable[ProjectClass | External]]


@cache
def external_bases(path: str) -> tuple[str, ...]:
    """A class of agentlightning and those that it inherits from."""
    return (path, *(b for base in known.BASES.get(path, ()) for b in external_bases(base)))


def derives(mro: Mro, value: Value | None, paths: Collection[str]) -> bool:
    """Whether a class, or an instance's class, is one of `paths` or comes from it."""
    of = value.of if isinstance(value, Instance) else value
    if isinstance(of, External):
        return _is_one_of(of.path, paths)
    return isinstance(of, ProjectClass) and any(
        isinstance(base, External) and _is_one_of(base.path, paths) for base in mro(of)
    )


def _is_one_of(path: str, paths: Collection[str]) -> bool:
    return path in paths or any(base in paths for base in external_bases(path)[1:])


def base_of(infers: Infers, module: Module, expression: ast.expr) -> Value | None:
    """What a base-class expression stands for; `Base[T]` is `Base`."""
    if isinstance(expression, ast.Subscript):
        expression = expression.value
    return infers.infer(module, expression)


def mro(infers: Infers, cls: ProjectClass) -> Iterator[ProjectClass | External]:
    """A class and its bases, nearest first; outside bases end each chain."""
    seen: set[ast.ClassDef] = set()
    queue: list[ProjectClass | External] = [cls]
    while queue:
        current = queue.pop(0)
        yield current
        if isinstance(current, External) or current.node in seen:
            continue
        seen.add(current.node)
        for expression in current.node.bases:
            base = base_of(infers, current.module, expression)
            fresh = isinstance(base, ProjectClass) and base.node not in seen
            if isinstance(base, External | ProjectClass) and (fresh or isinstance(base, External)):
                queue.append(base)
