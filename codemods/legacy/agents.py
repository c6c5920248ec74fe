"""The agents of a project: which rollout methods they have, and what these become."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from codemods.legacy.signatures import Signature, read_signature
from codemods.names.module import Module
from codemods.names.scopes import FunctionNode
from codemods.names.values import ProjectClass
from codemods.project import Project

TRAINING = "training_rollout"
VALIDATION = "validation_rollout"
NEW = "rollout"
FLAVOURS = ("", "_async")
METHODS = frozenset(name + flavour for name in (TRAINING, VALIDATION) for flavour in FLAVOURS)
RENAMED = {TRAINING + flavour: NEW + flavour for flavour in FLAVOURS}


class Method(NamedTuple):
    """A rollout method as one class defines it.

    `node` is the function; `statement` is what stands in the class body, the function itself or
    an assignment. `signature` is None where the method is no function that can be read.
    """

    owner: ProjectClass
    name: str
    statement: ast.AST
    node: FunctionNode | None
    signature: Signature | None

    @property
    def legacy(self) -> bool:
        """Whether it takes the rollout's id where the store API passes the rollout."""
        return self.signature is None or self.signature.style != "new"


class Agents:
    """Every class that takes part in an agent, in families of classes that share methods."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._chains: dict[ProjectClass, tuple[ProjectClass, ...]] = {}
        for agent in project.agents:
            mro = [c for c in project.inference.mro(agent) if isinstance(c, ProjectClass)]
            self._chains[agent] = tuple(dict.fromkeys(mro))
        self._family = self._families()
        self._methods: dict[tuple[ProjectClass, str], Method | None] = {}
        self._new_names: dict[tuple[frozenset[ProjectClass], str], str] = {}
        self._legacy: dict[frozenset[ProjectClass], bool] = {}

    @classmethod
    def of(cls, project: Project) -> Agents:
        """The analysis of a project, made once."""
        found = project.memo.get(cls)
        if not isinstance(found, Agents):
            found = project.memo[cls] = cls(project)
        return found

    def _families(self) -> dict[ProjectClass, frozenset[ProjectClass]]:
        leaders: dict[ProjectClass, ProjectClass] = {}

        def leader(cls: ProjectClass) -> ProjectClass:
            while leaders.setdefault(cls, cls) != cls:
                leaders[cls] = leaders[leaders[cls]]
                cls = leaders[cls]
            return cls

        for agent, chain in self._chains.items():
            for member in chain:
                leaders[leader(member)] = leader(agent)
        groups: dict[ProjectClass, list[ProjectClass]] = {}
        for member in list(leaders):
            groups.setdefault(leader(member), []).append(member)
        families = (frozenset(group) for group in groups.values())
        return {member: family for family in families for member in family}

    def member(self, cls: ProjectClass) -> bool:
        """Whether a class is an agent or is mixed into one."""
        return cls in self._family

    def is_agent(self, cls: ProjectClass) -> bool:
        """Whether a class derives from LitAgent itself."""
        return cls in self._chains

    def family(self, cls: ProjectClass) -> frozenset[ProjectClass]:
        """All classes that share methods with `cls` through inheritance."""
        return self._family.get(cls, frozenset())

    def in_module(self, module: Module) -> Iterator[ProjectClass]:
        """The classes of a file that take part in agents, in source order."""
        found = [cls for cls in self._family if cls.module is module]
        return iter(sorted(found, key=lambda cls: cls.node.lineno))

    def own(self, cls: ProjectClass, name: str) -> Method | None:
        """The method `name` as `cls` itself defines it."""
        key = (cls, name)
        if key not in self._methods:
            self._methods[key] = _read(cls, name)
        return self._methods[key]

    def own_methods(self, cls: ProjectClass) -> Iterator[Method]:
        """The legacy-named rollout methods that `cls` itself defines."""
        for name in sorted(METHODS):
            method = self.own(cls, name)
            if method is not None:
                yield method

    def resolve(self, cls: ProjectClass, name: str, above: bool = False) -> Method | None:
        """The method that an object of `cls` has; `above` starts behind `cls`, as super() does."""
        chain = self._chains.get(cls)
        if chain is None:
            mro = self._project.inference.mro(cls)
            chain = tuple(c for c in mro if isinstance(c, ProjectClass))
        for member in chain[1:] if above else chain:
            method = self.own(member, name)
            if method is not None:
                return method
        return None

    def new_name(self, cls: ProjectClass, name: str) -> str:
        """What the rollout method `name` is called in the family of `cls` after the migration.

        0.3 sends whatever is not training to `validation_rollout`, and from there to `rollout`;
        0.1 sent it to `training_rollout`. So a training method that also had to serve validation
        becomes `rollout`, which serves both.
        """
        family = self.family(cls)
        known = self._new_names.get((family, name))
        if known is None:
            known = self._new_names[family, name] = self._chosen(family, name)
        return known

    def _chosen(self, family: frozenset[ProjectClass], name: str) -> str:
        new = RENAMED.get(name)
        if new is None or any(self._keeps(member, name, new) for member in family):
            return name
        validation = name.replace(TRAINING, VALIDATION)
        serves_both = any(
            self.resolve(agent, name) is not None
            and self.resolve(agent, validation) is None
            and self.resolve(agent, new) is None
            for agent in family
            if agent in self._chains
        )
        return new if serves_both else name

    def _keeps(self, cls: ProjectClass, name: str, new: str) -> bool:
        """Whether a class uses the new name already, for the same or for another thing."""
        taken = self.own(cls, new)
        if taken is None:
            return False
        helper = taken.signature is None or taken.signature.style != "new"
        return helper or self.own(cls, name) is not None

    def legacy(self, cls: ProjectClass) -> bool:
        """Whether any class of the family still has a rollout method of the legacy kind."""
        family = self.family(cls)
        if family not in self._legacy:
            methods = (method for member in family for method in self.own_methods(member))
            self._legacy[family] = any(method.legacy for method in methods)
        return self._legacy[family]

    def any_legacy(self) -> bool:
        """Whether any agent of the project has a rollout method of the legacy kind."""
        return any(self.legacy(agent) for agent in self._chains)


def _read(cls: ProjectClass, name: str) -> Method | None:
    bindings = cls.module.table.inner[cls.node].bindings.get(name)
    if not bindings:
        return None
    node = bindings[-1].node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        signature = read_signature(node)
        if len(bindings) > 1:
            signature = Signature("unclear", reason="the class defines it more than once")
        return Method(cls, name, node, node, signature)
    statement = cls.module.statement(node)
    value = bindings[-1].value
    if isinstance(statement, ast.AnnAssign) and value is None:
        return None
    if isinstance(value, ast.Name) and value.id in METHODS:
        # `validation_rollout = training_rollout`: one function under two names.
        original = _read(cls, value.id)
        if original is not None:
            return Method(cls, name, statement, original.node, original.signature)
    return Method(cls, name, statement, None, None)
