"""What happens to the body of a rollout method when its parameters change."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.legacy.signatures import Parts
from codemods.names.children import walk
from codemods.names.module import Module
from codemods.names.scopes import FunctionNode, Scope

_LOOKS_AT_NAMES = ("locals", "vars", "eval", "exec", "dir")


class BodyPlan:
    """Names to spell anew, and statements that go in front. `blocked` says why neither can be."""

    def __init__(self) -> None:
        self.renames: list[tuple[ast.Name, str]] = []
        self.first: list[str] = []
        self.blocked = ""


def plan_body(module: Module, function: FunctionNode, parts: Parts) -> BodyPlan:
    """How the body reaches the id and the resources through the new parameters."""
    body = _Body(module, function)
    plan = BodyPlan()
    if parts.task.arg in ("rollout", "resources"):
        plan.blocked = f"the task itself is called `{parts.task.arg}`"
        return plan
    _follow_id(body, parts.rollout_id.arg, plan)
    _follow_resources(body, parts.resources.arg, plan)
    return plan


def _follow_id(body: _Body, name: str, plan: BodyPlan) -> None:
    uses = body.uses(name)
    if body.takes_from_outside("rollout"):
        plan.blocked = "the body uses another `rollout`, which the new parameter would hide"
        return
    readable = body.only_read(name, uses) and not any(
        body.hidden_at(use, "rollout") for use in uses
    )
    if name == "rollout":
        plan.blocked = "" if readable else "`rollout` gets other values in the body"
    else:
        own = body.uses("rollout")
        fresh = body.free_name("own_rollout")
        plan.renames += [(use, fresh) for use in own]
        if own and not body.renamable("rollout", own):
            plan.blocked = "the body has a variable `rollout` of its own"
    if readable:
        plan.renames += [(use, "rollout.rollout_id") for use in uses]
    elif uses:
        plan.first.append(f"{name} = rollout.rollout_id")


def _follow_resources(body: _Body, name: str, plan: BodyPlan) -> None:
    if name == "resources":
        return
    uses = body.uses(name)
    if body.takes_from_outside("resources"):
        plan.blocked = "the body uses another `resources`, which the new parameter would hide"
    elif not uses:
        return
    elif body.renamable(name, uses) and not body.binds("resources"):
        plan.renames += [(use, "resources") for use in uses]
    else:
        plan.first.append(f"{name} = resources")


class _Body:
    """The names of one function and of the functions inside it."""

    def __init__(self, module: Module, function: FunctionNode) -> None:
        self._module = module
        self._function = function
        self._scope = module.table.inner[function]
        self._inside = list(self._walk())
        self._names = [n for n in self._inside if isinstance(n, ast.Name)]

    def _walk(self) -> Iterator[ast.AST]:
        for statement in self._function.body:
            yield from walk(statement)

    def uses(self, name: str) -> list[ast.Name]:
        """Where the function's own variable `name` is written or read, in source order."""
        found = [n for n in self._names if n.id == name and self._scope_of(n) is self._scope]
        return sorted(found, key=lambda n: (n.lineno, n.col_offset))

    def _scope_of(self, node: ast.Name) -> Scope | None:
        bindings = self._module.scope(node).lookup(node.id)
        return bindings[0].scope if bindings else None

    def takes_from_outside(self, name: str) -> bool:
        """Whether `name` is read here and means something outside the function."""
        return any(n.id == name and not self._is_within(self._scope_of(n)) for n in self._names)

    def _is_within(self, scope: Scope | None) -> bool:
        while scope is not None and scope is not self._scope:
            scope = scope.parent
        return scope is not None

    def only_read(self, name: str, uses: list[ast.Name]) -> bool:
        """Whether every use is a plain read that can be written in another way."""
        bound_once = len(self._scope.bindings.get(name, ())) == 1
        return (
            bound_once
            and all(isinstance(use.ctx, ast.Load) for use in uses)
            and self.renamable(name, uses)
        )

    def renamable(self, name: str, uses: list[ast.Name]) -> bool:
        """Whether the uses stand in the text as the tree says, and nothing asks for the name."""
        spans = [self._module.span(use) for use in uses]
        return (
            len(set(spans)) == len(spans)
            and all(self._module.source(use) == name for use in uses)
            and not any(self._shows_its_text(use) for use in uses)
            and not self._asked_for(name)
        )

    def _shows_its_text(self, use: ast.Name) -> bool:
        # f"{rollout_id=}" prints the expression's text.
        if self._module.enclosing(use, ast.FormattedValue) is None:
            return False
        _, end = self._module.span(use)
        rest = self._module.text[end : end + 40].lstrip()
        return rest.startswith("=") and not rest.startswith("==")

    def _asked_for(self, name: str) -> bool:
        for node in self._inside:
            if isinstance(node, ast.Nonlocal | ast.Global) and name in node.names:
                return True
            if isinstance(node, ast.Name) and node.id in _LOOKS_AT_NAMES:
                return not self._module.scope(node).lookup(node.id)
            # Bound by a statement that has no Name node for it: `except E as name`, `import name`.
        bindings = self._scope.bindings.get(name, ())
        return any(b.kind in ("import", "from", "class", "function", "other") for b in bindings)

    def hidden_at(self, use: ast.Name, name: str) -> bool:
        """Whether a nested scope around `use` has a `name` of its own."""
        bindings = self._module.scope(use).lookup(name)
        return (
            bool(bindings)
            and self._is_within(bindings[0].scope)
            and (bindings[0].scope is not self._scope)
        )

    def binds(self, name: str) -> bool:
        """Whether the function, or one inside it, has a variable `name`."""
        inner = self._module.table.inner
        scopes = [self._scope, *(inner[node] for node in self._inside if node in inner)]
        return any(name in scope.bindings for scope in scopes)

    def free_name(self, wish: str) -> str:
        """`wish`, or a longer name, that nothing in the function is called."""
        taken = {n.id for n in self._names}
        while wish in taken or self.binds(wish):
            wish += "_"
        return wish
