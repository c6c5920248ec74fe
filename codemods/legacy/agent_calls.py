"""Calls of rollout methods with a rollout id, and what becomes of their arguments."""

from __future__ import annotations

import ast
from typing import Literal, NamedTuple

from codemods.context import FileContext
from codemods.legacy.agents import METHODS, Agents, Method
from codemods.legacy.definitions import plan_definition
from codemods.legacy.signatures import Signature
from codemods.names import known
from codemods.names.values import External, Instance, ProjectClass, ProjectFunction

Role = Literal["self", "task", "rollout_id", "resources", "other"]


class Called(NamedTuple):
    """What a call calls: the class, whether behind `super()`, and through the class itself."""

    cls: ProjectClass | None
    above: bool = False
    unbound: bool = False


class CallPlan:
    """A use of a rollout method, and the arguments of its call by the part they play.

    `roles[i]` belongs to the i-th argument of `call` as it stands, positional ones first.
    `origin` is the method around the call whose own rollout can be handed on.
    """

    def __init__(
        self, func: ast.Attribute, new_name: str, call: ast.Call | None = None, blocked: str = ""
    ) -> None:
        self.func = func
        self.new_name = new_name
        self.call = call
        self.roles: list[Role] = []
        self.legacy = True
        self.origin: Method | None = None
        self.blocked = blocked

    def argument(self, role: Role) -> tuple[int, ast.expr] | None:
        """The place and the value of the argument that plays a part."""
        if self.call is None or role not in self.roles:
            return None
        index = self.roles.index(role)
        return index, [*self.call.args, *(k.value for k in self.call.keywords)][index]


def receiver(ctx: FileContext, func: ast.Attribute) -> Called | None:
    """Whose method `func` is, if it is an agent's."""
    if _is_super(func.value):
        cls = class_around(ctx, func)
        if cls is not None and isinstance(func.value, ast.Call) and func.value.args:
            named = ctx.infer(func.value.args[0])
            cls = named if isinstance(named, ProjectClass) else cls
        return None if cls is None else _known(ctx, Called(cls, above=True))
    value = ctx.infer(func.value)
    if isinstance(value, Instance):
        return _known(ctx, _called(value.of))
    if isinstance(value, External | ProjectClass):
        called = _called(value)._replace(unbound=True)
        return _known(ctx, called) if _names_agent(value) else None
    return None


def _names_agent(value: External | ProjectClass) -> bool:
    return isinstance(value, ProjectClass) or value.path == known.LIT_AGENT


def _called(of: External | ProjectClass) -> Called:
    return Called(of if isinstance(of, ProjectClass) else None, above=isinstance(of, External))


def _known(ctx: FileContext, called: Called) -> Called | None:
    if called.cls is None:
        return called
    return called if Agents.of(ctx.project).member(called.cls) else None


def class_around(ctx: FileContext, node: ast.AST) -> ProjectClass | None:
    """The class in whose body a method around `node` stands."""
    found = ctx.module.enclosing(node, ast.ClassDef)
    return ProjectClass(ctx.module, found) if isinstance(found, ast.ClassDef) else None


def plan_call(ctx: FileContext, func: ast.Attribute) -> CallPlan | None:
    """How a use of a rollout method has to change, or None where it is no legacy one."""
    called = receiver(ctx, func) if func.attr in METHODS else None
    if called is None or _is_not_agent(ctx, func, called):
        return None
    plan = CallPlan(func, func.attr)
    signature = _target(ctx, called, plan)
    plan.call, lead = _call_of(ctx, func)
    if plan.call is None:
        plan.blocked = plan.blocked or "the method is not called here, but handed on"
    elif not _reads_as_legacy(plan.call, lead + called.unbound, signature):
        plan.legacy = False
    if plan.legacy and plan.call is not None:
        plan.roles = _roles(plan.call, signature, lead, called.unbound)
        plan.origin = origin(ctx, func)
        plan.blocked = plan.blocked or _obstacle(plan.call, plan.roles)
    return plan if plan.legacy or plan.new_name != func.attr else None


# Calls that take a function and its arguments.
_CARRIERS = frozenset({"to_thread", "run_in_executor", "submit", "partial", "run_sync", "Thread"})


def _call_of(ctx: FileContext, func: ast.Attribute) -> tuple[ast.Call | None, int]:
    """The call that gives the method its arguments, and how many others stand in front."""
    parent = ctx.parent(func)
    if not isinstance(parent, ast.Call):
        return None, 0
    if parent.func is func:
        return parent, 0
    carrier = parent.func
    name = carrier.attr if isinstance(carrier, ast.Attribute) else getattr(carrier, "id", "")
    if name in _CARRIERS and func in parent.args:
        return parent, parent.args.index(func) + 1
    return None, 0


