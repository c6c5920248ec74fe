"""The imports of one file: names moved, added where a person would put them, dropped if unused."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from codemods.edit import statements
from codemods.edit.import_statement import ImportedName, rewrite_from
from codemods.edit.ranges import Edit, replacement
from codemods.names.module import Module
from codemods.names.scopes import Scope, ScopeTable, build_scopes


@dataclass(frozen=True, slots=True)
class Move:
    """Where an imported name comes from now, and what it is called there."""

    module: str
    name: str
    asname: str | None


_Need = tuple[Scope, str, str]


@dataclass(slots=True, eq=False)
class ImportPlan:
    """All changes to the import statements of one file.

    Rules say what they need (`need`), what moved (`move`) and what must go (`drop`); `edits`
    then gives the changes, with the imports that the rewritten text no longer uses taken out.
    """

    module: Module
    exported: frozenset[str] = frozenset()
    moves: dict[ast.alias, Move] = field(default_factory=dict)
    dropped: set[ast.alias] = field(default_factory=set)
    _needs: dict[_Need, str] = field(default_factory=dict)

    def home(self, node: ast.AST) -> Scope:
        """The scope whose imports serve `node`: the nearest that imports agentlightning."""
        scope: Scope | None = self.module.table.scopes.get(node, self.module.table.root)
        while scope is not None:
            if scope.kind in ("function", "module") and any(
                _of_framework(b.path) for bs in scope.bindings.values() for b in bs
            ):
                return scope
            scope = scope.parent
        return self.module.table.root

    def need(self, path: str, node: ast.AST, package: str = "agentlightning") -> str:
        """The text by which `node`'s place can name the object at `path`; imports it if need be."""
        source, _, name = path.rpartition(".")
        known = self._bound(path, node)
        if known is not None:
            return known
        scope = self.home(node)
        planned = self._needs.get((scope, source, name))
        if planned is not None:
            return planned
        local = self._free_name(name, scope)
        self._needs[scope, source, name] = local
        return local

    def _bound(self, path: str, node: ast.AST) -> str | None:
        """How `path` is already reachable where `node` stands."""
        source, _, name = path.rpartition(".")
        for alias, move in self.moves.items():
            if (move.module, move.name) == (source, name) and alias not in self.dropped:
                return move.asname or move.name
        scope: Scope | None = self.module.table.scopes.get(node, self.module.table.root)
        while scope is not None:
            for local, bindings in scope.bindings.items():
                for binding in bindings:
                    usable = binding.node not in self.moves and binding.node not in self.dropped
                    if len(bindings) != 1 or not usable or self._in_type_checking(binding.node):
                        continue
                    if binding.kind == "from" and binding.path == path:
                        return local
                    if binding.kind == "import" and binding.path == source == "agentlightning":
                        return f"{local}.{name}"
            scope = scope.parent
        return None

    def _in_type_checking(self, node: ast.AST) -> bool:
        guard = self.module.enclosing(node, ast.If)
        while isinstance(guard, ast.If):
            test = guard.test
            name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
            if name == "TYPE_CHECKING":
                return True
            guard = self.module.enclosing(guard, ast.If)
        return False

    def _free_name(self, name: str, scope: Scope) -> str:
        if not self.taken(name):
            return name
        candidate = f"agl_{name}" if name.islower() else f"Agl{name}"
        while self.taken(candidate):
            candidate += "_"
        return candidate

    def taken(self, name: str) -> bool:
        """Whether any scope of the file binds `name` (or it is a name planned already)."""
        if name in self._needs.values():
            return True
        scopes = self.module.table.inner.values()
        return any(
            binding.node not in self.dropped
            for scope in scopes
            for binding in scope.bindings.get(name, ())
            if not (binding.node in self.moves and (scope.kind == "module"))
        )

    def move(self, alias: ast.alias, path: str, asname: str | None) -> None:
        """Import the name of `alias` from `path` instead, bound as `asname` (None: as itself)."""
        source, _, name = path.rpartition(".")
        self.moves[alias] = Move(source, name, asname)

    def drop(self, alias: ast.alias) -> None:
        """Take an imported name out, whatever still uses it."""
        self.dropped.add(alias)

    def snapshot(self) -> tuple[dict[ast.alias, Move], set[ast.alias], dict[_Need, str]]:
        """The plan as it is now, for `restore`."""
        return dict(self.moves), set(self.dropped), dict(self._needs)

    def restore(
        self, saved: tuple[dict[ast.alias, Move], set[ast.alias], dict[_Need, str]]
    ) -> None:
        """Take back everything since `snapshot`."""
        self.moves, self.dropped, self._needs = saved

    def edits(self, rewritten: ast.Module | None) -> list[Edit]:
        """The edits of all import statements, given the tree of the otherwise rewritten text."""
        if rewritten is not None:
            self.dropped |= self._unused(rewritten)
        pending = dict(self._needs)
        edits: list[Edit] = []
        for node in self.module.table.nodes.get(ast.ImportFrom, ()):
            assert isinstance(node, ast.ImportFrom)
            edits += self._statement(node, pending)
        for node in self.module.table.nodes.get(ast.Import, ()):
            assert isinstance(node, ast.Import)
            edits += self._plain(node)
        return edits + self._inserted(pending)

    def _statement(self, node: ast.ImportFrom, pending: dict[_Need, str]) -> list[Edit]:
        source = node.module or ""
        if node.level or not _of_framework(source):
            return []
        scope = self.module.table.scopes[node]
        kept: dict[int, ImportedName] = {}
        leaving: list[Move] = []
        for index, alias in enumerate(node.names):
            move = self.moves.get(alias)
            if alias in self.dropped:
                continue
            if move is None:
                kept[index] = ImportedName(alias.name, alias.asname)
            elif move.module == source:
                kept[index] = ImportedName(move.name, move.asname)
            else:
                leaving.append(move)
        added = [] if self._in_type_checking(node) else self._claim(scope, source, pending)
        unchanged = len(kept) == len(node.names) and not self.moves.keys() & set(node.names)
        if unchanged and not added:
            return []
        return self._emit(node, kept, leaving, added)

    def _claim(self, scope: Scope, source: str, pending: dict[_Need, str]) -> list[ImportedName]:
        mine = [key for key in pending if key[0] is scope and key[1] == source]
        return [_imported(key[2], pending.pop(key)) for key in mine]

    def _emit(
        self,
        node: ast.ImportFrom,
        kept: dict[int, ImportedName],
        leaving: list[Move],
        added: list[ImportedName],
    ) -> list[Edit]:
        start, end = self.module.span(node)
        groups: dict[str, list[ImportedName]] = {}
        for move in leaving:
            groups.setdefault(move.module, []).append(ImportedName(move.name, move.asname))
        lines = [_line(source, names) for source, names in sorted(groups.items())]
        if not kept and not added and not lines:
            return [statements.remove(self.module, node)]
        if not kept and not added:
            first, *rest = lines
            edits = [replacement(start, end, first)]
        else:
            rest = lines
            edits = [Edit(start, end, lambda text: rewrite_from(text, kept, added))]
        return edits + [
            statements.insert_after(self.module, node, line, rank) for rank, line in enumerate(rest)
        ]

    def _plain(self, node: ast.Import) -> list[Edit]:
        gone = [alias for alias in node.names if alias in self.dropped or alias in self.moves]
        if not gone:
            return []
        kept = [
            f"{alias.name} as {alias.asname}" if alias.asname else alias.name
            for alias in node.names
            if alias not in gone
        ]
        moved = [self.moves[alias] for alias in gone if alias not in self.dropped]
        lines = [f"import {', '.join(kept)}"] if kept else []
        lines += [_line(move.module, [ImportedName(move.name, move.asname)]) for move in moved]
        if not lines:
            return [statements.remove(self.module, node)]
        start, end = self.module.span(node)
        first, *rest = lines
        return [replacement(start, end, first)] + [
            statements.insert_after(self.module, node, line, rank) for rank, line in enumerate(rest)
        ]

    def _inserted(self, pending: dict[_Need, str]) -> list[Edit]:
        grouped: dict[tuple[Scope, str], list[ImportedName]] = {}
        for (scope, source, name), local in pending.items():
            grouped.setdefault((scope, source), []).append(_imported(name, local))
        edits = []
        for rank, ((scope, source), names) in enumerate(
            sorted(grouped.items(), key=lambda item: item[0][1])
        ):
            edits.append(self._insert(scope, source, _line(source, names), 10 + rank))
        return edits

    def _insert(self, scope: Scope, source: str, line: str, rank: int) -> Edit:
        anchor = _anchor(self.module, scope, source)
        if anchor is not None:
            statement, behind = anchor
            if behind:
                return statements.insert_after(self.module, statement, line, rank)
            return statements.insert_before(self.module, statement, line, rank)
        end = len(self.module.text)
        return replacement(end, end, line + self.module.newline, rank)

    def _unused(self, rewritten: ast.Module) -> set[ast.alias]:
        """Framework imports that were used before the rewrite and are not any more."""
        before = used_names(self.module.table)
        after = used_names(build_scopes(rewritten))
        gone = set()
        for kind in (ast.ImportFrom, ast.Import):
            for node in self.module.table.nodes.get(kind, ()):
                if isinstance(node, ast.ImportFrom) and (
                    node.level or not _of_framework(node.module or "")
                ):
                    continue
                assert isinstance(node, ast.ImportFrom | ast.Import)
                for alias in node.names:
                    local = (alias.asname or alias.name).partition(".")[0]
                    framework = isinstance(node, ast.ImportFrom) or _of_framework(alias.name)
                    idle = local in before and local not in after and local not in self.exported
                    if framework and idle and alias not in self.moves:
                        gone.add(alias)
        return gone


