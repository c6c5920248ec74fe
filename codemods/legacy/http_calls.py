"""Requests to the endpoints of the legacy server that a project makes without the client."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Literal

from codemods.context import FileContext
from codemods.names.shapes import dotted_tail
from codemods.names.values import BoundMethod, External, Instance, Value

LIBRARIES = frozenset({"aiohttp", "httpx", "requests", "urllib", "urllib3"})
_ANY_VERB = frozenset({"request", "stream", "urlopen", "Request"})
_VERBS = _ANY_VERB | {"get", "post"}
_VERB = {"task": "get", "rollout": "post", "resources": "get"}
_ENDPOINT = re.compile(r"(?:^|/)(task|rollout|resources)(?:/(?:latest|[^/?]*))?/?$")
_HOLE = "x"


def endpoint(ctx: FileContext, call: ast.Call) -> str:
    """Which endpoint of the legacy server a call asks ("task", "rollout", "resources") if any."""
    speaker = _speaker(ctx, call.func) if dotted_tail(call.func) in _VERBS else "nobody"
    if speaker == "nobody":
        return ""
    for value in [*call.args, *(k.value for k in call.keywords if k.arg in ("url", None))]:
        text = _text(ctx, value)
        if speaker == "unknown" and text.startswith("/"):
            continue  # a path alone is only sent by what has the rest of the address
        found = _ENDPOINT.search(text.partition("?")[0])
        if found is not None and _matches(found, dotted_tail(call.func)):
            return found[1]
    return ""


def _matches(found: re.Match[str], verb: str) -> bool:
    # `/task/3` was never answered; resources always were asked for by an id, or the latest.
    deeper = found[0].strip("/").count("/") == (found[1] == "resources")
    return deeper and (verb in _ANY_VERB or verb == _VERB[found[1]])


def _speaker(ctx: FileContext, func: ast.expr) -> Literal["library", "unknown", "nobody"]:
    """Whether an HTTP library is called, or what may be a session that somebody handed over."""
    receiver = func.value if isinstance(func, ast.Attribute) else func
    value = ctx.infer(receiver)
    if value is not None:
        return "library" if _library(value) in LIBRARIES else "nobody"
    return "unknown" if isinstance(func, ast.Attribute) and any(_imported(ctx)) else "nobody"


def _library(value: Value) -> str:
    of: object = value.owner.of if isinstance(value, BoundMethod) else value
    of = of.of if isinstance(of, Instance) else of
    return of.path.partition(".")[0] if isinstance(of, External) else ""


def _imported(ctx: FileContext) -> Iterator[str]:
    for bindings in ctx.module.imported.values():
        for binding in bindings:
            library = binding.path.partition(".")[0]
            if library in LIBRARIES:
                yield library


def _text(ctx: FileContext, node: ast.expr, depth: int = 0) -> str:
    """What is known of a string: unknown parts are a letter."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(ctx, part, depth) for part in parts)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return _text(ctx, left, depth) + _text(ctx, right, depth)
        case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str() as text)):
            return re.sub(r"%[sdr]", _HOLE, text)
        case ast.Call():
            return _called(ctx, node, depth)
        case ast.Name() if depth < 3:
            bindings = ctx.module.scope(node).lookup(node.id)
            value = bindings[0].value if len(bindings) == 1 else None
            if value is not None and bindings[0].kind == "assign":
                return _text(ctx, value, depth + 1)
    return _HOLE


def _called(ctx: FileContext, node: ast.Call, depth: int) -> str:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as text), attr="format")):
            return re.sub(r"{[^}]*}", _HOLE, text)
        case ast.Call(args=[_, last]) if dotted_tail(node) == "urljoin":
            return "/" + _text(ctx, last, depth).lstrip("/")
        case ast.Call(args=[first, *_]) if dotted_tail(node) in ("Request", "str"):
            return _text(ctx, first, depth)
    return _HOLE
