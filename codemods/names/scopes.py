"""Scopes and bindings of one module, built in a single pass over its syntax tree."""

from __future__ import annotations

import ast
from typing import Literal

from codemods.names.children import children_of
from codemods.names.quoted import data_in_type, types_given, unquoted

ScopeKind = Literal["module", "class", "function", "comprehension"]
BindingKind = Literal[
    "import", "from", "assign", "unpack", "loop", "with", "param", "class", "function", "other"
]
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Binding:
    """One place where a name gets a value.

    `value` is the expression that the name is bound to, where there is one: the right side of
    an assignment, the iterable of a loop, the context of a `with`. `annotation` is the type
    expression of a parameter or of an annotated assignment. `path` is set for imports: the
    dotted path as written (with leading dots when relative). `index` is the place in what is
    unpacked.
    """

    __slots__ = ("annotation", "index", "kind", "name", "node", "path", "scope", "value")

    def __init__(
        self,
        name: str,
        kind: BindingKind,
        node: ast.AST,
        scope: Scope,
        value: ast.expr | None = None,
        annotation: ast.expr | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.node = node
        self.scope = scope
        self.value = value
        self.annotation = annotation
        self.path = ""
        self.index = 0

    @property
    def position(self) -> tuple[int, int]:
        """Line and column where the name is bound."""
        node = self.node
        return (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))


class Scope:
    """A block that binds names."""

    __slots__ = ("bindings", "kind", "node", "outer_names", "parent")

    def __init__(self, kind: ScopeKind, node: ast.AST, parent: Scope | None) -> None:
        self.kind = kind
        self.node = node
        self.parent = parent
        self.bindings: dict[str, list[Binding]] = {}
        self.outer_names: set[str] = set()

    def lookup(self, name: str) -> list[Binding]:
        """The bindings that a read of `name` in this scope sees, in source order."""
        scope: Scope | None = self
        while scope is not None:
            visible = scope is self or scope.kind != "class"
            if visible and name not in scope.outer_names and name in scope.bindings:
                return scope.bindings[name]
            scope = scope.parent
        return []


class ScopeTable:
    """Everything that one pass over a module learns.

    The names in a quoted type are nodes like others, placed where they stand in the file. Of
    `string_annotations`, only `unread_annotations` are not looked into so.
    """

    def __init__(self, root: Scope) -> None:
        self.root = root
        self.parents: dict[ast.AST, ast.AST] = {}
        self.scopes: dict[ast.AST, Scope] = {}
        self.inner: dict[ast.AST, Scope] = {}
        self.nodes: dict[type[ast.AST], list[ast.AST]] = {ast.Module: [root.node]}
        self.string_annotations: list[ast.Constant] = []
        self.unread_annotations: list[ast.Constant] = []


def build_scopes(tree: ast.Module) -> ScopeTable:
    """Scopes, parents and nodes by type of `tree`, in source order."""
    root = Scope("module", tree, None)
    table = ScopeTable(root)
    table.inner[tree] = root
    table.scopes[tree] = root
    # An explicit stack: generated files nest deeper than the interpreter's recursion limit.
    stack: list[tuple[ast.AST, ast.AST, Scope, bool]] = [
        (child, tree, root, False) for child in reversed(tree.body)
    ]
    builder = _Builder(table)
    parents, scopes, nodes = table.parents, table.scopes, table.nodes
    while stack:
        node, parent, scope, annotation = stack.pop()
        parents[node] = parent
        scopes[node] = scope
        kind = type(node)
        if kind in nodes:
            nodes[kind].append(node)
        else:
            nodes[kind] = [node]
        if not annotation and (
            kind is ast.Constant or (isinstance(node, ast.Name) and type(node.ctx) is ast.Load)
        ):
            continue  # more than half of all nodes: they bind nothing and hold nothing
        if annotation or kind in _BINDING:
            children = builder.enter(node, parent, scope, annotation)
            stack.extend([(child, node, where, flag) for child, where, flag in reversed(children)])
        else:
            stack.extend([(child, node, scope, False) for child in reversed(children_of(node))])
    return table