def used_names(table: ScopeTable) -> set[str]:
    """Names that are read anywhere, listed in `__all__`, or written in a string annotation."""
    used = set()
    for node in table.nodes.get(ast.Name, ()):
        assert isinstance(node, ast.Name)
        if not isinstance(node.ctx, ast.Store):
            used.add(node.id)
    for constant in table.string_annotations:
        used.update(_words(str(constant.value)))
    for binding in table.root.bindings.get("__all__", ()):
        statement = table.parents[binding.node]
        for part in ast.walk(statement):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                used.add(part.value)
    for call in table.nodes.get(ast.Call, ()):
        assert isinstance(call, ast.Call)
        if getattr(call.func, "id", getattr(call.func, "attr", "")) in ("cast", "TypeVar"):
            for part in [*call.args, *(k.value for k in call.keywords)]:
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    used.update(_words(part.value))
    return used


def _words(text: str) -> Iterable[str]:
    word = ""
    for char in text + " ":
        if char.isidentifier() or (word and char.isdigit()):
            word += char
        elif word:
            yield word
            word = ""


def _of_framework(path: str) -> bool:
    return path.partition(".")[0] in ("agentlightning", "agentlightning_compat")


def _imported(name: str, local: str) -> ImportedName:
    return ImportedName(name, None if local == name else local)


