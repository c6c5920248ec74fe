"""AGL111: types in strings and in type comments that no name of the code leads to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.comments import in_comment
from codemods.legacy.dotted import PATH, Verdict, judge
from codemods.legacy.generation import file_meaning
from codemods.names import known
from codemods.names.scopes import Binding
from codemods.rule import Hit, Rule

_COMMENT = re.compile(r"#[ \t]*type:[ \t]*(?!ignore\b)(?P<type>[^#\r\n]+)")
_NAME = re.compile(r"(?<![\w.])[A-Za-z_][\w.]*\w")


class QuotedTypes(Rule):
    """Dotted paths in quoted types, names in `# type:` comments, strings with escapes."""

    code = "AGL111"
    title = "Quoted type or type comment names what moved"
    why = (
        'A type checker reads `# type: BaseTracer` and `"agentlightning.tracer.BaseTracer"` as '
        "code, Python does not: nothing fails when the name in it is gone, the check is just lost."
    )
    before = "tracer = make()  # type: BaseTracer"
    after = "tracer = make()  # type: Tracer"
    applicability = "review"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Quoted paths that nothing imports, then type comments."""
        for constant in ctx.module.table.string_annotations:
            value = str(constant.value)
            if "agentlightning." in value and not _imported(constant, ctx):
                yield from _paths(constant, ctx)
        for constant in ctx.module.table.unread_annotations:
            yield from _unread(constant, ctx)
        if "type:" in ctx.module.text:
            yield from _comments(ctx)


def _imported(node: ast.AST, ctx: FileContext) -> bool:
    """Whether a path in a string begins with a name of the file: rules for names see it then."""
    return bool(ctx.module.scope(node).lookup("agentlightning"))


def _paths(node: ast.Constant, ctx: FileContext) -> Iterator[Hit]:
    start = ctx.module.span(node)[0]
    for found in PATH.finditer(ctx.source(node)):
        verdict = judge(found[0], ctx.options.target)
        if verdict is not None:
            yield _spelled(ctx, verdict, (start + found.start(), start + found.end()))


def _spelled(ctx: FileContext, verdict: Verdict, span: tuple[int, int]) -> Hit:
    new = verdict.new

    def fix(rewrite: Rewrite) -> None:
        rewrite.replace_span(*span, str(new))

    tree = ctx.module.tree
    if new is None:
        return Hit(tree, verdict.message, reason=verdict.reason, symbol=verdict.path, span=span)
    return Hit(tree, verdict.message, fix, symbol=verdict.path, span=span)


def _unread(node: ast.Constant, ctx: FileContext) -> Iterator[Hit]:
    """`Rollout` in a string whose parts have no place: it cannot be told what is meant."""
    for name in _NAME.findall(str(node.value)):
        binding = _binding(name, ctx)
        path = "" if binding is None else binding.path
        if ctx.project.canonical(path) == known.ROLLOUT and file_meaning(ctx) != "today":
            reason = "if the report of 0.1 is meant, write RolloutLegacy and import it"
            yield Hit(node, f"`{name}` names another type in 0.3.0", reason=reason, symbol=path)


def _comments(ctx: FileContext) -> Iterator[Hit]:
    for comment in _COMMENT.finditer(ctx.module.text):
        if not in_comment(ctx, comment.start("type")):
            continue
        for name in _NAME.finditer(comment["type"]):
            start = comment.start("type") + name.start()
            yield from _commented(name[0], (start, start + len(name[0])), ctx)


def _commented(name: str, span: tuple[int, int], ctx: FileContext) -> Iterator[Hit]:
    binding = _binding(name, ctx)
    if binding is None:
        if name.startswith("agentlightning.") and (verdict := judge(name, ctx.options.target)):
            yield _spelled(ctx, verdict, span)
        return
    rest = name.partition(".")[2]
    path = f"{binding.path}.{rest}" if rest else binding.path
    verdict = judge(path, ctx.options.target)
    if verdict is None or (_is_rollout(path, ctx) and file_meaning(ctx) == "today"):
        return
    tree, reason = ctx.module.tree, verdict.reason
    if verdict.new is None or rest:
        if verdict.new is not None:
            reason = f"write {verdict.new.rpartition('.')[2]}, and import it"
        yield Hit(tree, verdict.message, reason=reason, symbol=path, span=span)
        return

    def fix(rewrite: Rewrite) -> None:
        assert isinstance(binding.node, ast.alias)
        move = rewrite.imports.moves.get(binding.node)
        if move is None:
            rewrite.block(f"the import of `{name}` stays as it is")
        rewrite.replace_span(*span, move.asname or move.name)

    yield Hit(tree, verdict.message, fix, symbol=path, span=span)


def _is_rollout(path: str, ctx: FileContext) -> bool:
    return ctx.project.canonical(path) == known.ROLLOUT


def _binding(name: str, ctx: FileContext) -> Binding | None:
    """The import that a dotted name in a text begins with, if it is one of the framework's."""
    head = name.partition(".")[0]
    if any(b.kind not in ("import", "from") for b in ctx.module.table.root.bindings.get(head, ())):
        return None
    bindings = ctx.module.imported.get(head, [])
    if len({b.path for b in bindings}) != 1:
        return None
    path = bindings[0].path
    return bindings[0] if path.partition(".")[0] == "agentlightning" else None
