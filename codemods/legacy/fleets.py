"""Rewrites `fit` with an address: runners for a store server, or `fit_v0` for the server of old."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.finding import Applicability
from codemods.legacy.fit_calls import FitCall, Given, fit_call
from codemods.legacy.trainers import CLASSES, Construction, movable, takes, uses
from codemods.names import known
from codemods.names.values import External
from codemods.rule import Fix

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from codemods.edit.calls import CallEdit

HELPERS = "agentlightning_compat.legacy"
LINE_LENGTH = 100


class Address(NamedTuple):
    """Where a fleet has to connect to: the expression, and how often a client polled there."""

    value: ast.expr
    poll_interval: ast.expr | None = None
    complete: bool = True


class Outcome(NamedTuple):
    """A rewrite of a call, or the reason for none; `consumed` is a loader that goes with it."""

    fix: Fix | None
    applicability: Applicability = "review"
    reason: str = ""
    consumed: ast.Call | None = None


def fleet(ctx: FileContext, call: FitCall) -> Outcome:
    """Runners for the store server at the address that the call is given."""
    assert call.backend is not None
    address = _address(ctx, call.backend.value)
    problem = _problem(ctx, call.backend.value)
    if problem:
        return Outcome(None, reason=problem)
    built = call.built
    if built is not None and _in_reach(ctx, call, built, address):
        literal = isinstance(address.value, ast.Constant)

        def strategy(rewrite: Rewrite) -> None:
            assert built is not None
            _construct(ctx, rewrite, built, address)
            edit = rewrite.call(call.node)
            drop(edit, call.backend, call.loader, call.validation)
            if call.func.attr != "fit":
                edit.rename_attribute("fit")

        return Outcome(strategy, "review" if literal else "shim")

    def helper(rewrite: Rewrite) -> None:
        edit = rewrite.call(call.node)
        drop(edit, call.loader, call.validation)
        assert call.backend is not None
        if call.backend.keyword:
            edit.rename_keyword(call.backend.keyword, "url")
        edit.to_function(rewrite.use(f"{HELPERS}.fit_fleet", call.node))

    return Outcome(helper, "shim")


def drop(edit: CallEdit, *given: Given | None) -> None:
    """Take arguments out of a call, the last one first so that positions stay right."""
    present = [item for item in given if item is not None]
    for item in sorted(present, key=lambda item: item.position, reverse=True):
        if item.keyword:
            edit.remove_keyword(item.keyword)
        else:
            edit.remove_positional(item.position)


def _construct(ctx: FileContext, rewrite: Rewrite, built: Construction, address: Address) -> None:
    node = address.value
    edit = rewrite.call(built.call)
    if isinstance(node, ast.Constant):
        strategy = _literal(ctx, built.call, _split(str(node.value)))
    else:
        function = rewrite.use(f"{HELPERS}.runner_strategy", built.call)
        strategy = f"{function}({ctx.source(node)})"
    edit.set_keyword("strategy", strategy)
    if address.poll_interval is not None:
        seconds = ctx.source(address.poll_interval)
        name = f"{ctx.options.target}.LitAgentRunner"
        edit.set_keyword("runner", f'{{"type": "{name}", "poll_interval": {seconds}}}')


def _literal(ctx: FileContext, call: ast.Call, parts: SplitResult) -> str:
    """The dict of a strategy, over several lines where one would be too long."""
    items = [
        '"type": "cs"',
        '"role": "runner"',
        f'"server_host": "{parts.hostname}"',
        f'"server_port": {parts.port or 80}',
    ]
    line = "{" + ", ".join(items) + "}"
    start = ctx.module.offset(call.lineno, 0)
    before = ctx.module.text[start : ctx.module.span(call)[1]]
    width = len(before.splitlines()[-1]) if call.keywords or call.args else len(before)
    if width + len(line) + len(", strategy=") <= LINE_LENGTH:
        return line
    indent = before[: len(before) - len(before.lstrip())]
    newline = ctx.module.newline
    body = "".join(f"{newline}{indent}    {item}," for item in items)
    return "{" + f"{body}{newline}{indent}" + "}"


def _address(ctx: FileContext, node: ast.expr) -> Address:
    """The address in a client's construction, or the expression itself."""
    call = _client_call(ctx, node)
    if call is None:
        is_client = ctx.is_instance(node, known.CLIENT)
        return Address(node, complete=not is_client)
    keywords = {k.arg: k.value for k in call.keywords}
    given = [*call.args, *keywords.values()]
    if None in keywords or not given or any(isinstance(a, ast.Starred) for a in call.args):
        return Address(node, complete=False)
    url = call.args[0] if call.args else keywords.get("endpoint")
    poll = call.args[1] if len(call.args) > 1 else keywords.get("poll_interval")
    if url is None:
        return Address(node, complete=False)
    # A client with a name may have other uses; the helper takes the address from it.
    return Address(node if isinstance(node, ast.Name) else url, poll)


