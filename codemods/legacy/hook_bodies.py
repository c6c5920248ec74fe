"""Bodies of hooks of the legacy shape, told in what a hook of today is given."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Literal, NamedTuple

from codemods.context import FileContext
from codemods.edit import statements
from codemods.edit.ranges import Edit
from codemods.edit.rewrite import Rewrite
from codemods.legacy.agent_hooks import PARAMETERS, TODAY
from codemods.names.scopes import FunctionNode
from codemods.names.values import External

Role = Literal["owner", "task", "rollout", "runner", "tracer"]

# Fields of a task, by what says the same of a rollout.
_TASK = {
    "rollout_id": "rollout.rollout_id",
    "input": "rollout.input",
    "mode": "rollout.mode",
    "resources_id": "rollout.resources_id",
    "metadata": "(rollout.metadata or {})",
    "create_time": "rollout.start_time",
    "last_claim_time": "rollout.attempt.start_time",
    "num_claims": "rollout.attempt.sequence_id",
}
_REPORT = frozenset({"final_reward", "rollout_id"})
# What a runner of either kind has.
RUNNER = frozenset({"tracer", "worker_id"})
_QUERY = (
    "spans = await runner.get_store().query_spans(\n"
    "    rollout.rollout_id, attempt_id=rollout.attempt.attempt_id\n"
    ")\n"
    "final_reward = {find}(spans)"
)
_NEW_NAMES = frozenset({"agent", "runner", "rollout", "spans", "final_reward"})
_LOOKS_AROUND = frozenset({"super", "locals", "vars", "eval", "exec", "__class__"})
_NESTED = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Lambda,
    ast.ClassDef,
    ast.Yield,
    ast.YieldFrom,
    ast.Global,
    ast.Nonlocal,
)


class HookBody(NamedTuple):
    """A hook method of the legacy shape that a hook of today can do the same as."""

    method: FunctionNode
    roles: dict[str, Role]
    supers: tuple[ast.Call, ...]
    loops: tuple[ast.Call, ...]

    def write(self, rewrite: Rewrite, owner: str, agent: str) -> None:
        """Take what hooks are given; the hook is `owner`, what was `self` becomes `agent`."""
        parameters = ", ".join(TODAY[self.method.name])
        returns = "" if self.method.returns is None else " -> None"
        text = f"async def {self.method.name}({owner}, *, {parameters}){returns}:"
        start, end = statements.header_span(rewrite.module, self.method)
        # Not opaque: what other rules make of the old types in it goes with them.
        rewrite.edits.append(Edit(start, end, lambda _: text))
        for call in self.supers:
            passed = ", ".join(f"{name}={name}" for name in TODAY[self.method.name])
            rewrite.replace(call, f"await super().{self.method.name}({passed})")
        for call in self.loops:
            put_await(rewrite, call)
        inside = {part for call in self.supers for part in ast.walk(call)}
        nodes = [node for node in ast.walk(self.method) if node not in inside]
        if sum(self._node(rewrite, node, agent) for node in nodes):
            find = rewrite.use("agentlightning.find_final_reward", self.method)
            rewrite.first_in_body(self.method, _QUERY.format(find=find))

    def _node(self, rewrite: Rewrite, node: ast.AST, agent: str) -> bool:
        """Rewrite one node; whether it needs the final reward."""
        if isinstance(node, ast.Name):
            new = {"owner": agent, "runner": "runner", "tracer": "runner.tracer"}
            text = new.get(self.roles.get(node.id, ""))
            if text is not None and text != node.id:
                rewrite.rename(node, text)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            role = self.roles.get(node.value.id)
            if role == "task":
                rewrite.replace(node, _TASK[node.attr])
            elif role == "rollout" and node.attr == "final_reward":
                rewrite.replace(node, "final_reward")
                return True
            elif role == "rollout" and node.value.id != "rollout":
                rewrite.rename(node.value, "rollout")
        return False


def read_body(ctx: FileContext, method: FunctionNode, *, moves: bool) -> HookBody | None:
    """The body of a hook of the legacy shape, if all that it does can be done today.

    `moves` says that the method leaves its class, so that it cannot ask for `super()`.
    """
    roles = _roles(method)
    if roles is None or method.decorator_list or method.body[0].lineno == method.lineno:
        return None
    start, end = statements.header_span(ctx.module, method)
    returns = method.returns is None or ast.unparse(method.returns) == "None"
    if "#" in ctx.module.text[start:end] or not returns:
        return None
    supers = () if moves else tuple(_supers(method, roles))
    loops = tuple(n for n in ast.walk(method) if isinstance(n, ast.Call) and runs_loop(ctx, n))
    bound = ctx.module.table.inner[method].bindings
    if any(name in _NEW_NAMES and name not in roles for name in bound):
        return None
    if not all(can_await(ctx, call) for call in loops):
        return None
    inside = {part for call in supers for part in ast.walk(call)}
    rest = [node for node in ast.walk(method) if node is not method and node not in inside]
    fine = all(_allowed(ctx, node, roles, moves) for node in rest)
    return HookBody(method, roles, supers, loops) if fine else None


def runs_loop(ctx: FileContext, call: ast.Call) -> bool:
    """Whether a call starts an event loop."""
    return ctx.infer(call.func) == External("asyncio.run")


def _roles(method: FunctionNode) -> dict[str, Role] | None:
    arguments = method.args
    names = [a.arg for a in arguments.args]
    extra = (arguments.posonlyargs, arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    if len(names) != len(PARAMETERS[method.name]) + 1 or any(extra) or arguments.defaults:
        return None
    if set(names[1:]) & set(TODAY[method.name]) - {"runner", "rollout"}:
        return None
    if len(names) == 4:
        return dict(zip(names, ("owner", "task", "runner", "tracer"), strict=True))
    return dict(zip(names, ("owner", "task", "rollout", "runner", "tracer"), strict=True))


def _supers(method: FunctionNode, roles: dict[str, Role]) -> list[ast.Call]:
    """`super().on_rollout_end(task, rollout, runner, tracer)`, as a statement of its own."""
    names = list(roles)[1:]
    found = []
    for node in ast.walk(method):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            given = [a.id for a in call.args if isinstance(a, ast.Name)]
            same = given == names and not call.keywords
            if same and ast.unparse(call.func) == f"super().{method.name}":
                found.append(call)
    return found


def _allowed(ctx: FileContext, node: ast.AST, roles: dict[str, Role], moves: bool) -> bool:
    if isinstance(node, _NESTED):
        return False
    if isinstance(node, ast.Attribute):
        private = node.attr.startswith("__") and not node.attr.endswith("__")
        return node.attr != "run_until_complete" and not (moves and private)
    if not isinstance(node, ast.Name):
        return True
    role = roles.get(node.id)
    if role is None:
        return node.id not in _NEW_NAMES and node.id not in _LOOKS_AROUND
    return isinstance(node.ctx, ast.Load) and _use_allowed(ctx, node, role)


def _use_allowed(ctx: FileContext, node: ast.Name, role: Role) -> bool:
    if role in ("owner", "tracer"):
        return True
    around = ctx.parent(node)
    if not isinstance(around, ast.Attribute) or not isinstance(around.ctx, ast.Load):
        return False
    if role == "task" and around.attr == "metadata":
        return _only_read(ctx, around)
    fields = {"task": _TASK.keys(), "rollout": _REPORT, "runner": RUNNER}
    return around.attr in fields[role]


def _only_read(ctx: FileContext, node: ast.Attribute) -> bool:
    """`task.metadata["x"]`, `task.metadata.get("x")`, or handed on; the rest may change it."""
    around = ctx.parent(node)
    if isinstance(around, ast.Call | ast.keyword | ast.FormattedValue):
        return True
    if isinstance(around, ast.Subscript):
        return isinstance(around.ctx, ast.Load)
    return isinstance(around, ast.Attribute) and around.attr in ("get", "items", "keys")


def can_await(ctx: FileContext, call: ast.Call) -> bool:
    """Whether an `asyncio.run(x)` can become `await x` where it stands."""
    if len(call.args) != 1 or call.keywords or isinstance(call.args[0], ast.Starred):
        return False
    inner = ctx.module.enclosing(call, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    start, end = ctx.module.span(call)
    first, last = ctx.module.span(call.args[0])
    text = ctx.module.text
    return inner is None and "#" not in text[start:first] + text[last:end]


def make_async(rewrite: Rewrite, method: FunctionNode, loops: Iterable[ast.Call]) -> None:
    """`def` into `async def`, and the event loops that it runs into awaits."""
    start, _ = rewrite.module.span(method)
    rewrite.replace_span(start, start, "async ")
    for call in loops:
        put_await(rewrite, call)


def put_await(rewrite: Rewrite, call: ast.Call) -> None:
    """`asyncio.run(x)` into `await x`."""
    start, end = rewrite.module.span(call)
    first, last = rewrite.module.span(call.args[0])
    whole = isinstance(rewrite.module.parent(call), ast.Expr | ast.Assign | ast.Return)
    plain = whole and isinstance(call.args[0], ast.Call) and start + 1 < first
    opens, closes = ("", "") if plain else ("(", ")")
    rewrite.replace_span(start, first, f"{opens}await ")
    rewrite.replace_span(last, end, closes)
