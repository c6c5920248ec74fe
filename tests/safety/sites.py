"""Legacy usage counted without the tool: words of the API map in the syntax tree, nothing resolved.

What it finds is only ever too much, never too little: a word that can be nothing but legacy API,
in a place where it names API (an import, a use, an attribute, a keyword, a method). Words that the
file itself gives a meaning of its own are told apart by `Own`, from the syntax tree alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from codemods import api_map

METHODS = frozenset(
    {
        "training_rollout",
        "training_rollout_async",
        "validation_rollout",
        "validation_rollout_async",
    }
)
# Values of the legacy API that migrated code still builds, for a helper to convert.
STILL_GOOD = frozenset({"RolloutLegacy"})
PACKAGES = ("agentlightning", "agentlightning_compat")


@dataclass(frozen=True)
class Site:
    """One word, and the lines of the statement (or header) in which a finding has to be.

    `binds` is the name that an import gives the word in the file, else empty; `reads` the name
    that is read.
    """

    word: str
    line: int
    first: int
    last: int
    binds: str = ""
    reads: str = ""


@dataclass
class Own:
    """What a file says of names itself.

    `flags` hold what argparse read, `aliases` are names that an import chose, `strangers` those
    imported from other libraries, `attributes` those that a class of the file assigns, by class,
    and `parameters` those of the constructors of its classes.
    """

    flags: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)
    attributes: dict[str, set[str]] = field(default_factory=dict)
    parameters: dict[str, set[str]] = field(default_factory=dict)
    bases: dict[str, set[str]] = field(default_factory=dict)

    def takes(self, node: ast.AST) -> bool:
        """Whether a node's word is the file's own and none of agentlightning."""
        match node:
            case ast.Name(id=name):
                return name in self.aliases or name in self.strangers
            case ast.Attribute(value=ast.Name(id=name)) if name in self.flags:
                return True
            case ast.Attribute(attr=attr):
                return any(attr in names for names in self.attributes.values())
        return False

    def keywords(self, call: ast.Call, inside: str) -> set[str]:
        """The keywords of a call that are parameters of a constructor of the file."""
        match call.func:
            case ast.Name(id=name):
                return self.parameters.get(name, set())
            case ast.Attribute(attr="__init__", value=ast.Call(func=ast.Name(id="super"))):
                bases = self.bases.get(inside, set())
                return {word for base in bases for word in self.parameters.get(base, ())}
        return set()


def sites(tree: ast.Module, project: tuple[str, ...] = ()) -> Iterator[Site]:
    """Every place of a module where a legacy word names API.

    `project` are the names of modules whose content counts like that of agentlightning.
    """
    words = api_map.load().legacy_names() - STILL_GOOD
    own = _own(tree, project)
    foreign: set[ast.AST] = {*_keywords(tree, own), *_methods_of_no_agent(tree)}
    for statement, node in _with_statements(tree):
        word = "" if node in foreign or own.takes(node) else _word(node)
        if isinstance(node, ast.alias) and _is_stranger(statement, project):
            word = ""
        if word in words and not (word in METHODS and not _old_shape(node)):
            line = getattr(node, "lineno", statement.lineno)
            binds = node.asname or word if isinstance(node, ast.alias) else ""
            reads = node.id if isinstance(node, ast.Name) else ""
            yield Site(word, line, statement.lineno, _last_line(statement), binds, reads)


def _own(tree: ast.Module, project: tuple[str, ...]) -> Own:
    own = Own()
    for node in ast.walk(tree):
        match node:
            case ast.Assign(value=ast.Call(func=ast.Attribute(attr="parse_args"))):
                own.flags |= {t.id for t in node.targets if isinstance(t, ast.Name)}
            case ast.Import() | ast.ImportFrom():
                own.aliases |= {a.asname for a in node.names if a.asname}
                if _is_stranger(node, project):
                    own.strangers |= {a.asname or a.name for a in node.names}
            case ast.ClassDef():
                _describe(node, own)
    if not any("agent_match" in ast.dump(node) for node in tree.body):
        # Set on an agent, it asks for what only an adapter does today.
        for names in own.attributes.values():
            names.discard("trained_agents")
    return own


def _describe(cls: ast.ClassDef, own: Own) -> None:
    own.bases[cls.name] = {b.id for b in cls.bases if isinstance(b, ast.Name)}
    names = own.attributes.setdefault(cls.name, set())
    for node in cls.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names |= {t.id for t in targets if isinstance(t, ast.Name)}
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            arguments = [*node.args.args, *node.args.kwonlyargs]
            own.parameters[cls.name] = {a.arg for a in arguments}
    for node in ast.walk(cls):
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=attr, ctx=ast.Store()):
                names.add(attr)


def _keywords(tree: ast.Module, own: Own) -> set[ast.keyword]:
    """The keywords that go to constructors of the file's own classes."""
    found: set[ast.keyword] = set()
    inside: list[tuple[str, ast.AST]] = [("", tree)]
    while inside:
        name, node = inside.pop()
        if isinstance(node, ast.ClassDef):
            name = node.name
        if isinstance(node, ast.Call):
            taken = own.keywords(node, name)
            found |= {k for k in node.keywords if k.arg in taken}
        inside.extend((name, child) for child in ast.iter_child_nodes(node))
    return found


def _methods_of_no_agent(tree: ast.Module) -> set[ast.AST]:
    """Functions, and methods of classes that derive from nothing and from which nothing derives."""
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    bases = {base.id for cls in classes for base in cls.bases if isinstance(base, ast.Name)}
    alone = [cls for cls in classes if not cls.bases and cls.name not in bases]
    return {part for block in (tree, *alone) for part in block.body}


def _is_stranger(node: ast.AST, project: tuple[str, ...]) -> bool:
    """Whether an import takes names from a library that has nothing to do with agentlightning."""
    if not isinstance(node, ast.ImportFrom) or node.level:
        return False
    module = node.module or ""
    return module.partition(".")[0] not in PACKAGES and module not in project


def _with_statements(tree: ast.Module) -> Iterator[tuple[ast.stmt, ast.AST]]:
    stack: list[tuple[ast.stmt | None, ast.AST]] = [(None, tree)]
    while stack:
        statement, node = stack.pop()
        if isinstance(node, ast.stmt):
            statement = node
        if statement is not None:
            yield statement, node
        stack.extend((statement, child) for child in ast.iter_child_nodes(node))


def _word(node: ast.AST) -> str:
    match node:
        case ast.alias(name=name):
            return name.rpartition(".")[2]
        case ast.Attribute(attr=attr):
            return attr
        case ast.Name(id=name, ctx=ast.Load()):
            # A bare read of these is a variable of the user's own.
            return name if name[:1].isupper() or name in ("configure_logger",) else ""
        case ast.keyword(arg=str() as name):
            return name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name
    return ""


def _old_shape(node: ast.AST) -> bool:
    """Whether a rollout method is defined, or called, as 0.1 did."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return any(a.arg == "rollout_id" for a in node.args.args)
    return False


def _last_line(statement: ast.stmt) -> int:
    body = getattr(statement, "body", None)
    if isinstance(body, list) and body:
        return max(statement.lineno, body[0].lineno - 1)
    return statement.end_lineno or statement.lineno
