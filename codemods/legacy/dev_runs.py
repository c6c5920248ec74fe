"""Rewrites `fit` with a `DevTaskLoader`: a trial run by `Trainer.dev`."""

from __future__ import annotations

import ast
from collections.abc import Callable

from codemods.context import FileContext
from codemods.edit.ranges import Blocked
from codemods.edit.rewrite import Rewrite
from codemods.edit.statements import owns_first_line
from codemods.legacy.fit_calls import FitCall, Given, fit_call
from codemods.legacy.fleets import HELPERS, Outcome, drop
from codemods.legacy.loaders import (
    Loader,
    are_named_resources,
    is_validation,
    kind_of_tasks,
    loader_of,
    only_for,
    task_input,
)
from codemods.legacy.trainers import Construction, movable, steady, takes, uses


def dev_run(ctx: FileContext, call: FitCall) -> Outcome:
    """A trial run with the loader that the call is given, if the trainer is one for trials."""
    given = call.backend if call.kind == "loader" else call.loader
    assert given is not None
    flag = call.dev_flag()
    certain = flag is True or call.kind == "loader"
    if not certain:
        return Outcome(lambda rewrite: _undecided(ctx, rewrite, call), "shim")
    built = call.built
    if built is None or not _alone(ctx, call, built) or not takes(ctx, built, "initial_resources"):
        return Outcome(lambda rewrite: _by_helper(rewrite, call, given), "shim")
    if (limit := _limit(built)) is not None and not steady(ctx, limit, call.node):
        return Outcome(lambda rewrite: _by_helper(rewrite, call, given), "shim")
    loader = loader_of(ctx, given.value)
    if loader is not None and loader.binding is None:
        if movable(ctx, loader.resources, built.call):
            return _inline(ctx, call, given, loader)
    elif movable(ctx, given.value, built.call) and _has_room(ctx, given, built):
        return _named(ctx, call, given, loader)
    return Outcome(lambda rewrite: _by_helper(rewrite, call, given), "shim")


def _has_room(ctx: FileContext, given: Given, built: Construction) -> bool:
    """Whether a line can go in front of the construction, if one has to."""
    statement = ctx.module.statement(built.call)
    return isinstance(given.value, ast.Name) or owns_first_line(ctx.module, statement)


def _alone(ctx: FileContext, call: FitCall, built: Construction) -> bool:
    """Whether the trainer makes no other trial run, which might need other resources."""
    if built.name is None:
        return True
    for use in uses(ctx, built.name):
        attribute = ctx.parent(use)
        caller = None if attribute is None else ctx.parent(attribute)
        if isinstance(attribute, ast.Attribute) and isinstance(caller, ast.Call):
            other = fit_call(ctx, caller)
            if other is not None and other is not call and other.plan == "dev":
                return False
    return True


def _undecided(ctx: FileContext, rewrite: Rewrite, call: FitCall) -> None:
    """The helper decides when it runs, by the flag or by what the trainer was told."""
    edit = rewrite.call(call.node)
    for item, name in ((call.backend, "url"), (call.loader, "loader")):
        if item is not None and item.keyword:
            edit.rename_keyword(item.keyword, name)
    drop(edit, call.validation)
    flag, built = call.dev_flag(), call.built
    if isinstance(flag, ast.expr) and built is not None and steady(ctx, flag, call.node):
        edit.set_keyword("dev", ctx.source(flag))
        rewrite.call(built.call).remove_keyword("dev")
    edit.to_function(rewrite.use(f"{HELPERS}.fit_or_dev", call.node))


def _by_helper(rewrite: Rewrite, call: FitCall, given: Given) -> None:
    """`fit_or_dev(trainer, agent, loader)`: a loader in the place of the address."""
    edit = rewrite.call(call.node)
    _forget(rewrite, call)
    other = call.backend if given is call.loader else call.loader
    drop(edit, other, call.validation)
    if given.keyword:
        edit.rename_keyword(given.keyword, "url")
    edit.to_function(rewrite.use(f"{HELPERS}.fit_or_dev", call.node))


