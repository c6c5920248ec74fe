"""AGL204: methods of a Trainer subclass that override parts of the legacy worker loop."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.legacy.trainers import CLASSES
from codemods.names import known
from codemods.names.values import ProjectClass
from codemods.rule import Hit, Rule

FIT_V0_ONLY = "only fit_v0 calls it; a runner class or a Hook has to do this in the store API"
ADVICE = {
    "_make_tracer": "give tracer= a class, a factory or a dotted name to Trainer(...) instead",
    "_init_client": FIT_V0_ONLY,
    "_worker_main_loop": FIT_V0_ONLY,
    "_initialize_worker_env": FIT_V0_ONLY,
    "_teardown_worker_env": FIT_V0_ONLY,
    "init": FIT_V0_ONLY,
    "teardown": FIT_V0_ONLY,
    "client": "the store is `self.store`; there is no client",
    "fit_v0": "override fit(self, agent, train_dataset=None, *, val_dataset=None)",
}


class TrainerOverrides(Rule):
    """Overrides that no longer take part in a run, or have another signature."""

    code = "AGL204"
    title = "Trainer method is overridden"
    why = (
        "`Trainer.fit` builds an algorithm and runners and hands them to an execution strategy; "
        "the worker loop of 0.1 and its parts are not called. An override of `fit` gets datasets, "
        "not an address."
    )
    before = "class MyTrainer(Trainer):\n    def _make_tracer(self, tracer): ..."
    after = "(left as it is and reported)"
    applicability = "manual"
    nodes = (ast.FunctionDef, ast.AsyncFunctionDef)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Methods of these names in classes that derive from Trainer."""
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name not in ADVICE and node.name != "fit":
            return
        cls = ctx.parent(node)
        if not isinstance(cls, ast.ClassDef):
            return
        if not ctx.project.inference.derives(ProjectClass(ctx.module, cls), *CLASSES):
            return
        reason = ADVICE.get(node.name, "")
        if node.name == "fit":
            if not _has_old_signature(node):
                return
            reason = "it is called with train_dataset and val_dataset, which can be no address"
        yield Hit(
            node,
            f"`{node.name}` overrides a part of the legacy trainer",
            reason=reason,
            symbol=f"{known.TRAINER}.{node.name}",
            span=_header(node, ctx),
        )


def _has_old_signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = node.args
    names = {a.arg for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    today = "train_dataset" in names or arguments.vararg is not None
    return not today or bool(names & {"backend", "dev_backend", "dev_data"})


def _header(node: ast.FunctionDef | ast.AsyncFunctionDef, ctx: FileContext) -> tuple[int, int]:
    start, _ = ctx.module.span(node)
    return start, ctx.module.text.index(node.name, start) + len(node.name)