def _client_call(ctx: FileContext, node: ast.expr) -> ast.Call | None:
    if isinstance(node, ast.Name):
        bindings = ctx.module.scope(node).lookup(node.id)
        if len(bindings) != 1 or bindings[0].kind != "assign" or bindings[0].value is None:
            return None
        node = bindings[0].value
    if not isinstance(node, ast.Call):
        return None
    return node if ctx.infer(node.func) == External(known.CLIENT) else None


def _split(address: str) -> SplitResult:
    from urllib.parse import urlsplit  # few files have a literal address

    return urlsplit(address.strip())


def _problem(ctx: FileContext, node: ast.expr) -> str:
    """Why 0.3's runners cannot reach the server at a literal address."""
    client = _client_call(ctx, node)
    if client is not None:
        endpoints = [k.value for k in client.keywords if k.arg == "endpoint"]
        node = [*client.args, *endpoints, node][0]
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return ""
    parts = _split(node.value)
    if parts.scheme == "https":
        return "0.3's runners speak plain HTTP only; put a proxy that ends TLS next to them"
    if parts.scheme != "http" or not parts.hostname:
        return "this is not an http:// URL, which fit() needs"
    if parts.path.strip("/") or parts.query or parts.username or ":" in parts.hostname:
        return (
            "0.3's runners take a host and a port only; make the store server reachable as "
            "http://host:port"
        )
    return ""


def _in_reach(ctx: FileContext, call: FitCall, built: Construction, address: Address) -> bool:
    """Whether the address can be given where the trainer is built."""
    keywords = ["strategy"] if address.poll_interval is None else ["strategy", "runner"]
    parts = [address.value, *([] if address.poll_interval is None else [address.poll_interval])]
    return (
        address.complete
        and call.func.attr in ("fit", "fit_v0")
        and ctx.is_class(built.call.func, *CLASSES)
        and takes(ctx, built, *keywords)
        and all(movable(ctx, part, built.call) for part in parts)
        and _serves_only(ctx, call, built)
    )


def _serves_only(ctx: FileContext, call: FitCall, built: Construction) -> bool:
    """Whether nothing else makes the trainer run, which would then run at the address as well."""
    if built.name is None:
        return True
    outermost = built.name.scope.kind == "module"
    if outermost and built.name.name in ctx.project.exported(ctx.module):
        return False
    assert call.backend is not None
    text = ctx.source(call.backend.value)
    return all(_harmless(ctx, use, text) for use in uses(ctx, built.name))


def _harmless(ctx: FileContext, use: ast.Name, address: str) -> bool:
    attribute = ctx.parent(use)
    if not isinstance(attribute, ast.Attribute):
        return False  # handed on, who knows what for
    caller = ctx.parent(attribute)
    if not isinstance(caller, ast.Call) or caller.func is not attribute:
        return attribute.attr not in ("fit", "fit_v0")
    other = fit_call(ctx, caller)
    if other is None:
        return attribute.attr != "dev"
    if other.plan != "fleet" or other.backend is None:
        return False
    return ctx.source(other.backend.value) == address