def _inline(ctx: FileContext, call: FitCall, given: Given, loader: Loader) -> Outcome:
    """The loader stands in the call: its tasks stay, its resources go to the trainer."""
    kind = kind_of_tasks(ctx, loader.tasks)
    named = are_named_resources(ctx, loader.resources)
    positional = loader.call.args[:1] == [loader.tasks]

    def fix(rewrite: Rewrite) -> None:
        assert call.built is not None
        resources = ctx.source(loader.resources)
        resources = _shifted(ctx, resources, loader.resources, call.built.call)
        if not named:
            resources = f"{rewrite.use(f'{HELPERS}.dev_resources', call.node)}({resources})"
        if kind == "tasks":
            _unwrap_tasks(ctx, rewrite, loader)
        wrapper = rewrite.use(f"{HELPERS}.dev_tasks", call.node) if kind == "unknown" else ""

        def tasks(text: str) -> str:
            inner = _argument(text, 0 if positional else "tasks")
            inner = _shifted(ctx, inner, loader.tasks, given.value)
            return f"{wrapper}({inner})" if wrapper else inner

        rewrite.call(call.built.call).set_keyword("initial_resources", resources)
        _run(ctx, rewrite, call, given, loader, tasks)

    certain = named and kind != "unknown"
    return Outcome(fix, "review" if certain else "shim", consumed=loader.call)


def _named(ctx: FileContext, call: FitCall, given: Given, loader: Loader | None) -> Outcome:
    """A loader with a name, or made by a call: the trainer is built from its parts."""
    plain = loader is not None and _is_plain(ctx, loader, given)

    def fix(rewrite: Rewrite) -> None:
        assert call.built is not None
        name = ctx.source(given.value)
        if not isinstance(given.value, ast.Name):
            name = _free(rewrite, "dev_set" if plain else "dev_loader")
            statement = ctx.module.statement(call.built.call)
            rewrite.before(statement, f"{name} = {ctx.source(given.value)}")
        if plain and loader is not None:
            _as_dict(ctx, rewrite, loader)
            resources, tasks = f'{name}["resources"]', f'{name}["tasks"]'
        else:
            resources = f"{rewrite.use(f'{HELPERS}.dev_resources', call.node)}({name})"
            tasks = f"{rewrite.use(f'{HELPERS}.dev_tasks', call.node)}({name})"
        rewrite.call(call.built.call).set_keyword("initial_resources", resources)
        _run(ctx, rewrite, call, given, loader, lambda _: tasks)

    if plain and loader is not None:
        return Outcome(fix, "review", consumed=loader.call)
    return Outcome(fix, "shim")


def _is_plain(ctx: FileContext, loader: Loader, given: Given) -> bool:
    """Whether a dict with the tasks and the resources can stand for the loader."""
    return (
        kind_of_tasks(ctx, loader.tasks) != "unknown"
        and are_named_resources(ctx, loader.resources)
        and only_for(ctx, loader, given.value)
        and not ctx.module.scope(loader.call).lookup("dict")
    )


def _as_dict(ctx: FileContext, rewrite: Rewrite, loader: Loader) -> None:
    edit = rewrite.call(loader.call)
    for index in reversed(range(len(loader.call.args))):
        edit.name_positional(index, ("tasks", "resources")[index])
    edit.set_function("dict")
    if kind_of_tasks(ctx, loader.tasks) == "tasks":
        _unwrap_tasks(ctx, rewrite, loader)
    annotation = None if loader.binding is None else loader.binding.annotation
    if loader.function is not None:
        annotation = loader.function.returns
    if annotation is not None:
        rewrite.replace(annotation, "dict")


def _unwrap_tasks(ctx: FileContext, rewrite: Rewrite, loader: Loader) -> None:
    assert isinstance(loader.tasks, ast.List)
    for element in loader.tasks.elts:
        assert task_input(ctx, element) is not None
        rewrite.transform(element, lambda text: _argument(text, "input"), rank=20)


