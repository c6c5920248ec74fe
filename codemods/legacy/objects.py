"""Which legacy objects expressions are: clients, servers, runners and the tasks that they hand out.

Beyond what inference says, an unannotated parameter is what every call in the project gives it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal, NamedTuple

from codemods.context import FileContext
from codemods.legacy.unreadable import doubt
from codemods.names import known
from codemods.names.module import Module
from codemods.names.scopes import Binding, FunctionNode
from codemods.names.shapes import dotted_tail, is_none, self_assignments
from codemods.names.values import External, Instance, ProjectClass, ProjectFunction, Value
from codemods.project import Project

Kind = Literal["client", "loader", "server", "runner", "task", "own", "inside"]

_KINDS: dict[str, Kind] = {
    known.CLIENT: "client",
    known.DEV_LOADER: "loader",
    known.SERVER: "server",
    known.AGENT_RUNNER: "runner",
    known.LEGACY_RUNNER: "runner",
}
_POLLS = frozenset({"poll_next_task", "poll_next_task_async"})
_OWNERS = frozenset({"runner", "get_runner", "trainer", "get_trainer"})
_MOCKS = ("unittest.mock.", "mock.", "asynctest.")
_DEPTH = 12
_MEMO = "legacy objects"


class Built(NamedTuple):
    """A call that builds a legacy object, and the file that it stands in."""

    module: Module
    call: ast.Call


class Objects:
    """Answers for one project; kept in its memo."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._kinds: dict[ast.AST, Kind | None] = {}
        self._calls: dict[str, list[Built]] | None = None
        self._depth = 0

    def kind(self, module: Module, node: ast.expr) -> Kind | None:
        """What legacy object an expression is.

        "own" is one of a class of the project, "inside" one that an agent gets from its trainer
        or its runner.
        """
        if node in self._kinds:
            return self._kinds[node]
        if self._depth > _DEPTH:
            return None
        self._kinds[node] = None
        self._depth += 1
        try:
            answer = self._kind(module, node)
        finally:
            self._depth -= 1
        self._kinds[node] = answer
        return answer

    def _kind(self, module: Module, node: ast.expr) -> Kind | None:
        if isinstance(node, ast.Await | ast.NamedExpr):
            return self.kind(module, node.value)
        if isinstance(node, ast.Call) and dotted_tail(node) in _POLLS:
            # Only the receiver's type says whose task it is.
            owner = getattr(node.func, "value", None)
            polled = owner is not None and self.kind(module, owner) in ("client", "loader")
            return "task" if polled else None
        if self._through_agent(module, node) or self._of_agent(module, node):
            return "inside"
        if self._is_super(module, node):
            return "own"
        value = self.project.inference.infer(module, node)
        if value is not None and getattr(value, "of", None) != External(known.TASK):
            return self._of_value(value)
        # A `Task` may be built by hand as well: where it comes from has to be seen.
        kinds = {self.kind(where, source) for where, source in self.sources(module, node)}
        return kinds.pop() if len(kinds) == 1 else None

    def _through_agent(self, module: Module, node: ast.expr) -> bool:
        """`self.runner`, `self.trainer.client()` and the like in an agent."""
        while isinstance(node, ast.Call | ast.Attribute):
            if isinstance(node, ast.Attribute) and node.attr in _OWNERS:
                owner = self.project.inference.infer(module, node.value)
                if isinstance(owner, Instance) and self.project.inference.derives(
                    owner, known.LIT_AGENT
                ):
                    return True
            node = node.func if isinstance(node, ast.Call) else node.value
        return False

    def _of_agent(self, module: Module, node: ast.expr) -> bool:
        """A variable for what an agent got from its trainer or its runner."""
        return isinstance(node, ast.Name) and any(
            self.kind(where, source) == "inside" for where, source in self.sources(module, node)
        )

    def _is_super(self, module: Module, node: ast.expr) -> bool:
        """`super()` in a class made from one of the legacy ones."""
        if not isinstance(node, ast.Call) or dotted_tail(node.func) != "super":
            return False
        cls = module.enclosing(node, ast.ClassDef)
        return isinstance(cls, ast.ClassDef) and self.project.inference.derives(
            ProjectClass(module, cls), *_KINDS
        )

    def _of_value(self, value: Value) -> Kind | None:
        if not isinstance(value, Instance):
            return None
        if isinstance(value.of, External):
            return _KINDS.get(value.of.path)
        return "own" if self.project.inference.derives(value, *_KINDS) else None

    def origins(self, module: Module, node: ast.expr) -> list[Built]:
        """The calls that may have built an object; none, where one of them is out of sight."""
        found: dict[ast.Call, Built] = {}
        return list(found.values()) if self._collect(module, node, found, 0) else []

    def _collect(
        self, module: Module, node: ast.expr, found: dict[ast.Call, Built], depth: int
    ) -> bool:
        if depth > _DEPTH:
            return False
        value = self.project.inference.infer(module, node)
        if isinstance(value, Instance) and value.call is not None and value.module is not None:
            found[value.call] = Built(value.module, value.call)
            return True
        sources = list(self.sources(module, node))
        return bool(sources) and all(
            self._collect(where, source, found, depth + 1) for where, source in sources
        )

    def sources(self, module: Module, node: ast.expr) -> Iterator[tuple[Module, ast.expr]]:
        """The expressions that give a name or an attribute of `self` its value."""
        if isinstance(node, ast.Name):
            scope = module.table.scopes.get(node)
            for binding in scope.lookup(node.id) if scope is not None else ():
                if binding.kind == "param":
                    yield from self._arguments(module, binding)
                elif binding.kind in ("assign", "with") and binding.value is not None:
                    yield module, binding.value
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = self.project.inference.infer(module, node.value)
            if isinstance(owner, Instance) and isinstance(owner.of, ProjectClass):
                cls = owner.of
                for binding in self_assignments(cls.module, cls.node, node.attr):
                    if binding.value is not None:
                        yield cls.module, binding.value

    def _arguments(self, module: Module, binding: Binding) -> Iterator[tuple[Module, ast.expr]]:
        """What the calls of a function in the project give to one of its parameters."""
        function = binding.scope.node
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            return
        cls = module.parent(function)
        names = [function.name]
        if isinstance(cls, ast.ClassDef) and function.name == "__init__":
            names.append(cls.name)
        for name in names:
            for site in self._call_sites(name):
                if self._calls_it(site, module, function, cls):
                    given = _given(site.call, function, binding.name, isinstance(cls, ast.ClassDef))
                    if given is not None:
                        yield site.module, given

    def _calls_it(
        self, site: Built, module: Module, function: FunctionNode, cls: ast.AST | None
    ) -> bool:
        callee = self.project.inference.infer(site.module, site.call.func)
        if isinstance(callee, ProjectFunction):
            return callee.node is function
        return (
            isinstance(callee, ProjectClass)
            and function.name == "__init__"
            and (callee.node is cls and callee.module is module)
        )

    def _call_sites(self, name: str) -> list[Built]:
        if self._calls is None:
            self._calls = {}
            for module in self.project.modules.values():
                for call in module.table.nodes.get(ast.Call, ()):
                    assert isinstance(call, ast.Call)
                    built = Built(module, call)
                    self._calls.setdefault(dotted_tail(call.func), []).append(built)
        return self._calls.get(name, [])


