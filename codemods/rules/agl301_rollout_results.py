"""AGL301: what rollout methods return."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.edit.statements import header_span
from codemods.finding import Applicability
from codemods.legacy.agents import METHODS, RENAMED, Agents
from codemods.legacy.delegates import delegates
from codemods.legacy.promises import Action
from codemods.legacy.results import WHOLE, Outcome, Results
from codemods.legacy.rollout_decorators import is_rollout_function
from codemods.names import known
from codemods.names.scopes import FunctionNode
from codemods.names.values import ProjectClass
from codemods.rule import Hit, Rule

_RETURNED = f"{known.LIT_AGENT}.training_rollout()"
_SAFETY: dict[Action, Applicability | None] = {"convert": "shim"}


class RolloutResults(Rule):
    """Reports, triplets, dicts and whole numbers that rollout methods return."""

    code = "AGL301"
    title = "Rollout method returns what the store API does not take"
    why = (
        "0.1 took reports, triplets and dicts, and ignored what it did not know. Today's runner "
        "takes a float, spans of one class or None, and fails on anything else. "
        "`agentlightning_compat.legacy.to_result` turns the old values into spans."
    )
    before = "return Rollout(rollout_id=rollout_id, final_reward=reward)"
    after = "return reward"
    applicability = "review"
    nodes = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """The returns of the rollout methods of one class, and of the helpers behind them.

        Functions that a decorator makes agents are looked at in the same way.
        """
        functions: list[FunctionNode] = []
        if ctx.options.server == "legacy":  # fit_v0 takes what 0.1 took
            return
        if isinstance(node, ast.ClassDef):
            yield from _conversions(node, ctx)
            if Agents.of(ctx.project).member(ProjectClass(ctx.module, node)):
                functions += delegates(ctx, node, METHODS | set(RENAMED.values()))
        elif isinstance(node, FunctionNode) and is_rollout_function(ctx, node):
            functions.append(node)
        if not functions:
            return
        results = Results(ctx, functions)
        for function in functions:
            outcomes = list(results.of(function))
            for outcome in outcomes:
                yield _hit(outcome)
            yield from _annotation(ctx, function, any(o.action == "ask" for o in outcomes))


def _hit(outcome: Outcome) -> Hit:
    message = f"the result of a rollout may not be {outcome.what} in the store API"
    if outcome.what == WHOLE:
        message = f"{WHOLE} counts as the reward of a rollout in the store API; 0.1 ignored it"
    if outcome.action == "ask":
        return Hit(outcome.node, message, reason="it is not known what it holds", symbol=_RETURNED)
    return Hit(
        outcome.node,
        message,
        lambda rewrite: _fix(rewrite, outcome),
        applicability=_SAFETY.get(outcome.action),
        symbol=_RETURNED,
    )


def _fix(rewrite: Rewrite, outcome: Outcome) -> None:
    node = outcome.node
    if outcome.action == "float":
        _as_float(rewrite, node)
    elif outcome.action == "convert":
        convert = rewrite.use("agentlightning_compat.legacy.to_result", node)
        bare = isinstance(node, ast.Tuple) and not rewrite.module.source(node).startswith("(")
        rewrite.wrap(node, f"{convert}((" if bare else f"{convert}(", "))" if bare else ")")
    else:
        rewrite.transform(node, _reward_of, rank=50)


def _as_float(rewrite: Rewrite, node: ast.expr) -> None:
    number = node.operand if isinstance(node, ast.UnaryOp) else node
    if isinstance(number, ast.Constant) and isinstance(number.value, int):
        rewrite.replace(number, repr(float(number.value)))
    else:
        rewrite.wrap(node, "float(", ")")


def _reward_of(report: str) -> str:
    """The `final_reward=` of a report, from the text that constructs it."""
    from codemods.edit.slices import parse_slice, slice_code

    call = parse_slice(report)
    for arg in getattr(call, "args", ()):
        if arg.keyword is not None and arg.keyword.value == "final_reward":
            text = slice_code(arg.value)
            return f"({text})" if "\n" in text and not arg.value.lpar else text
    return "None"


def _annotation(ctx: FileContext, function: FunctionNode, undecided: bool) -> Iterator[Hit]:
    """A return annotation that promises a report or triplets."""
    note = function.returns
    if note is None or undecided:
        return
    text = note.value if isinstance(note, ast.Constant) else ast.unparse(note)
    words = set(str(text).replace("[", " ").replace("]", " ").replace(".", " ").split())
    value = ctx.project.inference.annotated(ctx.module, note)
    report = value is not None and ctx.project.inference.derives(
        value, known.ROLLOUT, known.ROLLOUT_LEGACY
    )
    if report or words & {"Triplet", "RolloutRawResultLegacy"}:

        def fix(rewrite: Rewrite) -> None:
            result = rewrite.use("agentlightning.RolloutRawResult", function)
            rewrite.header(function).set_returns(result)

        message = f"`-> {ast.unparse(note)}` is `RolloutRawResult` in the store API"
        yield Hit(note, message, fix, applicability="safe", symbol=_RETURNED)


def _conversions(node: ast.ClassDef, ctx: FileContext) -> Iterator[Hit]:
    """Runners that convert results themselves."""
    bases = (known.AGENT_RUNNER, known.LEGACY_RUNNER)
    for function in node.body:
        if getattr(function, "name", "") == "_to_rollout_object" and any(
            ctx.is_class(base, *bases) for base in node.bases
        ):
            assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            yield Hit(
                function,
                "no runner calls `_to_rollout_object` in the store API",
                reason="convert in the rollout method, or in a Hook's on_rollout_end",
                symbol=f"{known.AGENT_RUNNER}._to_rollout_object",
                span=header_span(ctx.module, function),
            )
