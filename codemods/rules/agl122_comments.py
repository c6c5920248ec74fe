"""AGL122: docstrings and comments that speak of the legacy API."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.api_map.symbol import Symbol
from codemods.context import FileContext
from codemods.legacy.comments import docstrings, in_comment
from codemods.legacy.mentions import Mention, mentions, paths, words
from codemods.rule import Hit, Rule


class Comments(Rule):
    """Text for people that names what the code does not use any more."""

    code = "AGL122"
    title = "Docstring or comment names the legacy API"
    why = (
        "Prose is not rewritten: only a person can tell whether a sentence is about how things "
        "were. Each name is reported once a file, where it stands first."
    )
    before = "# The AgentLightningClient polls for tasks here."
    after = "(left as it is and reported)"
    applicability = "manual"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """The first place of each name in a docstring or a comment."""
        text = ctx.module.text
        if "agentlightning" not in text:
            return
        prose = _prose(ctx)
        present = {name: row for name, row in words().items() if name in prose}
        for name in [name for name, row in present.items() if _meant_otherwise(name, row, ctx)]:
            del present[name]
        found = list(mentions(text, present)) if present else []
        if "agentlightning." in text and ('"""' in text or "#" in text):
            found += paths(text)
        if found:
            yield from _first(found, ctx)


def _prose(ctx: FileContext) -> str:
    """The docstrings of a file, and the lines with what may be a comment."""
    lines = (line for line in ctx.module.text.split("\n") if "#" in line)
    return "\n".join((*map(ctx.source, docstrings(ctx)), *lines))


def _meant_otherwise(name: str, row: Symbol, ctx: FileContext) -> bool:
    """Whether the file has a thing of that name from elsewhere, or goes on with the old server."""
    if ctx.options.server == "legacy" and row.change == "same":
        return True
    bindings = ctx.module.table.root.bindings.get(name, ())
    return any(b.path.partition(".")[0] != "agentlightning" for b in bindings)


def _first(found: list[Mention], ctx: FileContext) -> Iterator[Hit]:
    documented: list[tuple[int, int]] | None = None
    told: set[str] = set()
    for mention in sorted(found):
        if mention.name in told:
            continue
        if in_comment(ctx, mention.start):
            if _type_comment(mention.start, ctx):
                continue
            where = "comment"
        else:
            if documented is None:
                documented = [ctx.module.span(constant) for constant in docstrings(ctx)]
            if not any(start < mention.start < end for start, end in documented):
                continue
            where = "docstring"
        told.add(mention.name)
        yield Hit(
            ctx.module.tree,
            f"a {where} names `{mention.name}`",
            reason=mention.advice,
            symbol=mention.symbol,
            span=(mention.start, mention.end),
        )


def _type_comment(offset: int, ctx: FileContext) -> bool:
    """Whether a comment is a type, which AGL111 and AGL127 look at."""
    text = ctx.module.text
    start = text.rfind("\n", 0, offset) + 1
    return "# type:" in text[start:offset]