_Children = list[tuple[ast.AST, Scope, bool]]


class _Builder:
    """Binds the names of one node and says in which scope each child stands."""

    def __init__(self, table: ScopeTable) -> None:
        self._table = table

    def enter(self, node: ast.AST, parent: ast.AST, scope: Scope, annotation: bool) -> _Children:
        """Bind what `node` binds; its children with their scope and annotation flag."""
        special = _SPECIAL.get(type(node))
        if special is not None:
            return special(self, node, scope)
        if annotation:
            return self._annotation_children(node, scope)
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                self._stored_name(node, parent, scope)
            return []
        types = types_given(node)
        return [(child, scope, child in types) for child in children_of(node)]

    def _bind(self, scope: Scope, binding: Binding) -> None:
        if binding.name in scope.outer_names:
            scope = self._table.root
        binding.scope = scope
        scope.bindings.setdefault(binding.name, []).append(binding)

    def _bind_import(self, scope: Scope, binding: Binding, path: str) -> None:
        binding.path = path
        self._bind(scope, binding)

    def _annotation_children(self, node: ast.AST, scope: Scope) -> _Children:
        if isinstance(node, ast.Constant):
            if not isinstance(node.value, str):
                return []
            self._table.string_annotations.append(node)
            inner = unquoted(node)
            if inner is not None:
                return [(inner, scope, True)]
            self._table.unread_annotations.append(node)
            return []
        plain = data_in_type(node, self._table.parents[node])
        return [(child, scope, child not in plain) for child in children_of(node)]

    def _stored_name(self, node: ast.Name, parent: ast.AST, scope: Scope) -> None:
        binding = Binding(node.id, "other", node, scope)
        target: ast.AST = node
        if isinstance(parent, ast.Tuple | ast.List):
            target = parent
            binding.index = parent.elts.index(node)
            parent = self._table.parents[parent]
        nested = target is not node
        if isinstance(parent, _COMPREHENSIONS):
            # A generator's parts are children of the whole comprehension here.
            loops = (loop for loop in parent.generators if loop.target is target)
            parent = next(loops, parent)
        if isinstance(parent, ast.Assign):
            binding.kind, binding.value = ("unpack" if nested else "assign"), parent.value
        elif isinstance(parent, ast.NamedExpr):
            binding.kind, binding.value = "assign", parent.value
            while scope.kind == "comprehension" and scope.parent is not None:
                scope = scope.parent
        elif isinstance(parent, ast.AnnAssign):
            binding.kind, binding.value = "assign", parent.value
            binding.annotation = parent.annotation
        elif isinstance(parent, ast.For | ast.AsyncFor | ast.comprehension) and not nested:
            binding.kind, binding.value = "loop", parent.iter
        elif isinstance(parent, ast.withitem) and not nested:
            binding.kind, binding.value = "with", parent.context_expr
        self._bind(scope, binding)

    def _import(self, node: ast.AST, scope: Scope) -> _Children:
        assert isinstance(node, ast.Import)
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            path = alias.name if alias.asname else name
            self._bind_import(scope, Binding(name, "import", alias, scope), path)
        return [(alias, scope, False) for alias in node.names]

    def _import_from(self, node: ast.AST, scope: Scope) -> _Children:
        assert isinstance(node, ast.ImportFrom)
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            joint = "" if module.endswith(".") or not module else "."
            path = f"{module}{joint}{alias.name}"
            name = alias.asname or alias.name
            self._bind_import(scope, Binding(name, "from", alias, scope), path)
        return [(alias, scope, False) for alias in node.names]

    def _class(self, node: ast.AST, scope: Scope) -> _Children:
        assert isinstance(node, ast.ClassDef)
        self._bind(scope, Binding(node.name, "class", node, scope))
        inner = self._open("class", node, scope)
        outside = [*node.decorator_list, *node.bases, *node.keywords]
        children: _Children = [(child, scope, False) for child in outside]
        return children + [(child, inner, False) for child in node.body]

    def _function(self, node: ast.AST, scope: Scope) -> _Children:
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        self._bind(scope, Binding(node.name, "function", node, scope))
        inner = self._open("function", node, scope)
        children: _Children = [(child, scope, False) for child in node.decorator_list]
        children += self._parameters(node.args, scope, inner)
        if node.returns is not None:
            children.append((node.returns, scope, True))
        return children + [(child, inner, False) for child in node.body]

    def _lambda(self, node: ast.AST, scope: Scope) -> _Children:
        assert isinstance(node, ast.Lambda)
        inner = self._open("function", node, scope)
        children = self._parameters(node.args, scope, inner)
        return [*children, (node.body, inner, False)]

    def _parameters(self, args: ast.arguments, outer: Scope, inner: Scope) -> _Children:
        self._table.parents[args] = inner.node
        self._table.scopes[args] = outer
        children: _Children = []
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
        for arg in every:
            if arg is None:
                continue
            self._bind(inner, Binding(arg.arg, "param", arg, inner, annotation=arg.annotation))
            self._table.parents[arg] = args
            self._table.scopes[arg] = inner
            if arg.annotation is not None:
                children.append((arg.annotation, outer, True))
        defaults = [*args.defaults, *(d for d in args.kw_defaults if d is not None)]
        return children + [(default, outer, False) for default in defaults]

    def _comprehension(self, node: ast.AST, scope: Scope) -> _Children:
        assert isinstance(node, _COMPREHENSIONS)
        inner = self._open("comprehension", node, scope)
        for generator in node.generators:
            self._table.parents[generator] = node
            self._table.scopes[generator] = inner
        children: _Children = []
        for position, generator in enumerate(node.generators):
            children.append((generator.iter, inner if position else scope, False))
            children.append((generator.target, inner, False))
            children += [(test, inner, False) for test in generator.ifs]
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        return children + [(part, inner, False) for part in parts]

    def _annotated(self, node: ast.AST, scope: Scope) -> _Children:
        assert isinstance(node, ast.AnnAssign)
        children: _Children = [(node.target, scope, False), (node.annotation, scope, True)]
        return children if node.value is None else [*children, (node.value, scope, False)]

    def _outer_names(self, node: ast.AST, scope: Scope) -> _Children:
        assert isinstance(node, ast.Global | ast.Nonlocal)
        if isinstance(node, ast.Global):
            scope.outer_names.update(node.names)
        return []

    def _named(self, node: ast.AST, scope: Scope) -> _Children:
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        if name:
            self._bind(scope, Binding(name, "other", node, scope))
        return [(child, scope, False) for child in children_of(node)]

    def _open(self, kind: ScopeKind, node: ast.AST, parent: Scope) -> Scope:
        inner = Scope(kind, node, parent)
        self._table.inner[node] = inner
        return inner


_SPECIAL = {
    ast.Import: _Builder._import,
    ast.ImportFrom: _Builder._import_from,
    ast.ClassDef: _Builder._class,
    ast.FunctionDef: _Builder._function,
    ast.AsyncFunctionDef: _Builder._function,
    ast.Lambda: _Builder._lambda,
    ast.AnnAssign: _Builder._annotated,
    ast.Global: _Builder._outer_names,
    ast.Nonlocal: _Builder._outer_names,
    ast.ExceptHandler: _Builder._named,
    ast.MatchAs: _Builder._named,
    ast.MatchStar: _Builder._named,
    ast.MatchMapping: _Builder._named,
    **dict.fromkeys(_COMPREHENSIONS, _Builder._comprehension),
}

# These may bind names, or hold types.
_BINDING = frozenset({*_SPECIAL, ast.Name, ast.Call, ast.Subscript})
