"""From a plan of what is imported to the edits of one file's import statements."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from codemods.edit import statements
from codemods.edit.import_places import Place, of_framework, place_for
from codemods.edit.imported import ImportedName
from codemods.edit.plain_imports import plain_import
from codemods.edit.ranges import Edit, replacement
from codemods.names.module import Module
from codemods.names.scopes import Scope

# Scope, module, name in it; without a name, the module itself is needed.
Need = tuple[Scope, str, str]


class Move(NamedTuple):
    """Where an imported name comes from now, and what it is called there."""

    module: str
    name: str
    asname: str | None

    @property
    def whole(self) -> str:
        """The dotted path; a package at the top has no module to be in."""
        return f"{self.module}.{self.name}" if self.module else self.name

    @property
    def imported(self) -> ImportedName:
        """The name as an import statement of its new module lists it."""
        return ImportedName(self.name, None if self.asname == self.name else self.asname)


@dataclass(slots=True, eq=False)
class _Statement:
    """What becomes of one `from` statement: names that stay, that come, and lines behind it."""

    node: ast.ImportFrom
    source: str
    kept: dict[int, ImportedName]
    added: list[ImportedName] = field(default_factory=list)
    groups: dict[str, dict[int, ImportedName]] = field(default_factory=dict)
    joined: dict[str, list[ImportedName]] = field(default_factory=dict)

    @property
    def unchanged(self) -> bool:
        return not self.added and not self.groups and self.kept == _listed(self.node)


@dataclass(slots=True, eq=False)
class ImportEdits:
    """The edits for moved, dropped and needed names of one file."""

    module: Module
    moves: Mapping[ast.alias, Move]
    dropped: Set[ast.alias]
    needs: Mapping[Need, str]
    stars: Mapping[ast.ImportFrom, Sequence[Move]]
    own: Set[ast.stmt] = frozenset()

    def all(self) -> list[Edit]:
        """The edits of every import statement, and of statements that are new."""
        pending = {key: local for key, local in self.needs.items() if key[2]}
        edits: list[Edit] = [
            plain_import(self.module, source, local)
            for (_, source, name), local in self.needs.items()
            if not name
        ]
        blocks: dict[int, list[_Statement]] = {}
        for node in self.module.table.nodes.get(ast.ImportFrom, ()):
            assert isinstance(node, ast.ImportFrom)
            star = node.names[0].name == "*" and node not in self.stars
            if not node.level and of_framework(node.module or "") and not star:
                block = statements.suite(self.module, node)
                blocks.setdefault(id(block), []).append(self._sorted_out(node))
        for block_statements in blocks.values():
            self._settle(block_statements)
            for statement in block_statements:
                self._claim(statement, pending)
                edits += self._emit(statement)
        for plain in self.module.table.nodes.get(ast.Import, ()):
            assert isinstance(plain, ast.Import)
            edits += self._plain(plain)
        return edits + self._inserted(pending)

    def _sorted_out(self, node: ast.ImportFrom) -> _Statement:
        source = node.module or ""
        statement = _Statement(node, source, {})
        for index, spelled in enumerate(self.stars.get(node, ())):
            statement.groups.setdefault(spelled.module, {})[index] = spelled.imported
        if node in self.stars:
            return statement
        for index, alias in enumerate(node.names):
            move = self.moves.get(alias)
            if alias in self.dropped:
                continue
            if move is None:
                statement.kept[index] = ImportedName(alias.name, alias.asname)
            elif move.module == source:
                statement.kept[index] = move.imported
            else:
                statement.groups.setdefault(move.module, {})[index] = move.imported
        return statement

    @staticmethod
    def _settle(block: list[_Statement]) -> None:
        """Let names that leave for one module meet in one statement of the block."""
        hosts = {s.source: s for s in reversed(block) if s.kept}
        owners: dict[str, _Statement] = {}
        for statement in block:
            for source in list(statement.groups):
                if source in hosts:
                    hosts[source].added += statement.groups.pop(source).values()
                elif source in owners:
                    names = list(statement.groups.pop(source).values())
                    owners[source].joined.setdefault(source, []).extend(names)
                else:
                    owners[source] = statement

    def _claim(self, statement: _Statement, pending: dict[Need, str]) -> None:
        """Take the needed names that this statement can import."""
        if self.module.in_type_checking(statement.node):
            return
        scope = self.module.table.scopes[statement.node]
        for key in [k for k in pending if k[0] is scope]:
            name = ImportedName(key[2], None if pending[key] == key[2] else pending[key])
            if key[1] == statement.source and (statement.kept or not statement.groups):
                statement.added.append(name)
            elif key[1] in statement.groups:
                statement.joined.setdefault(key[1], []).append(name)
            else:
                continue
            del pending[key]

    def _emit(self, statement: _Statement) -> list[Edit]:
        node = statement.node
        gone = not statement.kept and not statement.added
        if statement.unchanged and not statement.joined:
            return []
        if gone and not statement.groups:
            return [statements.remove(self.module, node)]
        groups = dict(statement.groups)
        if node in self.stars:
            return self._spelled_out(statement)
        main: tuple[str, Mapping[int, ImportedName], list[ImportedName]]
        main = (statement.source, statement.kept, statement.added)
        if gone:
            source = max(sorted(groups), key=lambda name: len(groups[name]))
            main = (source, groups.pop(source), statement.joined.pop(source, []))
        lines = [
            self._commented(node, names, _line(source, [*names.values(), *joined]))
            for source, names in sorted(groups.items())
            for joined in [statement.joined.get(source, [])]
        ]
        start, end = self.module.span(node)
        from codemods.edit.import_statement import rewrite_from

        rewrite = Edit(start, end, lambda text: rewrite_from(text, *main))
        return [rewrite] + [
            statements.insert_after(self.module, node, line, rank)
            for rank, line in enumerate(lines)
        ]

    def _spelled_out(self, statement: _Statement) -> list[Edit]:
        """Lines with the names that a star import stood for."""
        listed = {source: list(names.values()) for source, names in statement.groups.items()}
        for source, names in [*statement.joined.items(), (statement.source, statement.added)]:
            listed.setdefault(source, []).extend(names)
        first, *rest = [_line(source, names) for source, names in sorted(listed.items()) if names]
        start, end = self.module.span(statement.node)
        return [replacement(start, end, first)] + [
            statements.insert_after(self.module, statement.node, line, rank)
            for rank, line in enumerate(rest)
        ]

    def _commented(self, node: ast.ImportFrom, names: Iterable[int], line: str) -> str:
        """A new import line with the comments that stood beside its names."""
        if not statements.owns_its_lines(self.module, node):
            return line
        from codemods.edit.import_statement import carried_comments

        comments = carried_comments(self.module.source(node), set(names))
        if len(comments) == 1:
            return f"{line}  {comments[0]}"
        return "\n".join([*comments, line])

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
        # `import a.b` binds `a`: its counterpart is another plain import, of the module it became.
        kept += [m.whole for m in moved if m.asname is None]
        kept += [f"{m.name} as {m.asname}" for m in moved if not m.module and m.asname is not None]
        lines = [f"import {', '.join(kept)}"] if kept else []
        lines += [_line(m.module, [m.imported]) for m in moved if m.module and m.asname is not None]
        if not lines:
            return [statements.remove(self.module, node)]
        start, end = self.module.span(node)
        first, *rest = lines
        return [replacement(start, end, first)] + [
            statements.insert_after(self.module, node, line, rank) for rank, line in enumerate(rest)
        ]

    def _inserted(self, pending: Mapping[Need, str]) -> list[Edit]:
        grouped: dict[tuple[Scope, str], list[ImportedName]] = {}
        for (scope, source, name), local in pending.items():
            imported = ImportedName(name, None if local == name else local)
            grouped.setdefault((scope, source), []).append(imported)
        places: dict[Place | None, list[str]] = {}
        for (scope, source), names in sorted(grouped.items(), key=lambda item: item[0][1]):
            place = place_for(self.module, scope, source, self.own)
            places.setdefault(place, []).append(_line(source, names))
        return [edit for place, lines in places.items() for edit in self._insert(place, lines)]

    def _insert(self, place: Place | None, lines: list[str]) -> list[Edit]:
        newline = self.module.newline
        if place is None:
            end = len(self.module.text)
            return [replacement(end, end, "".join(line + newline for line in lines), 10)]
        insert = statements.insert_after if place.behind else statements.insert_before
        if not statements.owns_its_lines(self.module, place.statement):
            return [insert(self.module, place.statement, x, 10 + n) for n, x in enumerate(lines)]
        text = "\n".join(lines)
        if place.gap:
            text = f"\n{text}" if place.behind else f"{text}\n"
        return [insert(self.module, place.statement, text, 10)]


def _listed(node: ast.ImportFrom) -> dict[int, ImportedName]:
    return {index: ImportedName(a.name, a.asname) for index, a in enumerate(node.names)}


def _line(source: str, names: Iterable[ImportedName]) -> str:
    unique = sorted(set(names), key=lambda n: n.name)
    return f"from {source} import {', '.join(str(name) for name in unique)}"
