"""One parsed file of the user's project."""

from __future__ import annotations

import ast
import re
from functools import cached_property

from codemods.names.scopes import Binding, Scope, ScopeTable, build_scopes


class Module:
    """A file, its text and what its syntax tree says.

    `import_names` are the dotted names under which other files may import it, longest first.
    `awaits` says that `await` may stand outside of functions, as in a notebook's cells.
    """

    def __init__(
        self,
        path: str,
        text: str,
        tree: ast.Module,
        import_names: tuple[str, ...] = (),
        is_package: bool = False,
        awaits: bool = False,
    ) -> None:
        self.path = path
        self.text = text
        self.tree = tree
        self.import_names = import_names
        self.is_package = is_package
        self.awaits = awaits
        self.self_attributes: dict[tuple[ast.AST, str], list[Binding]] | None = None

    @cached_property
    def table(self) -> ScopeTable:
        """Scopes, parents and nodes by type."""
        return build_scopes(self.tree)

    @cached_property
    def imported(self) -> dict[str, list[Binding]]:
        """The bindings of each name that an import statement of any scope binds."""
        found: dict[str, list[Binding]] = {}
        for scope in self.table.inner.values():
            for name, bindings in scope.bindings.items():
                imports = [b for b in bindings if b.kind in ("from", "import")]
                if imports:
                    found.setdefault(name, []).extend(imports)
        return found

    @cached_property
    def returns(self) -> dict[ast.AST, list[ast.Return]]:
        """The return statements of each function, not of functions inside it."""
        found: dict[ast.AST, list[ast.Return]] = {}
        for node in self.table.nodes.get(ast.Return, ()):
            assert isinstance(node, ast.Return)
            function = self.enclosing(node, ast.FunctionDef, ast.AsyncFunctionDef)
            if function is not None:
                found.setdefault(function, []).append(node)
        return found

    def prepare(self) -> None:
        """Work out scopes now, and not at the first question."""
        self.table  # noqa: B018 - a property that keeps its value

    @cached_property
    def names(self) -> dict[str, list[ast.Name]]:
        """The name nodes of the file by what they spell, in source order."""
        found: dict[str, list[ast.Name]] = {}
        for node in self.table.nodes.get(ast.Name, ()):
            assert isinstance(node, ast.Name)
            found.setdefault(node.id, []).append(node)
        return found

    @cached_property
    def attributes(self) -> dict[str, list[ast.Attribute]]:
        """The attribute nodes of the file by their last name, in source order."""
        found: dict[str, list[ast.Attribute]] = {}
        for node in self.table.nodes.get(ast.Attribute, ()):
            assert isinstance(node, ast.Attribute)
            found.setdefault(node.attr, []).append(node)
        return found

    @cached_property
    def words(self) -> frozenset[str]:
        """The names, attributes, keywords (`**` for a spread dict) and functions of the file."""
        nodes = self.table.nodes
        keywords = (n for n in nodes.get(ast.keyword, ()) if isinstance(n, ast.keyword))
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        functions = (getattr(node, "name", "") for kind in kinds for node in nodes.get(kind, ()))
        return frozenset(
            (*self.names, *self.attributes, *(k.arg or "**" for k in keywords), *functions)
        )

    @cached_property
    def _line_starts(self) -> list[int]:
        # ast counts lines by \n, \r\n and \r only; str.splitlines would find more.
        newlines = re.compile(r"\r\n?|\n") if "\r" in self.text else re.compile(r"\n")
        return [0, *(found.end() for found in newlines.finditer(self.text))]

    @cached_property
    def newline(self) -> str:
        """The line ending that the file uses (the first one seen)."""
        first = self.text.find("\n")
        if first == -1:
            return "\r" if "\r" in self.text else "\n"
        return "\r\n" if first and self.text[first - 1] == "\r" else "\n"

    def offset(self, line: int, column: int) -> int:
        """The index in `text` of a line (from 1) and a column in UTF-8 bytes (from 0)."""
        starts = self._line_starts
        start = starts[line - 1]
        end = starts[line] if line < len(starts) else len(self.text)
        row = self.text[start:end]
        if row.isascii():
            return start + column
        return start + len(row.encode()[:column].decode())

    def position(self, offset: int) -> tuple[int, int]:
        """The line (from 1) and column in characters (from 1) of an index in `text`."""
        import bisect

        line = bisect.bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Start and end of a node in `text`; of a decorated definition from its `def`."""
        start = self.offset(getattr(node, "lineno"), getattr(node, "col_offset"))  # noqa: B009
        end_line, end_column = getattr(node, "end_lineno"), getattr(node, "end_col_offset")  # noqa: B009
        return start, self.offset(end_line, end_column)

    def source(self, node: ast.AST) -> str:
        """The text of a node as it stands in the file."""
        start, end = self.span(node)
        return self.text[start:end]

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node around `node`."""
        return self.table.parents.get(node)

    def scope(self, node: ast.AST) -> Scope:
        """The scope in which `node` is evaluated."""
        return self.table.scopes[node]

    def enclosing(self, node: ast.AST, *types: type[ast.AST]) -> ast.AST | None:
        """The nearest node around `node` of one of `types`."""
        current = self.table.parents.get(node)
        while current is not None and not isinstance(current, types):
            current = self.table.parents.get(current)
        return current

    def in_type_checking(self, node: ast.AST) -> bool:
        """Whether a node stands under `if TYPE_CHECKING:`."""
        guard = self.enclosing(node, ast.If)
        while isinstance(guard, ast.If):
            test = guard.test
            name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
            if name == "TYPE_CHECKING":
                return True
            guard = self.enclosing(guard, ast.If)
        return False

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that holds `node` (itself, if it is one)."""
        current: ast.AST | None = node
        while current is not None and not isinstance(current, ast.stmt):
            current = self.table.parents.get(current)
        assert current is not None
        return current
