"""Where `import asyncio` goes: to the modules of the standard library, at its sorted place."""

from __future__ import annotations

import ast
import sys

from codemods.edit import statements
from codemods.edit.ranges import Edit, replacement
from codemods.names.module import Module


def plain_import(module: Module, name: str, local: str) -> Edit:
    """The edit that imports a module of the standard library, bound as `local`."""
    line = f"import {name}" if local == name else f"import {name} as {local}"
    body = [s for s in module.tree.body if not _first_of_all(s, module)]
    block = _standard_block(body)
    plain = [s for s in block if isinstance(s, ast.Import)]
    later = [s for s in plain if s.names[0].name > name]
    if later:
        return statements.insert_before(module, later[0], line)
    if plain:
        return statements.insert_after(module, plain[-1], line)
    if block:
        return statements.insert_before(module, block[0], line)
    if not body:
        return replacement(len(module.text), len(module.text), line + module.newline)
    return statements.insert_before(module, body[0], f"{line}\n")


def _first_of_all(statement: ast.stmt, module: Module) -> bool:
    """A docstring, or an import from `__future__`."""
    if isinstance(statement, ast.ImportFrom):
        return statement.module == "__future__"
    docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return docstring and statement is module.tree.body[0]


def _standard_block(body: list[ast.stmt]) -> list[ast.Import | ast.ImportFrom]:
    """The first imports, as far as they are of the standard library and on adjacent lines."""
    block: list[ast.Import | ast.ImportFrom] = []
    for statement in body:
        if not isinstance(statement, ast.Import | ast.ImportFrom) or not _standard(statement):
            break
        if block and statement.lineno > (block[-1].end_lineno or 0) + 1:
            break
        block.append(statement)
    return block


def _standard(statement: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(statement, ast.ImportFrom):
        names = ["." * statement.level + (statement.module or "")]
    else:
        names = [alias.name for alias in statement.names]
    return all(name.partition(".")[0] in sys.stdlib_module_names for name in names)
