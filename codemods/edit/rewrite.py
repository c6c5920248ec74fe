"""The edits of one finding, collected by its fixer."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NoReturn

from codemods.edit import statements
from codemods.edit.ranges import Blocked, Edit, Transform, replacement
from codemods.names.module import Module
from codemods.names.scopes import Binding, FunctionNode

if TYPE_CHECKING:
    from codemods.edit.calls import CallEdit
    from codemods.edit.imports import ImportPlan
    from codemods.edit.signatures import SignatureEdit


class Rewrite:
    """What a fixer may do. Its edits are taken whole, or (when one is blocked) not at all."""

    def __init__(self, module: Module, imports: ImportPlan, target: str = "agentlightning") -> None:
        self.module = module
        self.imports = imports
        self.target = target
        self.edits: list[Edit] = []

    def block(self, reason: str) -> NoReturn:
        """Give up this rewrite; the finding stays, with `reason`."""
        raise Blocked(reason)

    def use(self, path: str, node: ast.AST) -> str:
        """The text that names the object at the dotted `path` at `node`'s place.

        `path` is one of the real package (`agentlightning.X`) or of the helpers
        (`agentlightning_compat.legacy.x`); the import is added if it is not there.
        """
        head, dot, rest = path.partition(".")
        if head == "agentlightning":
            path = self.target + dot + rest
        return self.imports.need(path, node)

    def use_module(self, name: str, node: ast.AST) -> str:
        """The text that names a module of the standard library at `node`'s place."""
        return self.imports.need_module(name, node)

    def replace(self, node: ast.AST, text: str) -> None:
        """Put `text` in place of a node; nothing inside it may be edited as well."""
        start, end = self.module.span(node)
        self.edits.append(replacement(start, end, text))

    def replace_span(self, start: int, end: int, text: str) -> None:
        """Put `text` in place of `module.text[start:end]`."""
        self.edits.append(replacement(start, end, text))

    def transform(self, node: ast.AST, change: Transform, rank: int = 0) -> None:
        """Change a node's text as it stands after all edits inside it."""
        start, end = self.module.span(node)
        self.edits.append(Edit(start, end, change, rank))

    def wrap(self, node: ast.expr, before: str, after: str) -> None:
        """Put text around an expression, its own edits kept."""
        self.transform(node, lambda text: f"{before}{text}{after}", rank=50)

    def rename(self, node: ast.Name | ast.Attribute, name: str) -> None:
        """Give a name, or the last part of an attribute, another spelling."""
        start, end = self.module.span(node)
        if isinstance(node, ast.Attribute):
            start = end - len(node.attr)
        self.edits.append(replacement(start, end, name))

    def call(self, node: ast.Call) -> CallEdit:
        """Changes to the arguments of a call."""
        from codemods.edit.calls import CallEdit

        edit = CallEdit(newline=self.module.newline)
        self.transform(node, edit)
        return edit

    def header(self, function: FunctionNode) -> SignatureEdit:
        """Changes to a function's header."""
        from codemods.edit.signatures import SignatureEdit

        edit = SignatureEdit()
        start, end = statements.header_span(self.module, function)
        self.edits.append(Edit(start, end, edit))
        return edit

    def before(self, statement: ast.stmt, lines: str) -> None:
        """Insert statements in front of one."""
        self.edits.append(statements.insert_before(self.module, statement, lines))

    def after(self, statement: ast.stmt, lines: str) -> None:
        """Insert statements behind one."""
        self.edits.append(statements.insert_after(self.module, statement, lines))

    def first_in_body(self, function: FunctionNode, lines: str) -> None:
        """Insert statements at the start of a function's body, behind its docstring."""
        self.edits.append(statements.first_in_body(self.module, function, lines))

    def remove(self, statement: ast.stmt) -> None:
        """Take a statement out."""
        self.edits.append(statements.remove(self.module, statement))

    def rename_uses(self, binding: Binding, name: str) -> None:
        """Give every read of a binding another spelling, in this file."""
        for node in self.module.table.nodes.get(ast.Name, ()):
            assert isinstance(node, ast.Name)
            if node.id == binding.name and isinstance(node.ctx, ast.Load):
                bindings = self.module.table.scopes[node].lookup(node.id)
                if binding in bindings:
                    self.rename(node, name)
