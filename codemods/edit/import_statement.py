"""The names of one `from ... import ...` statement, comments and layout kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import libcst as cst

from codemods.edit.imported import ImportedName
from codemods.edit.ranges import Blocked


def rewrite_from(
    text: str, source: str, kept: Mapping[int, ImportedName], added: Sequence[ImportedName]
) -> str:
    """The statement importing from `source` the names of `kept` (by old index) and `added`.

    New names go to their sorted place if the names were sorted, to the end if they were not.

    Raises:
        Blocked: the statement does not survive a round trip through LibCST unchanged.
    """
    node = _parse(text)
    assert not isinstance(node.names, cst.ImportStar)
    old = list(node.names)
    order = next((o for o in (_key, _key_by_type) if [*map(o, old)] == sorted(map(o, old))), None)
    unique = {target: old[index] for index, target in sorted(kept.items(), reverse=True)}
    names = [_renamed(old[i], t) for i, t in sorted(kept.items()) if unique[t] is old[i]]
    seen = {_described(name) for name in names}
    between = _between(old)
    for new in added:
        alias = _alias(new).with_changes(comma=between)
        if new in seen:
            continue
        seen.add(new)
        index = len(names)
        if order is not None:
            index = next((i for i, n in enumerate(names) if order(n) > order(alias)), index)
        names.insert(index, alias)
    node = node.with_changes(names=_closed(names, old, between))
    if node.module is None or _dotted(node.module) != source:
        node = node.with_changes(module=cst.parse_expression(source))
    return _code(node)


def carried_comments(text: str, leaving: Set[int]) -> list[str]:
    """The comments that belong to the names at `leaving`: above them, or behind on their line."""
    node = _parse(text)
    if isinstance(node.names, cst.ImportStar) or node.lpar is None:
        return []
    spaces = [node.lpar.whitespace_after]
    spaces += [a.comma.whitespace_after for a in node.names if isinstance(a.comma, cst.Comma)]
    found = []
    for index in range(len(node.names)):
        if index not in leaving:
            continue
        found += [line.comment for line in _lines(spaces, index)]
        behind = spaces[index + 1] if index + 1 < len(spaces) else None
        if isinstance(behind, cst.ParenthesizedWhitespace):
            found.append(behind.first_line.comment)
    return [comment.value for comment in found if comment is not None]


def _lines(
    spaces: Sequence[cst.BaseParenthesizableWhitespace], index: int
) -> Sequence[cst.EmptyLine]:
    space = spaces[index] if index < len(spaces) else None
    return space.empty_lines if isinstance(space, cst.ParenthesizedWhitespace) else []


def _dotted(node: cst.BaseExpression) -> str:
    return cst.Module([]).code_for_node(node)


def _parse(text: str) -> cst.ImportFrom:
    try:
        line = cst.parse_statement(text + "\n")
    except (cst.ParserSyntaxError, RecursionError) as error:
        raise Blocked("LibCST cannot parse this import") from error
    node = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    if not isinstance(node, cst.ImportFrom) or _code(node) != text:
        raise Blocked("LibCST does not give this import back unchanged")
    return node


def _code(node: cst.ImportFrom) -> str:
    return cst.Module([]).code_for_node(node)


def _key(alias: cst.ImportAlias) -> tuple[int, str]:
    return 0, alias.evaluated_name


def _key_by_type(alias: cst.ImportAlias) -> tuple[int, str]:
    """As isort sorts by default: constants, classes, the rest."""
    name = alias.evaluated_name
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name.lower()


def _alias(name: ImportedName) -> cst.ImportAlias:
    asname = cst.AsName(cst.Name(name.asname)) if name.asname else None
    return cst.ImportAlias(cst.Name(name.name), asname)


def _renamed(alias: cst.ImportAlias, target: ImportedName) -> cst.ImportAlias:
    if str(_described(alias)) == str(target):
        return alias
    return _alias(target).with_changes(comma=alias.comma)


def _described(alias: cst.ImportAlias) -> ImportedName:
    return ImportedName(alias.evaluated_name, alias.evaluated_alias)


def _between(old: Sequence[cst.ImportAlias]) -> cst.Comma:
    for alias in old[:-1]:
        if isinstance(alias.comma, cst.Comma):
            return alias.comma.with_changes(
                whitespace_after=_uncommented(alias.comma.whitespace_after)
            )
    return cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))


def _uncommented(
    space: cst.BaseParenthesizableWhitespace,
) -> cst.BaseParenthesizableWhitespace:
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return space
    line = space.first_line.with_changes(comment=None, whitespace=cst.SimpleWhitespace(""))
    return space.with_changes(first_line=line, empty_lines=[])


def _closed(
    names: list[cst.ImportAlias], old: Sequence[cst.ImportAlias], between: cst.Comma
) -> list[cst.ImportAlias]:
    """Commas as they have to be: one between each two, the old ending behind the last."""
    for index, alias in enumerate(names[:-1]):
        if not isinstance(alias.comma, cst.Comma) or alias.comma is old[-1].comma:
            names[index] = alias.with_changes(comma=_with_comment_of(alias.comma, between))
    names[-1] = names[-1].with_changes(comma=_ending(names[-1], old[-1]))
    return names


def _with_comment_of(comma: object, between: cst.Comma) -> cst.Comma:
    if not isinstance(comma, cst.Comma):
        return between
    own, layout = comma.whitespace_after, between.whitespace_after
    if not isinstance(own, cst.ParenthesizedWhitespace):
        return between
    if isinstance(layout, cst.ParenthesizedWhitespace):
        return between.with_changes(whitespace_after=layout.with_changes(first_line=own.first_line))
    return between if own.first_line.comment is None else comma


def _ending(last: cst.ImportAlias, old_last: cst.ImportAlias) -> cst.Comma | cst.MaybeSentinel:
    """The old ending, with the comment that stands behind the name that is last now."""
    end = old_last.comma
    if last.evaluated_name != old_last.evaluated_name and isinstance(end, cst.Comma):
        end = end.with_changes(whitespace_after=_uncommented(end.whitespace_after))
    own = last.comma.whitespace_after if isinstance(last.comma, cst.Comma) else None
    if own is None or last.comma is end or not isinstance(own, cst.ParenthesizedWhitespace):
        return end
    if own.first_line.comment is None:
        return end
    if isinstance(end, cst.Comma) and isinstance(end.whitespace_after, cst.ParenthesizedWhitespace):
        closing = end.whitespace_after.with_changes(first_line=own.first_line)
        return end.with_changes(whitespace_after=closing)
    return cst.Comma(whitespace_after=own)
