"""Changes to the header of one function definition, from `def` to the colon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import libcst as cst

from codemods.edit.ranges import Blocked
from codemods.edit.slices import newline_of, slice_code

Step = Callable[[cst.FunctionDef], cst.FunctionDef]


class Parameter(NamedTuple):
    """One parameter of a new signature.

    `was` names the parameter whose annotation, default and place in the layout are kept;
    `name` is what it is called now. `annotation` replaces the old one when it is not None
    (an empty text drops it). Without `keep_default` the parameter becomes a required one.
    """

    name: str
    was: str | None = None
    annotation: str | None = None
    keep_default: bool = True


@dataclass(slots=True)
class SignatureEdit:
    """A list of changes to one function header, done in order on its current text."""

    steps: list[Step] = field(default_factory=list)

    def rename(self, name: str) -> SignatureEdit:
        """Give the function another name."""
        self.steps.append(lambda node: node.with_changes(name=cst.Name(name)))
        return self

    def make_async(self) -> SignatureEdit:
        """`def` into `async def`."""
        self.steps.append(lambda node: node.with_changes(asynchronous=cst.Asynchronous()))
        return self

    def set_parameters(
        self, positional: Sequence[Parameter], keyword_only: Sequence[Parameter] = ()
    ) -> SignatureEdit:
        """Give the leading parameters anew; those that no `Parameter` names stay behind them."""

        def step(node: cst.FunctionDef) -> cst.FunctionDef:
            return node.with_changes(params=_arranged(node.params, positional, keyword_only))

        self.steps.append(step)
        return self

    def replace_parameters(self, text: str) -> SignatureEdit:
        """Give the whole list of parameters anew, as source text."""
        params = cst.ensure_type(
            cst.parse_statement(f"def f({text}): pass"), cst.FunctionDef
        ).params
        self.steps.append(lambda node: node.with_changes(params=params))
        return self

    def set_returns(self, annotation: str | None) -> SignatureEdit:
        """Give the return annotation, or drop it."""

        def step(node: cst.FunctionDef) -> cst.FunctionDef:
            if annotation is None:
                return node.with_changes(returns=None)
            return node.with_changes(returns=cst.Annotation(cst.parse_expression(annotation)))

        self.steps.append(step)
        return self

    def __call__(self, text: str) -> str:
        """The header's text with every change done.

        Raises:
            Blocked: the header does not survive a round trip through LibCST unchanged.
        """
        node = _parse(text)
        for step in self.steps:
            node = step(node)
        return _code(node, newline_of(text))


def _parse(header: str) -> cst.FunctionDef:
    newline = newline_of(header)
    try:
        node = cst.parse_statement(f"{header} pass{newline}")
    except (cst.ParserSyntaxError, RecursionError) as error:
        raise Blocked("LibCST cannot parse this function header") from error
    if not isinstance(node, cst.FunctionDef) or _code(node, newline) != header:
        raise Blocked("LibCST does not give this function header back unchanged")
    return node


def _code(node: cst.FunctionDef, newline: str) -> str:
    return slice_code(node, newline).removesuffix(f" pass{newline}")


def _arranged(
    params: cst.Parameters, positional: Sequence[Parameter], keyword_only: Sequence[Parameter]
) -> cst.Parameters:
    if params.posonly_params:
        raise Blocked("the signature has positional-only parameters")
    old = {p.name.value: p for p in [*params.params, *params.kwonly_params]}
    named = {p.was for p in [*positional, *keyword_only]}
    layout = [(p.comma, p.whitespace_after_param) for p in params.params]
    front = [_made(p, old) for p in positional]
    rest = [p for p in params.params if p.name.value not in named]
    kwonly = [_made(p, old) for p in keyword_only]
    kwonly += [p for p in params.kwonly_params if p.name.value not in named]
    more = bool(kwonly or _has_star(params))
    if params.kwonly_params and not more:
        final = params.kwonly_params[-1]
        layout = [*layout[:-1], (final.comma, final.whitespace_after_param)]
    arranged = _laid_out([*front, *rest], layout, more)
    star = params.star_arg
    if kwonly and not isinstance(star, cst.Param | cst.ParamStar):
        star = cst.ParamStar()
    if not kwonly and isinstance(star, cst.ParamStar):
        star = cst.MaybeSentinel.DEFAULT
    return params.with_changes(params=arranged, kwonly_params=kwonly, star_arg=star)


def _has_star(params: cst.Parameters) -> bool:
    return isinstance(params.star_arg, cst.Param) or params.star_kwarg is not None


def _made(parameter: Parameter, old: dict[str, cst.Param]) -> cst.Param:
    base = old.get(parameter.was or "")
    if base is None:
        base = cst.Param(cst.Name(parameter.name))
    changed = base.with_changes(name=base.name.with_changes(value=parameter.name))
    if not parameter.keep_default:
        changed = changed.with_changes(default=None, equal=cst.MaybeSentinel.DEFAULT)
    if parameter.annotation is None:
        return changed
    if not parameter.annotation:
        return changed.with_changes(annotation=None)
    note = cst.Annotation(
        cst.parse_expression(parameter.annotation),
        whitespace_before_indicator=cst.SimpleWhitespace(""),
    )
    return changed.with_changes(annotation=note)


_Ending = tuple["cst.Comma | cst.MaybeSentinel", cst.BaseParenthesizableWhitespace]


def _laid_out(
    params: Sequence[cst.Param], endings: Sequence[_Ending], more: bool
) -> list[cst.Param]:
    """Each parameter with the comma and space that stood at its place, so that the layout stays."""
    tight = cst.SimpleWhitespace("")
    plain = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    between = next((c for c, _ in endings[:-1] if isinstance(c, cst.Comma)), plain)
    placed = []
    for index, param in enumerate(params[:-1]):
        here = endings[index][0] if index < len(endings) - 1 else between
        comma = here if isinstance(here, cst.Comma) else between
        placed.append(param.with_changes(comma=comma, whitespace_after_param=tight))
    if params:
        last, space = endings[-1] if endings else (cst.MaybeSentinel.DEFAULT, tight)
        if more and not _spans(last):
            last = cst.MaybeSentinel.DEFAULT
        placed.append(params[-1].with_changes(comma=last, whitespace_after_param=space))
    return placed


def _spans(comma: cst.Comma | cst.MaybeSentinel) -> bool:
    return isinstance(comma, cst.Comma) and isinstance(
        comma.whitespace_after, cst.ParenthesizedWhitespace
    )