def _is_not_agent(ctx: FileContext, func: ast.Attribute, called: Called) -> bool:
    if called.cls is not None:
        return False
    value = ctx.infer(func.value)
    return not ctx.project.inference.derives(value, known.LIT_AGENT)


def _target(ctx: FileContext, called: Called, plan: CallPlan) -> Signature | None:
    """The signature of the method that is called, if the project defines it."""
    if called.cls is None:
        return None
    agents = Agents.of(ctx.project)
    name = plan.func.attr
    plan.new_name = agents.new_name(called.cls, name)
    method = agents.resolve(called.cls, name, called.above)
    if method is None:
        # LitAgent's own: validation goes on to training, so it takes what training takes.
        method = agents.resolve(called.cls, name.replace("validation", "training"))
    if method is None:
        return None
    plan.legacy = method.legacy
    plan.blocked = plan_definition(ctx, method).blocked
    if plan.blocked:
        plan.blocked = f"`{method.owner.node.name}.{method.name}` needs a person: {plan.blocked}"
    return method.signature


def _reads_as_legacy(call: ast.Call, lead: int, signature: Signature | None) -> bool:
    """Whether the arguments are in the legacy order, as far as they tell.

    The method may be in a file that is not migrated, and the call migrated before.
    """
    names = {keyword.arg for keyword in call.keywords}
    args = [ast.unparse(arg) for arg in call.args[lead:]]
    parts = None if signature is None else signature.parts
    if "rollout" in names and (parts is None or parts.rollout_id.arg != "rollout"):
        return False
    if len(args) > 2 and args[2].startswith(("rollout", "make_rollout(", "agl_make_rollout(")):
        return False
    if signature is not None:
        return True
    second = args[1].rpartition(".")[2] if len(args) > 1 else ""
    return "rollout_id" in names or (len(args) == 3 and not second.startswith("resource"))


def _roles(call: ast.Call, signature: Signature | None, lead: int, unbound: bool) -> list[Role]:
    order: list[Role] = ["other"] * lead
    order += ["self"] if unbound else []
    order += ["task", "rollout_id", "resources"]
    roles: list[Role] = [
        order[index] if index < len(order) else "other" for index in range(len(call.args))
    ]
    names: dict[str | None, Role] = {"rollout_id": "rollout_id", "resources": "resources"}
    parts = None if signature is None else signature.parts
    if parts is not None:
        names = {
            parts.task.arg: "task",
            parts.rollout_id.arg: "rollout_id",
            parts.resources.arg: "resources",
        }
    else:
        names["task"] = "task"
    return roles + [names.get(keyword.arg, "other") for keyword in call.keywords]


def _obstacle(call: ast.Call, roles: list[Role]) -> str:
    stars = any(isinstance(arg, ast.Starred) for arg in call.args)
    double = any(keyword.arg is None for keyword in call.keywords)
    if stars:
        return "its arguments come from `*args`"
    missing = [role for role in ("task", "resources", "rollout_id") if role not in roles]
    if double and missing:
        return "its arguments come from `**kwargs`"
    if "task" in missing or "resources" in missing:
        return "it does not pass a task and resources"
    return ""


def origin(ctx: FileContext, node: ast.AST) -> Method | None:
    """The rollout method around `node` that is rewritten and so has a `rollout` to hand on."""
    agents = Agents.of(ctx.project)
    function = ctx.function_around(node)
    while function is not None:
        parent = ctx.parent(function)
        if isinstance(parent, ast.ClassDef) and function.name in METHODS:
            method = agents.own(ProjectClass(ctx.module, parent), function.name)
            if method is not None and method.node is function and agents.member(method.owner):
                return None if plan_definition(ctx, method).blocked else method
        function = ctx.function_around(function)
    return None


def is_own_id(ctx: FileContext, method: Method, node: ast.expr) -> bool:
    """Whether an expression is just the `rollout_id` that `method` was given."""
    signature = method.signature
    if signature is None or signature.parts is None or not isinstance(node, ast.Name):
        return False
    bindings = ctx.module.scope(node).lookup(node.id)
    return [b.node for b in bindings] == [signature.parts.rollout_id]


def _is_super(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
    )


def unknown_receiver(ctx: FileContext, func: ast.Attribute) -> bool:
    """Whether nothing at all is known of the object whose method `func` is."""
    value = ctx.infer(func.value)
    return not _is_super(func.value) and (value is None or isinstance(value, ProjectFunction))
