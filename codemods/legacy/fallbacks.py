"""`try: import ... except ImportError: import ...`: which branch agentlightning 0.3.0 takes."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from codemods import api_map
from codemods.context import FileContext
from codemods.legacy.dynamic import ALSO_IN
from codemods.names.module import Module

Standing = Literal["there", "gone", "unknown"]

_CAUGHT = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "AttributeError"})
# Tuples are read by their parts; this is what must be among them.
_MEANT = frozenset({"ImportError", "ModuleNotFoundError"})


def catches_imports(node: ast.Try) -> bool:
    """Whether every handler of a `try` is there for an import that fails."""
    return bool(node.handlers) and all(_caught(handler) for handler in node.handlers)


def _caught(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {getattr(kind, "id", "") for kind in kinds}
    return bool(names & _MEANT) and names <= _CAUGHT


def imports(body: Sequence[ast.stmt]) -> list[tuple[ast.alias, str]]:
    """The names that statements import from agentlightning, with their paths as written."""
    found = []
    for statement in body:
        if isinstance(statement, ast.ImportFrom) and not statement.level:
            found += [(alias, f"{statement.module}.{alias.name}") for alias in statement.names]
        elif isinstance(statement, ast.Import):
            found += [(alias, alias.name) for alias in statement.names]
    return [(alias, path) for alias, path in found if path.partition(".")[0] == "agentlightning"]


def standing(path: str) -> Standing:
    """Whether an import of `path` succeeds in 0.3.0."""
    api = api_map.load()
    row = api.modules.get(path)
    if row is not None:
        stays = path in ("agentlightning.reward", row.replacement["agentlightning"])
        return "there" if stays else "gone"
    parent, _, name = path.rpartition(".")
    row = api.lookup(path)
    if row is not None and row.kind not in ("method", "attribute", "parameter"):
        return "there" if "0.3.0" in row.exists.get(path, ()) else "gone"
    if path in _todays() or parent in ALSO_IN.get(name, ()):
        return "there"
    return "gone" if parent in api.modules and standing(parent) == "gone" else "unknown"


@lru_cache(maxsize=1)
def _todays() -> frozenset[str]:
    """The paths that rewritten code gets."""
    rows = [*api_map.load().symbols, *api_map.load().modules.values()]
    return frozenset(row.replacement["agentlightning"] or "" for row in rows)


def overall(body: Sequence[ast.stmt]) -> Standing:
    """Whether the framework imports of a branch succeed: all, not all, or it cannot be told."""
    found = {standing(path) for _, path in imports(body)}
    if "gone" in found:
        return "gone"
    return "there" if found == {"there"} else "unknown"


def bound(body: Sequence[ast.stmt]) -> set[str] | None:
    """The names that a branch of imports and plain assignments binds; None if it does more."""
    names: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names |= {(a.asname or a.name).partition(".")[0] for a in statement.names}
        elif isinstance(statement, ast.Assign) and isinstance(
            statement.value, ast.Constant | ast.Name | ast.Attribute
        ):
            names |= {getattr(target, "id", "") for target in statement.targets}
        elif not isinstance(statement, ast.Pass):
            return None
    return names


def may_be_missing(ctx: FileContext) -> bool:
    """Whether the project runs without agentlightning, as far as its imports tell.

    It does where each of them waits for a function to be called, or catches a failure.
    """
    return not ctx.project.anywhere(may_be_missing, lambda _, module: _needs(module))


def _needs(module: Module) -> bool:
    for kind in (ast.Import, ast.ImportFrom):
        for node in module.table.nodes.get(kind, ()):
            assert isinstance(node, ast.Import | ast.ImportFrom)
            at_once = module.table.scopes[node].kind == "module"
            if at_once and imports([node]) and not _guarded(module, node):
                return True
    return False


def _guarded(module: Module, node: ast.stmt) -> bool:
    around = module.enclosing(node, ast.Try, ast.If)
    if isinstance(around, ast.If):
        return "TYPE_CHECKING" in ast.unparse(around.test)
    return isinstance(around, ast.Try) and catches_imports(around)
