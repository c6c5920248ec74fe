"""Calls of `Trainer.fit` and `fit_v0`: their arguments by meaning, and which rewrite they need."""

from __future__ import annotations

import ast
from typing import Literal, NamedTuple

from codemods.context import FileContext
from codemods.legacy.backends import Kind, kind_of
from codemods.legacy.trainers import Construction, construction, is_trainer_method

# Spellings met in the wild, those of the other method and those of neither included.
BACKEND = ("backend", "train_data", "train_dataset", "server_url", "backend_url", "url", "server")
LOADER = ("dev_backend", "dev_data", "dev_dataset", "dev_loader")
VALIDATION = ("val_data", "val_dataset", "val_backend")
_FITS = ("fit", "fit_v0")
_LEGACY_ONLY = ("n_workers", "max_tasks", "daemon", "dev", "triplet_exporter")

Plan = Literal["today", "fleet", "dev", "dataset", "unclear"]


class Given(NamedTuple):
    """One argument: its value, and the keyword or the position it was given by."""

    value: ast.expr
    keyword: str = ""
    position: int = -1


class FitCall:
    """A call of `fit` or `fit_v0` on a trainer."""

    def __init__(self, node: ast.Call, func: ast.Attribute, built: Construction | None) -> None:
        self.node = node
        self.func = func
        self.built = built
        self.backend: Given | None = None
        self.loader: Given | None = None
        self.validation: Given | None = None
        self.strange: list[str] = []
        self.kind: Kind = "unknown"
        self.plan: Plan = "unclear"

    @property
    def receiver(self) -> ast.expr:
        """The trainer."""
        return self.func.value

    @property
    def agent(self) -> ast.expr | None:
        """The agent, if it is given."""
        if self.node.args and not isinstance(self.node.args[0], ast.Starred):
            return self.node.args[0]
        return next((k.value for k in self.node.keywords if k.arg == "agent"), None)

    @property
    def spread(self) -> bool:
        """Whether `*` or `**` hides what is given."""
        return any(isinstance(a, ast.Starred) for a in self.node.args) or any(
            k.arg is None for k in self.node.keywords
        )

    def dev_flag(self) -> ast.expr | bool | None:
        """What `dev=` was given to the trainer; None where that is out of reach."""
        if self.built is None or self.built.open_ended:
            return None
        flag = self.built.keyword("dev")
        if flag is None:
            return False
        return bool(flag.value) if isinstance(flag, ast.Constant) else flag


def fit_call(ctx: FileContext, node: ast.Call) -> FitCall | None:
    """`node` read as a call of a trainer's `fit` or `fit_v0`, if it is one."""
    func = node.func
    if not isinstance(func, ast.Attribute) or func.attr not in _FITS:
        return None
    if node in ctx.memo:
        known = ctx.memo[node]
        assert known is None or isinstance(known, FitCall)
        return known
    call = None
    if is_trainer_method(ctx, func):
        call = FitCall(node, func, construction(ctx, func.value))
        _sort_arguments(ctx, call)
        call.plan = _plan(ctx, call)
    ctx.memo[node] = call
    return call


def fit_calls(ctx: FileContext) -> list[FitCall]:
    """All such calls of a file."""
    named = (node for name in _FITS for node in ctx.module.attributes.get(name, ()))
    nodes = [n for f in named if isinstance(n := ctx.parent(f), ast.Call) and n.func is f]
    nodes.sort(key=lambda node: (node.lineno, node.col_offset))
    return [call for node in nodes if (call := fit_call(ctx, node)) is not None]


def _sort_arguments(ctx: FileContext, call: FitCall) -> None:
    if call.spread:
        return
    given = [Given(value, position=position) for position, value in enumerate(call.node.args)]
    given = given[1:]
    if given:
        call.backend = given.pop(0)
    if given:
        call.loader = given.pop(0)
    call.strange = [f"positional argument {item.position + 1}" for item in given]
    for keyword in call.node.keywords:
        _sort_keyword(call, Given(keyword.value, keyword=keyword.arg or ""))
    if call.backend is not None:
        call.kind = kind_of(ctx, call.backend.value)
    third = call.loader
    if third is not None and third.position == 2 and kind_of(ctx, third.value) == "dataset":
        call.loader, call.validation = None, third


def _sort_keyword(call: FitCall, given: Given) -> None:
    name = given.keyword
    if name == "agent":
        return
    if name in BACKEND and call.backend is None:
        call.backend = given
    elif name in LOADER and call.loader is None:
        call.loader = given
    elif name in VALIDATION and call.validation is None:
        call.validation = given
    else:
        call.strange.append(name)


def _plan(ctx: FileContext, call: FitCall) -> Plan:
    if call.spread or call.strange:
        return "unclear"
    if call.backend is None and call.loader is None:
        return "today" if call.func.attr == "fit" else "unclear"
    if call.kind == "unknown":
        call.kind = _by_circumstances(call)
    if call.kind == "unknown":
        return "unclear"
    if call.kind == "loader" or _may_be_dev(call):
        # A helper can tell a loader from an address when the program runs, not from a dataset.
        return "dev" if call.kind != "dataset" or call.dev_flag() is True else "unclear"
    if call.kind == "dataset":
        return "today" if _is_todays(call) else "dataset"
    return "fleet"


def _by_circumstances(call: FitCall) -> Kind:
    """What a backend of unknown type has to be, given how trainer and call look."""
    backend, built = call.backend, call.built
    if backend is None:
        return "url"  # only a loader is given
    if backend.keyword in ("backend", "server_url", "backend_url", "url", "server") or call.loader:
        return "url"
    if built is None or built.open_ended:
        return "unknown"
    # Without an algorithm, `fit_v0` refuses a dataset and today's `fit` never ends with one.
    if built.keyword("algorithm") is None and not _runs_elsewhere(built):
        legacy = any(built.keyword(name) is not None for name in _LEGACY_ONLY)
        return "url" if legacy or call.func.attr == "fit_v0" else "unknown"
    return "dataset"


def _runs_elsewhere(built: Construction) -> bool:
    return built.keyword("strategy") is not None or built.keyword("runner") is not None


def _may_be_dev(call: FitCall) -> bool:
    return call.loader is not None and call.dev_flag() is not False


def _is_todays(call: FitCall) -> bool:
    if call.func.attr != "fit":
        return False
    given = [g for g in (call.backend, call.validation) if g is not None]
    positions = all(g.position in (-1, 1) for g in given)
    return (
        positions
        and call.loader is None
        and all(g.keyword in ("", "train_dataset", "val_dataset") for g in given)
    )