def _given(call: ast.Call, function: FunctionNode, name: str, bound: bool) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    positional = [a.arg for a in [*function.args.posonlyargs, *function.args.args]]
    if bound and not any(dotted_tail(d) == "staticmethod" for d in function.decorator_list):
        positional = positional[1:]
    if name not in positional:
        return None
    index = positional.index(name)
    before = call.args[: index + 1]
    if len(before) <= index or any(isinstance(a, ast.Starred) for a in before):
        return None
    return before[index]


def objects(ctx: FileContext) -> Objects:
    """The answers for the project of a file."""
    found = ctx.project.memo.get(_MEMO)
    if not isinstance(found, Objects):
        found = ctx.project.memo[_MEMO] = Objects(ctx.project)
    return found


def kind_of(ctx: FileContext, node: ast.expr) -> Kind | None:
    """What legacy object an expression of a file is."""
    return objects(ctx).kind(ctx.module, node)


def may_be_own(ctx: FileContext, node: ast.expr) -> bool:
    """Whether an object may be of a class that the project made from a legacy one."""
    found = objects(ctx)
    return any(found.kind(b.module, b.call) == "own" for b in found.origins(ctx.module, node))


def is_unknown(ctx: FileContext, node: ast.expr) -> bool:
    """Whether nobody can say what an object is: a stand-in of a test may be anything."""
    value = ctx.infer(node)
    of = value.of if isinstance(value, Instance) else value
    if isinstance(of, External):
        return of.path.startswith(_MOCKS)
    return of is None and not _is_stranger(ctx, ctx.module, node, _DEPTH)


def _is_stranger(ctx: FileContext, module: Module, node: ast.expr, depth: int) -> bool:
    """Whether an object is of a class of the project that has nothing to do with agentlightning.

    What is called by `super()` is its own class's; a parameter is what every call gives it.
    """
    if isinstance(node, ast.Call) and dotted_tail(node.func) == "super":
        around = module.enclosing(node, ast.ClassDef)
        return isinstance(around, ast.ClassDef) and _is_own(ctx, ProjectClass(module, around))
    value = ctx.project.inference.infer(module, node)
    if value is not None or depth == 0:
        of = value.of if isinstance(value, Instance) else None
        return isinstance(of, ProjectClass) and _is_own(ctx, of)
    sources = [(m, e) for m, e in objects(ctx).sources(module, node) if not is_none(e)]
    return bool(sources) and all(_is_stranger(ctx, m, e, depth - 1) for m, e in sources)


def _is_own(ctx: FileContext, cls: ProjectClass) -> bool:
    mro = ctx.project.inference.mro(cls)
    ours = any(isinstance(c, External) and c.path.startswith("agentlightning") for c in mro)
    return not ours and not doubt(ctx, cls)


def asking(ctx: FileContext, node: ast.expr, what: str) -> str:
    """What to do about an object that may be a legacy `what`."""
    if ctx.infer(node) is not None:
        return f"if it stands in for a legacy {what}, let it answer as the store does"
    return f"if `{ctx.source(node)}` is a legacy {what}, annotate it and run again"


def is_today(ctx: FileContext, node: ast.expr, name: str) -> bool:
    """Whether an expression is an object of one of today's classes, by that class's name.

    What such an object is asked for by a legacy name was left over by an earlier rewrite.
    """
    value = ctx.infer(node)
    return isinstance(value, Instance) and names_today(value.of, name)


def names_today(value: Value | None, name: str) -> bool:
    """Whether a value is the class of today's API that has a name, in either package."""
    if not isinstance(value, External):
        return False
    parts = value.path.split(".")
    return parts[0] in ("agentlightning", "agentlightning_compat") and parts[-1] == name
