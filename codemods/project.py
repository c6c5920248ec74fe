"""The files of the user's project that take part in a run, and how they import each other."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from codemods.names import known
from codemods.names.infer import Inference
from codemods.names.module import Module
from codemods.names.values import External, Instance, ProjectClass

_TRACKED = (
    known.LIT_AGENT,
    known.TRAINER,
    known.TRAINER_LEGACY,
    known.CLIENT,
    known.SERVER,
    known.AGENT_RUNNER,
    known.TRACER,
)


class Project:
    """An index over parsed files: modules by path and by import name, classes, re-exports."""

    def __init__(self, root: str) -> None:
        self.root = os.path.abspath(root)
        self.modules: dict[str, Module] = {}
        self.whole = self  # of a view: the project that it shows a part of
        self._files = self.modules  # those that imports may find; a view has fewer modules
        self._links: dict[Module, tuple[Module, ...]] = {}
        self._by_name: dict[str, list[Module]] = {}
        self._imported: dict[Module, set[str]] | None = None
        self._canonical: dict[str, str] = {}
        self.inference = Inference(self)
        self.memo: dict[object, object] = {}  # what rules worked out over all files

    def add(self, path: str, text: str, tree: ast.Module) -> Module:
        """Take a parsed file into the index."""
        absolute = os.path.abspath(path)
        is_package = os.path.basename(absolute).startswith("__init__.")
        module = Module(absolute, text, tree, self._import_names(absolute, is_package), is_package)
        self.modules[absolute] = module
        for name in module.import_names:
            self._by_name.setdefault(name, []).append(module)
        return module

    def guest(
        self, path: str, text: str, tree: ast.Module, *, awaits: bool = False
    ) -> tuple[Project, Module]:
        """A piece of code that no file can import, in a view of the files that it imports.

        What is done in files that it does not reach is done by other programs; only their classes
        are known, which it may name in a string. So a view costs what the code and the files
        that it reaches cost. `awaits` says that the code may await outside of functions.
        """
        view = Project(self.root)
        view.whole = self.whole
        view._by_name = self._by_name
        view._files = self._files
        view._canonical = self._canonical
        # What was found out about the files does not change by code that they cannot import.
        view.inference = self.inference.of_guest(view)
        module = Module(os.path.abspath(path), text, tree, awaits=awaits)
        reached = self._reached(module)
        view.modules = {path: file for path, file in self.modules.items() if file in reached}
        view.modules[module.path] = module
        own = _classes_of(module)
        view.classes = (*self.classes, *own)
        view.agents = (*self.agents, *view._agents_among(own))
        return view, module

    def _reached(self, start: Module) -> set[Module]:
        """The files that a file imports, and those that they import, and so on."""
        found: set[Module] = set()
        left = [*self._imported_by(start)]
        while left:
            module = left.pop()
            if module not in found:
                found.add(module)
                if module not in self._links:
                    self._links[module] = tuple(self._imported_by(module))
                left += self._links[module]
        return found

    def _imported_by(self, module: Module) -> Iterator[Module]:
        for kind in (ast.Import, ast.ImportFrom):
            for node in module.table.nodes.get(kind, ()):
                assert isinstance(node, ast.Import | ast.ImportFrom)
                for dotted in _modules_named(node):
                    found = self.find_module(module, dotted)
                    if found is not None:
                        yield found

    def anywhere(self, key: object, holds: Callable[[Project, Module], bool]) -> bool:
        """Whether something holds for a file of the whole project, or for one of this view.

        Of the whole it is found out once, and noted under `key`, for all views.
        """
        whole = self.whole
        if key not in whole.memo:
            whole.memo[key] = any(holds(whole, module) for module in whole.modules.values())
        return bool(whole.memo[key]) or (
            self is not whole and any(holds(self, module) for module in self.modules.values())
        )

    def discard(self, module: Module) -> None:
        """Take a file out of the index again."""
        del self.modules[module.path]
        for name in module.import_names:
            self._by_name[name].remove(module)

    def _import_names(self, absolute: str, is_package: bool) -> tuple[str, ...]:
        relative = os.path.relpath(absolute, self.root)
        parts = os.path.splitext(relative)[0].split(os.sep)
        if is_package:
            parts = parts[:-1] or [os.path.basename(os.path.dirname(absolute))]
        parts = [part for part in parts if part != ".."]
        return tuple(".".join(parts[start:]) for start in range(len(parts)))

    def canonical(self, dotted: str) -> str:
        """The defining path of an agentlightning name; any other path unchanged."""
        if not dotted.startswith("agentlightning."):
            return dotted
        known_path = self._canonical.get(dotted)
        if known_path is None:
            known_path = self._canonical[dotted] = _canonical(dotted)
        return known_path

    def find_module(self, importer: Module, dotted: str) -> Module | None:
        """The project file that `dotted` names when imported by `importer`."""
        return self.module_for(importer.path, dotted)

    def module_for(self, importer: str, dotted: str) -> Module | None:
        """The project file that `dotted` names in an import of the file at an absolute path."""
        last = dotted.rpartition(".")[2]
        if last and last not in self._by_name:
            return None
        if dotted.startswith("."):
            return self._relative(importer, dotted)
        candidates = [m for m in self._by_name.get(dotted, ()) if m.path != importer]
        if len(candidates) < 2:
            return candidates[0] if candidates else None
        return max(candidates, key=lambda m: len(os.path.commonpath([m.path, importer])))

    def _relative(self, importer: str, dotted: str) -> Module | None:
        name = dotted.lstrip(".")
        folder = os.path.dirname(importer)
        for _ in range(len(dotted) - len(name) - 1):
            folder = os.path.dirname(folder)
        stem = os.path.join(folder, *name.split(".")) if name else folder
        for candidate in (f"{stem}.py", os.path.join(stem, "__init__.py"), f"{stem}.pyi"):
            if candidate in self._files and (name or candidate.endswith("__init__.py")):
                return self._files[candidate]
        return None

    def exported(self, module: Module) -> frozenset[str]:
        """Names that other files, or `__all__`, take from a module."""
        if self._imported is None:
            self._imported = self._collect_imported()
        names = set(self._imported.get(module, ()))
        if module.is_package:
            # What a package's __init__ imports is its interface.
            names.update(
                name
                for name, bindings in module.table.root.bindings.items()
                if any(binding.kind == "from" for binding in bindings)
            )
        for binding in module.table.root.bindings.get("__all__", ()):
            names.update(
                c.value
                for c in ast.walk(binding.value or binding.node)
                if isinstance(c, ast.Constant) and isinstance(c.value, str)
            )
        return frozenset(names)

    def own_imports(self, module: Module) -> frozenset[ast.stmt]:
        """The import statements of a file that import files of the index."""
        found: set[ast.stmt] = set()
        for kind in (ast.Import, ast.ImportFrom):
            for node in module.table.nodes.get(kind, ()):
                assert isinstance(node, ast.Import | ast.ImportFrom)
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                else:
                    names = ["." * node.level + (node.module or "")]
                if any(name[:1] == "." or self.find_module(module, name) for name in names):
                    found.add(node)
        return frozenset(found)

    def _collect_imported(self) -> dict[Module, set[str]]:
        taken: dict[Module, set[str]] = {}
        for module in self.modules.values():
            for node in module.table.nodes.get(ast.ImportFrom, ()):
                assert isinstance(node, ast.ImportFrom)
                source = self.find_module(module, "." * node.level + (node.module or ""))
                if source is not None:
                    taken.setdefault(source, set()).update(a.name for a in node.names)
        return taken

    @cached_property
    def classes(self) -> tuple[ProjectClass, ...]:
        """Every class of every file in the index."""
        return tuple(cls for module in self.modules.values() for cls in _classes_of(module))

    @cached_property
    def agents(self) -> tuple[ProjectClass, ...]:
        """The classes that derive from LitAgent, over any number of files."""
        return self._agents_among(self.classes)

    def _agents_among(self, classes: Iterable[ProjectClass]) -> tuple[ProjectClass, ...]:
        return tuple(cls for cls in classes if self.inference.derives(cls, known.LIT_AGENT))

    def subclasses(self, cls: ProjectClass) -> Iterator[ProjectClass]:
        """The project's classes that derive from `cls`, without itself."""
        for other in self.classes:
            if other != cls and cls in self.inference.mro(other):
                yield other

    def ancestors(self, cls: ProjectClass) -> Iterator[ProjectClass]:
        """The project's classes that `cls` derives from, nearest first."""
        for base in self.inference.mro(cls):
            if isinstance(base, ProjectClass) and base != cls:
                yield base

    def tracked_names(self, modules: Iterable[Module]) -> Iterator[tuple[str, str]]:
        """Pairs of (module's last name, name in it) through which other files use legacy API."""
        for module in modules:
            stem = os.path.splitext(os.path.basename(module.path))[0]
            if module.is_package:
                stem = os.path.basename(os.path.dirname(module.path))
            for name, bindings in module.table.root.bindings.items():
                if bindings[-1].kind == "from" and bindings[-1].path.startswith("agentlightning."):
                    yield stem, name
                    continue
                if bindings[-1].kind == "function":
                    yield stem, name
                    continue
                if bindings[-1].kind not in ("class", "assign", "from"):
                    continue
                value = self.inference.export(module, name)
                if isinstance(value, ProjectClass | Instance | External) and (
                    self.inference.derives(value, *_TRACKED)
                ):
                    yield stem, name

    def reset(self) -> None:
        """Forget what was derived from the index, after files were added to it."""
        self.inference = Inference(self)
        self.memo = {}
        self._imported = None
        self._links = {}
        for name in ("classes", "agents"):
            self.__dict__.pop(name, None)


def _classes_of(module: Module) -> tuple[ProjectClass, ...]:
    return tuple(
        ProjectClass(module, node)
        for node in module.table.nodes.get(ast.ClassDef, ())
        if isinstance(node, ast.ClassDef)
    )


def _modules_named(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """All dotted names of a statement that may be modules: `a`, `a.b` and `a.b.c` of `a.b.c`."""
    if isinstance(node, ast.ImportFrom):
        source = "." * node.level + (node.module or "")
        joint = "" if source.endswith(".") else "."
        names = [f"{source}{joint}{alias.name}" for alias in node.names]
        names.append(source)
    else:
        names = [alias.name for alias in node.names]
    for name in dict.fromkeys(names):
        yield name
        at = name.rfind(".")
        while at > 0 and name[:at].strip("."):
            yield name[:at]
            at = name.rfind(".", 0, at)


def _canonical(dotted: str) -> str:
    if dotted in known.TOP_LEVEL_FUNCTIONS:
        return known.TOP_LEVEL_FUNCTIONS[dotted]
    from codemods import api_map

    row = api_map.load().lookup(dotted)
    return dotted if row is None else row.path
