"""What an expression can be known to stand for."""

from __future__ import annotations

import ast
from typing import NamedTuple

from codemods.names.module import Module
from codemods.names.scopes import FunctionNode


class External(NamedTuple):
    """A name that lives outside the project, by the dotted path through which it was reached."""

    path: str


class ProjectModule(NamedTuple):
    """A file of the project, used as a module object."""

    module: Module


class ProjectClass(NamedTuple):
    """A class that the project defines."""

    module: Module
    node: ast.ClassDef


class ProjectFunction(NamedTuple):
    """A function or method that the project defines."""

    module: Module
    node: FunctionNode


class BoundMethod(NamedTuple):
    """An attribute of an instance whose class lives outside the project."""

    owner: Instance
    name: str


class Instance(NamedTuple):
    """An object of a known class; `call` is the expression that built it, if it is in sight."""

    of: External | ProjectClass
    call: ast.Call | None = None
    module: Module | None = None


Value = External | ProjectModule | ProjectClass | ProjectFunction | BoundMethod | Instance


def same(left: Value, right: Value) -> bool:
    """Whether two values are the same thing, or objects of the same class."""
    if isinstance(left, Instance) and isinstance(right, Instance):
        return left.of == right.of
    return left == right
