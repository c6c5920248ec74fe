"""What an expression can be known to stand for."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from codemods.names.module import Module
from codemods.names.scopes import FunctionNode


@dataclass(frozen=True, slots=True)
class External:
    """A name that lives outside the project, by the dotted path through which it was reached."""

    path: str


@dataclass(frozen=True, slots=True)
class ProjectModule:
    """A file of the project, used as a module object."""

    module: Module


@dataclass(frozen=True, slots=True)
class ProjectClass:
    """A class that the project defines."""

    module: Module
    node: ast.ClassDef


@dataclass(frozen=True, slots=True)
class ProjectFunction:
    """A function or method that the project defines."""

    module: Module
    node: FunctionNode


@dataclass(frozen=True, slots=True)
class BoundMethod:
    """An attribute of an instance whose class lives outside the project."""

    owner: Instance
    name: str


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a known class; `call` is the expression that built it, if it is in sight."""

    of: External | ProjectClass
    call: ast.Call | None = None
    module: Module | None = None


Value = External | ProjectModule | ProjectClass | ProjectFunction | BoundMethod | Instance
