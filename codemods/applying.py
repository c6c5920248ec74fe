"""The rewriting of one file: what the fixes of its hits make of its text."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from codemods.context import FileContext
from codemods.edit.imports import ImportPlan
from codemods.edit.ranges import Blocked, Edit, EditSet
from codemods.edit.rewrite import Rewrite
from codemods.engine import Detected, FileResult, detect, finding, rewritable
from codemods.rule import Rule

if TYPE_CHECKING:
    from codemods.todo import Left


class RewriteError(Exception):
    """A rewritten file that does not parse: a fault of the tool, the file is left as it was."""


def rewrite_file(
    ctx: FileContext, rules: Sequence[Rule], shown: str, safe_only: bool = False
) -> FileResult:
    """The findings of a file and its text with everything rewritten that can be.

    Raises:
        RewriteError: the result would not parse.
    """
    return apply(ctx, detect(ctx, rules), shown, safe_only=safe_only)


def apply(
    ctx: FileContext,
    detected: Sequence[Detected],
    shown: str,
    *,
    safe_only: bool = False,
    notes: bool = False,
) -> FileResult:
    """What `detected` makes of its file; `notes` puts a TODO line above what is left to a person.

    Raises:
        RewriteError: the result would not parse.
    """
    wanted = rewritable(detected, safe_only=safe_only)
    text = _rewritten(ctx, wanted) if wanted else ctx.module.text
    left = [d for d in detected if d.hit.fix is None or d.blocked] if notes else []
    if left:
        from codemods import todo

        with suppress(Blocked):
            done = [d for d in wanted if d.fixed]
            text = _Attempt(ctx).run(done, todo.edits(ctx.module, [_left(ctx, d) for d in left]))
    findings = tuple(finding(ctx.module, d, shown) for d in detected)
    return FileResult(shown, findings, None if text == ctx.module.text else text)


def _left(ctx: FileContext, detected: Detected) -> Left:
    from codemods.todo import Left

    reason = detected.blocked or detected.hit.reason
    advice = f"{detected.hit.message}; {reason}" if reason else detected.hit.message
    return Left(detected.start, detected.rule.code, advice)


def _rewritten(ctx: FileContext, wanted: Sequence[Detected]) -> str:
    """Apply all fixes that fit together; those that do not are marked as blocked."""
    pending = list(wanted)
    while True:
        attempt = _Attempt(ctx)
        try:
            return attempt.run([d for d in pending if not d.blocked])
        except Blocked as error:
            culprit = attempt.owner(error)
            if culprit is None:
                for detected in pending:
                    detected.blocked = detected.blocked or str(error)
                return ctx.module.text
            culprit.blocked = str(error)


class _Attempt:
    """One try to apply a list of fixes to a file."""

    def __init__(self, ctx: FileContext) -> None:
        self._ctx = ctx
        module = ctx.module
        self._imports = ImportPlan(
            module, ctx.project.exported(module), ctx.project.own_imports(module)
        )
        self._edits = EditSet()
        self._owners: dict[Edit, Detected] = {}

    def run(self, wanted: Sequence[Detected], notes: Sequence[Edit] = ()) -> str:
        module = self._ctx.module
        for detected in wanted:
            self._collect(detected)
        for note in notes:
            # A statement that is replaced as a whole has no place for a line above its parts.
            with suppress(Blocked):
                self._edits.add([note])
        middle = self._edits.apply(module.text)
        tree = self._parse(middle)
        self._edits.add(self._imports.edits(tree))
        result = self._edits.apply(module.text)
        if result != middle:
            self._parse(result)
        for detected in wanted:
            detected.fixed = not detected.blocked
        return result

    def owner(self, error: Blocked) -> Detected | None:
        """The hit whose edit failed while it was applied."""
        edit = error.edit
        return None if edit is None else self._owners.get(edit)

    def _collect(self, detected: Detected) -> None:
        rewrite = Rewrite(self._ctx.module, self._imports, self._ctx.options.target)
        saved = self._imports.snapshot()
        fix = detected.hit.fix
        assert fix is not None
        try:
            fix(rewrite)
            self._edits.add(rewrite.edits)
        except Blocked as error:
            self._imports.restore(saved)
            if not self._edits.swallowed(rewrite.edits, self._ctx.module.text):
                detected.blocked = str(error)
            return
        self._owners.update(dict.fromkeys(rewrite.edits, detected))

    def _parse(self, text: str) -> ast.Module:
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError) as error:
            raise RewriteError(f"the rewritten text does not parse: {error}") from error
