"""AGL261: `ResourcesUpdate`, which has three more required fields today."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.names import known
from codemods.names.values import External, ProjectClass
from codemods.rule import Hit, Rule

FIELDS = ("create_time", "update_time", "version")
ADVICE = "give create_time, update_time (seconds since the epoch) and version"
_FROM_DATA = frozenset({"model_validate", "parse_obj"})


class ResourcesUpdateFields(Rule):
    """`create_time`, `update_time` and `version` for every `ResourcesUpdate` that is built."""

    code = "AGL261"
    title = "`ResourcesUpdate` needs three more fields"
    why = (
        "Since 0.3 a `ResourcesUpdate` says when it was made and changed, and which version it is; "
        "without these, building one raises a validation error."
    )
    before = 'ResourcesUpdate(resources_id="r1", resources=resources)'
    after = (
        'ResourcesUpdate(resources_id="r1", resources=resources,\n'
        "                create_time=time.time(), update_time=time.time(), version=1)"
    )
    applicability = "review"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Constructions, partials and validated dicts that lack a field."""
        for call in ctx.calls(known.RESOURCES_UPDATE):
            yield from _built(call, ctx)
        for call in ctx.called.get(External("functools.partial"), ()):
            prepared = call.args and ctx.is_class(call.args[0], known.RESOURCES_UPDATE)
            if prepared and not _complete(call):
                yield _left(call, "a partial may get the new fields later")
        for func in (func for name in _FROM_DATA for func in ctx.module.attributes.get(name, ())):
            around = ctx.parent(func)
            if (
                isinstance(around, ast.Call)
                and around.func is func
                and ctx.is_class(func.value, known.RESOURCES_UPDATE)
                and _short(around)
            ):
                yield _left(around, "the data lacks them")


def _complete(node: ast.Call) -> bool:
    return {k.arg for k in node.keywords} >= {*FIELDS}


def _short(node: ast.Call) -> bool:
    """Whether the data is written out and lacks a field."""
    data = node.args[0] if node.args else None
    if not isinstance(data, ast.Dict) or None in data.keys:
        return False
    keys = {key.value for key in data.keys if isinstance(key, ast.Constant)}
    return not keys >= {*FIELDS}


def _left(node: ast.Call, why: str) -> Hit:
    return Hit(node, _message(FIELDS), reason=f"{why}: {ADVICE}", symbol=known.RESOURCES_UPDATE)


def _message(missing: Iterable[str]) -> str:
    return f"`ResourcesUpdate` needs {', '.join(missing)}"


def _built(node: ast.Call, ctx: FileContext) -> Iterator[Hit]:
    given = {k.arg for k in node.keywords}
    missing = [name for name in FIELDS if name not in {*given, *_defaults(node, ctx)}]
    if not missing:
        return
    if None in given:
        # What is unpacked may have them; code that knows the fields names them somewhere.
        if "create_time" not in ctx.module.text:
            yield _left(node, "what `**` gives cannot be seen")
        return

    def fix(rewrite: Rewrite) -> None:
        edit = rewrite.call(node)
        for name in missing:
            timed = name != "version"
            edit.set_keyword(name, f"{rewrite.use_module('time', node)}.time()" if timed else "1")

    yield Hit(node, _message(missing), fix, symbol=known.RESOURCES_UPDATE)


def _defaults(node: ast.Call, ctx: FileContext) -> set[str]:
    """The fields that the project's own subclass gives a default."""
    cls = ctx.infer(node.func)
    chain = ctx.project.inference.mro(cls) if isinstance(cls, ProjectClass) else ()
    return {
        statement.target.id
        for base in chain
        if isinstance(base, ProjectClass)
        for statement in base.node.body
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and statement.value is not None
    }
