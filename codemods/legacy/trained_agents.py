"""Where `trained_agents` is given, and the trainer that has to know it instead."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from codemods.context import FileContext
from codemods.legacy.agents import Agents
from codemods.legacy.fit_calls import fit_calls
from codemods.legacy.trainers import reaching
from codemods.names import known
from codemods.names.scopes import FunctionNode
from codemods.names.values import External, ProjectClass
from codemods.project import Project

NAME = "trained_agents"
MATCH = "agent_match"


class Given(NamedTuple):
    """One `trained_agents=` that reaches LitAgent's own constructor.

    `parameter` is the constructor of the project's class that only passes its own parameter on.
    """

    call: ast.Call
    keyword: ast.keyword
    cls: ProjectClass | None
    parameter: FunctionNode | None = None


class Trainer(NamedTuple):
    """The trainer of the file: a construction, or the line that makes it from the command line."""

    call: ast.Call
    agent: str = ""
    name: str = ""
    statement: ast.stmt | None = None


def given(ctx: FileContext) -> Iterator[Given]:
    """Every `trained_agents=` of a file that LitAgent is to take."""
    for call in ctx.module.table.nodes.get(ast.Call, ()):
        assert isinstance(call, ast.Call)
        keyword = next((k for k in call.keywords if k.arg == NAME), None)
        if keyword is None:
            continue
        inner = _class_of_init(ctx, call)
        if inner is not None and _reaches_base(ctx, inner, above=True):
            yield Given(call, keyword, inner, _passed_on(ctx, keyword))
            continue
        value = ctx.infer(call.func)
        if isinstance(value, ProjectClass) and Agents.of(ctx.project).is_agent(value):
            if _reaches_base(ctx, value, above=False):
                yield Given(call, keyword, value)
        elif value == External(known.LIT_AGENT):
            yield Given(call, keyword, None)


def given_to_strangers(ctx: FileContext) -> Iterator[ast.keyword]:
    """Every `trained_agents=` for an object of an unknown class that a trainer runs."""
    agents = [call.agent for call in fit_calls(ctx)]
    for agent in agents:
        built = agent if isinstance(agent, ast.Call) else None
        if isinstance(agent, ast.Name):
            binding = reaching(ctx, agent)
            if binding is not None and isinstance(binding.value, ast.Call):
                built = binding.value
        if built is None or isinstance(ctx.infer(built.func), ProjectClass):
            continue
        if ctx.qual(built.func) is None:
            yield from (k for k in built.keywords if k.arg == NAME)


def is_matched(project: Project) -> bool:
    """Whether any file of a project says `agent_match`, which is what the store API has."""
    return project.anywhere(is_matched, lambda _, module: MATCH in module.text)


def _class_of_init(ctx: FileContext, call: ast.Call) -> ProjectClass | None:
    """The class in whose body `call` calls the constructor of a base class."""
    func = call.func
    if not isinstance(func, ast.Attribute) or func.attr != "__init__":
        return None
    owner = ctx.module.enclosing(call, ast.ClassDef)
    if not isinstance(owner, ast.ClassDef):
        return None
    by_super = isinstance(func.value, ast.Call) and getattr(func.value.func, "id", "") == "super"
    cls = ProjectClass(ctx.module, owner)
    named = not isinstance(func.value, ast.Call) and ctx.is_class(func.value, known.LIT_AGENT)
    agent = Agents.of(ctx.project).is_agent(cls)
    return cls if agent and (by_super or named) else None


def _reaches_base(ctx: FileContext, cls: ProjectClass, above: bool) -> bool:
    """Whether no class of the project has a constructor of its own in between."""
    chain = [c for c in ctx.project.inference.mro(cls) if isinstance(c, ProjectClass)]
    return not any(
        "__init__" in c.module.table.inner[c.node].bindings for c in (chain[1:] if above else chain)
    )


def _passed_on(ctx: FileContext, keyword: ast.keyword) -> FunctionNode | None:
    function = ctx.function_around(keyword)
    if function is None or not isinstance(keyword.value, ast.Name):
        return None
    bindings = ctx.module.scope(keyword.value).lookup(keyword.value.id)
    own = [b for b in bindings if b.kind == "param" and b.scope.node is function]
    return function if own and len(bindings) == 1 else None


def trainers(ctx: FileContext) -> list[Trainer]:
    """The trainers that a file makes."""
    found = []
    for call in ctx.module.table.nodes.get(ast.Call, ()):
        assert isinstance(call, ast.Call)
        if ctx.is_class(call.func, known.TRAINER, known.TRAINER_LEGACY):
            found.append(Trainer(call))
        elif ctx.qual(call.func) == known.LIGHTNING_CLI:
            found += _from_command_line(ctx, call)
    return found


def _from_command_line(ctx: FileContext, call: ast.Call) -> Iterator[Trainer]:
    """`agent, trainer = lightning_cli(Agent, Trainer)`."""
    statement = ctx.parent(call)
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return
    target = statement.targets[0]
    if not isinstance(target, ast.Tuple) or len(target.elts) != len(call.args):
        return
    agent = trainer = ""
    for argument, name in zip(call.args, target.elts, strict=True):
        if not isinstance(name, ast.Name):
            continue
        if ctx.is_class(argument, known.TRAINER):
            trainer = name.id
        elif ctx.is_class(argument, known.LIT_AGENT):
            agent = name.id
    if agent and trainer:
        yield Trainer(call, agent, trainer, statement)


def literal_of(ctx: FileContext, site: Given) -> ast.Constant | None:
    """The one constant that reaches LitAgent from this file, if that can be said."""
    if site.parameter is None:
        return site.keyword.value if isinstance(site.keyword.value, ast.Constant) else None
    assert isinstance(site.keyword.value, ast.Name)
    name = site.keyword.value.id
    values = [_argument(call, site.parameter, name) for call in _constructions(ctx, site.cls)]
    texts = {ast.dump(value) if value is not None else "" for value in values}
    first = values[0] if len(texts) == 1 else None
    return first if isinstance(first, ast.Constant) else None


def _constructions(ctx: FileContext, cls: ProjectClass | None) -> list[ast.Call]:
    calls = (c for c in ctx.module.table.nodes.get(ast.Call, ()) if isinstance(c, ast.Call))
    return [call for call in calls if ctx.infer(call.func) == cls]


def _argument(call: ast.Call, function: FunctionNode, name: str) -> ast.expr | None:
    if any(k.arg is None for k in call.keywords) or any(
        isinstance(a, ast.Starred) for a in call.args
    ):
        return None
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    positional = [arg.arg for arg in function.args.args][1:]
    if name in positional and positional.index(name) < len(call.args):
        return call.args[positional.index(name)]
    return _default(function, name)


def _default(function: FunctionNode, name: str) -> ast.expr | None:
    args = function.args
    with_default = args.args[len(args.args) - len(args.defaults) :]
    for arg, default in zip(with_default, args.defaults, strict=True):
        if arg.arg == name:
            return default
    for arg, keyword_default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        if arg.arg == name:
            return keyword_default
    return None