def _line(source: str, names: Iterable[ImportedName]) -> str:
    unique = sorted(set(names), key=lambda n: n.name)
    return f"from {source} import {', '.join(str(name) for name in unique)}"


def _anchor(module: Module, scope: Scope, source: str) -> tuple[ast.stmt, bool] | None:
    """The statement beside which a new import goes, and whether it goes behind it."""
    body: list[ast.stmt] = getattr(scope.node, "body", [])
    imports = [s for s in body if isinstance(s, ast.Import | ast.ImportFrom)]
    related = [s for s in imports if _of_framework(_source_of(s))]
    if related:
        earlier = [s for s in related if _source_of(s) <= source]
        return (earlier[-1], True) if earlier else (related[0], False)
    if imports:
        return imports[-1], True
    nested = [
        s for s in module.table.nodes.get(ast.ImportFrom, []) if module.table.scopes[s] is scope
    ]
    if nested and isinstance(nested[0], ast.stmt):
        top = nested[0]
        while module.parent(top) is not scope.node:
            parent = module.parent(top)
            assert isinstance(parent, ast.stmt)
            top = parent
        return top, True
    if not body:
        return None
    has_docstring = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return (body[0], True) if has_docstring else (body[0], False)


def _source_of(statement: ast.stmt) -> str:
    if isinstance(statement, ast.ImportFrom):
        return statement.module or ""
    assert isinstance(statement, ast.Import)
    return statement.names[0].name
