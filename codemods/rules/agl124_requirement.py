"""AGL124: the project's requirement on agentlightning."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import partial

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy import literals
from codemods.legacy.pins import REQUIREMENT, RUNTIME, judge, lost_extras
from codemods.rule import Hit, Rule

_LISTS = ("install_requires", "extras_require", "setup_requires", "tests_require", "dependencies")
_SCRIPT = re.compile(r"^# /// script[ \t]*(?:\r?\n#(?! ///)[^\r\n]*)*", re.MULTILINE)
_ITEM = re.compile(r"""(["'])(?P<need>agentlightning(?![\w.-])[^"'\r\n]*)\1""")


class Requirement(Rule):
    """Requirements in setup.py, noxfile.py and the like; formats has the other files."""

    code = "AGL124"
    title = "Requirement lets in a release with another API"
    why = (
        "Migrated code runs on agentlightning 0.3. A requirement without an upper bound installs "
        "1.0 on Python 3.12 and later: another product of the same name, in which both APIs are "
        "gone. The extras `dev`, `experiment` and `agent` of 0.1 do not exist any more. With "
        "OpenTelemetry 1.45 and later 0.3.0 loses the spans that it sends to a store server, so "
        "`opentelemetry-api<1.45` and `opentelemetry-sdk<1.45` belong beside it."
    )
    before = "agentlightning==0.1.2"
    after = "agentlightning>=0.3,<1.0"
    applicability = "review"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Strings that are requirements by their text, or by the list that they stand in."""
        for constant in literals.strings(ctx):
            found = REQUIREMENT.fullmatch(str(constant.value).strip())
            if found is None or found["rest"].strip().startswith("#"):
                continue
            if found["spec"] or _listed(constant, ctx):
                yield from _requirement(constant, ctx)
        if "# /// script" in ctx.module.text:
            yield from _of_script(node, ctx)


def _of_script(node: ast.AST, ctx: FileContext) -> Iterator[Hit]:
    """The requirements in the comment by which a script says what it needs."""
    for block in _SCRIPT.finditer(ctx.module.text):
        for item in _ITEM.finditer(block[0]):
            span = (block.start() + item.start("need"), block.start() + item.end("need"))
            found = REQUIREMENT.fullmatch(item["need"])
            change = judge((found and found["spec"]) or "", ctx.options.target)
            if found is None or change is None:
                continue
            extras = found["extras"] or ""
            plain = ctx.options.target == "agentlightning"
            new = f"agentlightning{extras}{change.spec}" if plain else RUNTIME
            clear = change.spec is not None and not lost_extras(extras)
            clear = clear and not found["rest"].strip() and (plain or not extras)
            yield Hit(
                node,
                change.message,
                partial(_respell, span=span, new=new) if clear else None,
                ""
                if clear
                else change.reason or "say by hand which release, and which extras, are wanted",
                symbol="agentlightning",
                span=span,
            )


def _respell(rewrite: Rewrite, span: tuple[int, int], new: str) -> None:
    rewrite.replace_span(*span, new)


def _listed(node: ast.Constant, ctx: FileContext) -> bool:
    """Whether a bare name stands where packages are named."""
    current: ast.AST = node
    parent = ctx.parent(current)
    while isinstance(parent, ast.List | ast.Tuple | ast.Dict | ast.Set):
        current, parent = parent, ctx.parent(parent)
    if isinstance(parent, ast.keyword):
        return (parent.arg or "") in _LISTS
    if isinstance(parent, ast.Assign):
        return any(literals.last_name(target) in _LISTS for target in parent.targets)
    return isinstance(parent, ast.Call) and "install" in literals.last_name(parent.func)


def _requirement(node: ast.Constant, ctx: FileContext) -> Iterator[Hit]:
    text = str(node.value).strip()
    found = REQUIREMENT.fullmatch(text)
    assert found is not None
    target = ctx.options.target
    change = judge(found["spec"] or "", target)
    extras = found["extras"] or ""
    if lost := lost_extras(extras):
        reason = "list the packages that it stood for as requirements of your own"
        message = f"agentlightning 0.3.0 has no extra {', '.join(lost)}"
        yield Hit(node, message, reason=reason, symbol="agentlightning")
    if change is None:
        return
    source = found["rest"].strip().startswith("@")
    if change.spec is None or source or (target != "agentlightning" and extras):
        reason = change.reason or "say by hand which release, and which extras, are wanted"
        yield Hit(node, change.message, reason=reason, symbol="agentlightning")
        return
    old = text[: len(text) - len(found["rest"])].rstrip()
    new = RUNTIME if target != "agentlightning" else f"agentlightning{extras}{change.spec}"

    def fix(rewrite: Rewrite) -> None:
        literals.respell(rewrite, node, old, new, ctx)

    yield Hit(node, change.message, fix, symbol="agentlightning")
