"""What a legacy client is given as a report, and how it is handed in today."""

from __future__ import annotations

import ast

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.awaiting import HELPERS, await_here
from codemods.legacy.given import arguments
from codemods.legacy.objects import kind_of
from codemods.names import known

_FIELDS = ("rollout_id", "final_reward", "triplets", "trace", "logs", "metadata")


def report_argument(call: ast.Call) -> ast.expr | None:
    """The report in a call of `post_rollout`."""
    return arguments(call, ("rollout",)).values.get("rollout")


def hand_in(rewrite: Rewrite, ctx: FileContext, call: ast.Call, posted: str) -> None:
    """Rewrite a call of `post_rollout`, or of its async form."""
    report = report_argument(call)
    assert report is not None
    fields = _literal(ctx, report)
    waits = posted == "post_rollout" and ctx.in_async(call)
    name = "report_rollout" if posted == "post_rollout" and not waits else "report_rollout_async"
    helper = rewrite.use(f"{HELPERS}.{name}", call)
    if fields is None:
        edit = rewrite.call(call)
        if call.keywords:
            edit.unname_first("rollout")
        edit.to_function(helper)
    else:
        _merge(rewrite, ctx, call, fields, helper)
    if waits:
        await_here(rewrite, ctx, call)


def _literal(ctx: FileContext, report: ast.expr) -> dict[str, ast.expr] | None:
    """The fields of a report that is built right there, by name."""
    if not isinstance(report, ast.Call) or report.args:
        return None
    value = ctx.infer(report.func)
    if getattr(value, "path", "") not in (known.ROLLOUT, known.ROLLOUT_LEGACY):
        return None
    given = arguments(report, _FIELDS)
    return given.values if not given.problem and "rollout_id" in given.values else None


def _merge(
    rewrite: Rewrite, ctx: FileContext, call: ast.Call, fields: dict[str, ast.expr], helper: str
) -> None:
    from codemods.edit.unwrapped import unwrapped

    owner = fields["rollout_id"]
    task = isinstance(owner, ast.Attribute) and owner.attr == "rollout_id"
    if isinstance(owner, ast.Attribute) and task and kind_of(ctx, owner.value) == "task":
        start, end = ctx.module.span(owner.value)[1], ctx.module.span(owner)[1]
        rewrite.replace_span(start, end, "")
    place = list(fields).index("rollout_id")
    rewrite.transform(call, unwrapped)
    edit = rewrite.call(call)
    if place and "#" in ctx.source(call):
        # A comment belongs to the argument that it stands beside: none changes its place.
        edit.rename_keyword("rollout_id", "rollout")
    elif place:
        order = [place, *(i for i in range(len(fields)) if i != place)]
        edit.reorder(order)
    edit.unname_first("rollout_id").to_function(helper)