def _run(
    ctx: FileContext,
    rewrite: Rewrite,
    call: FitCall,
    given: Given,
    loader: Loader | None,
    tasks: Callable[[str], str],
) -> None:
    """`fit` as `dev` with the tasks as its dataset; the address is not needed."""
    validation = loader is not None and is_validation(ctx, loader.tasks)
    keyword = "val_dataset" if validation else "train_dataset"
    first = _limited(ctx, rewrite, call, loader, tasks)
    edit = rewrite.call(call.node)
    edit.change_argument(given.keyword or given.position, keyword, first)
    others = [item for item in (call.backend, call.loader, call.validation) if item is not given]
    drop(edit, *others)
    edit.rename_attribute("dev")
    _forget(rewrite, call)


def _limit(built: Construction) -> ast.expr | None:
    """How many tasks the trainer takes, if it says so."""
    given = built.keyword("max_tasks") or built.keyword("max_rollouts")
    unlimited = isinstance(given, ast.Constant) and given.value is None
    return None if unlimited else given


def _limited(
    ctx: FileContext,
    rewrite: Rewrite,
    call: FitCall,
    loader: Loader | None,
    tasks: Callable[[str], str],
) -> Callable[[str], str]:
    """Only as many tasks as the trainer takes: `dev` waits until all that it is given are done."""
    assert call.built is not None
    limit = _limit(call.built)
    if limit is None:
        return tasks
    if call.built.name is None or len(list(uses(ctx, call.built.name))) == 1:
        for name in ("max_tasks", "max_rollouts"):
            rewrite.call(call.built.call).remove_keyword(name)
    if loader is not None and _suffices(limit, loader.tasks):
        return tasks
    size = ctx.source(limit)

    def first(text: str) -> str:
        inner = tasks(text)
        return f"{inner}[:{size}]" if _is_primary(inner) else f"({inner})[:{size}]"

    return first


def _suffices(limit: ast.expr, tasks: ast.expr) -> bool:
    """Whether the limit is known to be no less than the number of tasks."""
    if not isinstance(tasks, ast.List) or any(isinstance(e, ast.Starred) for e in tasks.elts):
        return False
    value = limit.value if isinstance(limit, ast.Constant) else None
    return isinstance(value, int) and len(tasks.elts) <= value


def _is_primary(text: str) -> bool:
    node = ast.parse(text, mode="eval").body
    return isinstance(node, ast.List | ast.Name | ast.Attribute | ast.Subscript | ast.Call)


def _forget(rewrite: Rewrite, call: FitCall) -> None:
    if call.built is not None and call.built.keyword("dev") is not None:
        rewrite.call(call.built.call).remove_keyword("dev")


def _argument(text: str, place: int | str) -> str:
    """The text of one argument of a call that is given as text."""
    node = ast.parse(text, mode="eval").body
    if not isinstance(node, ast.Call):
        raise Blocked("another rewrite changed this call into something else")
    if isinstance(place, int):
        found: ast.expr | None = node.args[place]
    else:
        found = next((k.value for k in node.keywords if k.arg == place), None)
    segment = None if found is None else ast.get_source_segment(text, found)
    if segment is None:
        raise Blocked("another rewrite changed this call into something else")
    return segment


def _shifted(ctx: FileContext, text: str, old: ast.expr, new: ast.expr) -> str:
    """The text of a node with its lines indented for the place of another one."""
    was, now = (_indentation(ctx, node) for node in (old, new))
    first, *rest = text.split("\n")
    quoted = '"""' in text or "'''" in text
    if quoted or any(line.strip() and not line.startswith(was) for line in rest):
        return text
    return "\n".join([first, *(now + line.removeprefix(was) for line in rest)])


def _indentation(ctx: FileContext, node: ast.expr) -> str:
    start = ctx.module.offset(node.lineno, 0)
    line = ctx.module.text[start : ctx.module.span(node)[0]]
    return line[: len(line) - len(line.lstrip())]


def _free(rewrite: Rewrite, name: str) -> str:
    while rewrite.imports.taken(name):
        name += "_"
    return name
