"""The imports of one file: names moved, added where a person would put them, dropped if unused."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from codemods.edit.import_edits import ImportEdits, Move, Need
from codemods.edit.import_places import of_framework
from codemods.edit.ranges import Edit
from codemods.names.module import Module
from codemods.names.scopes import Binding, Scope, build_scopes
from codemods.names.used import used_names

Saved = tuple[
    dict[ast.alias, Move], set[ast.alias], dict[ast.ImportFrom, list[Move]], dict[Need, str]
]


@dataclass(slots=True, eq=False)
class ImportPlan:
    """All changes to the import statements of one file.

    Rules say what they need (`need`), what moved (`move`) and what must go (`drop`); `edits`
    then gives the changes, with the imports that the rewritten text no longer uses taken out.
    `exported` are names that other files take from this one, `own` its imports of such files.
    """

    module: Module
    exported: frozenset[str] = frozenset()
    own: frozenset[ast.stmt] = frozenset()
    moves: dict[ast.alias, Move] = field(default_factory=dict)
    dropped: set[ast.alias] = field(default_factory=set)
    stars: dict[ast.ImportFrom, list[Move]] = field(default_factory=dict)
    _needs: dict[Need, str] = field(default_factory=dict)

    def home(self, node: ast.AST) -> Scope:
        """The scope whose imports serve `node`: the nearest that imports agentlightning."""
        scope: Scope | None = self.module.table.scopes.get(node, self.module.table.root)
        while scope is not None:
            if scope.kind in ("function", "module") and any(
                of_framework(b.path) for bs in scope.bindings.values() for b in bs
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

    def need_module(self, name: str, node: ast.AST) -> str:
        """The text by which `node`'s place can name a module of the standard library."""
        for binding in self._imports_seen_from(node):
            if binding.kind == "import" and binding.path == name:
                return binding.name
        key = (self.module.table.root, name, "")
        if key not in self._needs:
            bindings = [
                binding
                for scope in self.module.table.inner.values()
                for binding in scope.bindings.get(name, ())
            ]
            # Functions that import the same module themselves are not in the way.
            free = all(b.kind == "import" and b.path == name for b in bindings)
            self._needs[key] = name if free else self._free_name(name, key[0])
        return self._needs[key]

    def _bound(self, path: str, node: ast.AST) -> str | None:
        """How `path` is already reachable where `node` stands."""
        source, _, name = path.rpartition(".")
        for alias, move in self.moves.items():
            if (move.module, move.name) == (source, name) and alias not in self.dropped:
                return move.asname or move.name
        for move in (move for listed_names in self.stars.values() for move in listed_names):
            if (move.module, move.name) == (source, name):
                return move.asname or move.name
        dotted: str | None = None
        listed = False
        for binding in self._imports_seen_from(node):
            if binding.kind == "from" and binding.path == path:
                return binding.name
            listed = listed or (binding.kind == "from" and binding.path.startswith(f"{source}."))
            if binding.kind == "import" and binding.path == source == "agentlightning":
                dotted = dotted or f"{binding.name}.{name}"
        # The file's own way: a dotted name where it writes dotted names, or has no list to add to.
        return dotted if isinstance(node, ast.Attribute) or not listed else None

    def _imports_seen_from(self, node: ast.AST) -> Iterator[Binding]:
        scope: Scope | None = self.module.table.scopes.get(node, self.module.table.root)
        while scope is not None:
            for bindings in scope.bindings.values():
                binding = bindings[0]
                usable = binding.node not in self.moves and binding.node not in self.dropped
                imported = len(bindings) == 1 and binding.kind in ("from", "import")
                if imported and usable and not self.module.in_type_checking(binding.node):
                    yield binding
            scope = scope.parent

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

    def spell_out(self, star: ast.ImportFrom, names: list[Move]) -> None:
        """Import `names` instead of everything; those the result does not use are left out."""
        self.stars[star] = names

    def drop(self, alias: ast.alias) -> None:
        """Take an imported name out, whatever still uses it."""
        self.dropped.add(alias)

    def snapshot(self) -> Saved:
        """The plan as it is now, for `restore`."""
        return dict(self.moves), set(self.dropped), dict(self.stars), dict(self._needs)

    def restore(self, saved: Saved) -> None:
        """Take back everything since `snapshot`."""
        self.moves, self.dropped, self.stars, self._needs = saved

    def edits(self, rewritten: ast.Module | None) -> list[Edit]:
        """The edits of all import statements, given the tree of the otherwise rewritten text."""
        needs, stars = self._needs, self.stars
        if rewritten is not None:
            after = used_names(build_scopes(rewritten))
            self.dropped |= self._unused(after)
            # What one rewrite needed may stand in code that another took away.
            needs = {key: local for key, local in needs.items() if local in after}
            stars = {
                star: [move for move in moves if (move.asname or move.name) in after]
                for star, moves in stars.items()
            }
        edits = ImportEdits(self.module, self.moves, self.dropped, needs, stars, self.own)
        return edits.all()

    def _unused(self, after: set[str]) -> set[ast.alias]:
        """Framework imports that were used before the rewrite and are not any more."""
        before = used_names(self.module.table)
        gone = set()
        for kind in (ast.ImportFrom, ast.Import):
            for node in self.module.table.nodes.get(kind, ()):
                if isinstance(node, ast.ImportFrom) and (
                    node.level or not of_framework(node.module or "")
                ):
                    continue
                assert isinstance(node, ast.ImportFrom | ast.Import)
                for alias in node.names:
                    local = (alias.asname or alias.name).partition(".")[0]
                    move = self.moves.get(alias)
                    now = local if move is None else move.asname or move.name
                    if move is not None and move.asname is None and isinstance(node, ast.Import):
                        now = move.whole.partition(".")[0]
                    framework = isinstance(node, ast.ImportFrom) or of_framework(alias.name)
                    idle = local in before and now not in after and local not in self.exported
                    if framework and idle:
                        gone.add(alias)
        return gone
