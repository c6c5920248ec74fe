"""The API map as a table to ask: by path, by class, by callable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from codemods.api_map.symbol import split_path

if TYPE_CHECKING:
    from codemods.api_map.symbol import Symbol, Target

_NONE: Mapping[str, Symbol] = MappingProxyType({})


class ApiMap:
    """All legacy names of agentlightning, indexed. Nothing in it changes after it is built."""

    def __init__(self, symbols: Iterable[Symbol]) -> None:
        self.symbols: tuple[Symbol, ...] = tuple(symbols)
        self._by_path: dict[str, Symbol] = {}
        self._modules: dict[str, Symbol] = {}
        self._owned: dict[str, dict[str, Symbol]] = {}
        self._parameters: dict[str, dict[str, Symbol]] = {}
        for symbol in self.symbols:
            self._add(symbol)

    def _add(self, symbol: Symbol) -> None:
        if symbol.kind == "module" and not symbol.foreign:
            self._modules.update(dict.fromkeys(symbol.exists, symbol))
            return
        for path in symbol.exists:
            # A name that only the development branch had never hides a released one.
            if path not in self._by_path or self._by_path[path].prerelease:
                self._by_path[path] = symbol
        if symbol.kind == "parameter":
            self._parameters.setdefault(symbol.owner, {})[symbol.name] = symbol
        elif symbol.kind in ("method", "attribute"):
            self._owned.setdefault(symbol.owner, {})[symbol.name] = symbol

    @property
    def modules(self) -> Mapping[str, Symbol]:
        """Rows of modules by dotted path, removed ones too."""
        return MappingProxyType(self._modules)

    def lookup(self, dotted_path: str) -> Symbol | None:
        """The row of a path, whichever of its importable paths is given.

        A member or a parameter may be reached through any path of its class. Where a module and
        a name share a path (`agentlightning.reward`), the name is meant: that is what legacy code
        got from it. `modules` has the module.
        """
        found = self._by_path.get(dotted_path)
        if found is None:
            found = self._lookup_inside(dotted_path)
        return found if found is not None else self._modules.get(dotted_path)

    def _lookup_inside(self, dotted_path: str) -> Symbol | None:
        owner_path, name = split_path(dotted_path)
        if dotted_path.endswith(")"):
            owner = self.lookup(owner_path)
            return None if owner is None else self.parameters_of(owner.path).get(name)
        owner = self._by_path.get(owner_path)
        return None if owner is None else self.members_of(owner.path).get(name)

    def members_of(self, class_path: str) -> Mapping[str, Symbol]:
        """Members of a class by name, inherited ones included; its canonical path is asked for."""
        own = self._owned.get(class_path, _NONE)
        owner = self._by_path.get(class_path)
        if owner is None or not owner.bases:
            return MappingProxyType(dict(own))
        merged: dict[str, Symbol] = {}
        for base in reversed(owner.bases):
            merged.update(self.members_of(base))
        merged.update(own)
        return MappingProxyType(merged)

    def parameters_of(self, callable_path: str) -> Mapping[str, Symbol]:
        """Parameters of a function, a method, or a class (its constructor), in their order."""
        return MappingProxyType(self._parameters.get(callable_path, {}))

    def replacement_for(self, dotted_path: str, target: Target) -> str | None:
        """The path to write for this path in code for `target`; None without a counterpart.

        The path itself comes back where it still resolves to the same thing in the target.
        """
        symbol = self.lookup(dotted_path)
        if symbol is None:
            return None
        if target == "agentlightning" and self._is_intact(symbol, dotted_path):
            return dotted_path
        return symbol.replacement[target]

    def _is_intact(self, symbol: Symbol, path: str) -> bool:
        """Whether `path` still leads to the same thing in 0.3.0, and from a module to stay in."""
        module = self._modules.get(split_path(path)[0])
        if module is not None and module.replacement["agentlightning"] != module.path:
            return False
        return resolves_unchanged(symbol, path)

    def successor_for(self, dotted_path: str, target: Target) -> str | None:
        """What the store API of `target` has in place of this path, if anything."""
        symbol = self.lookup(dotted_path)
        if symbol is None or symbol.successor is None:
            return None
        return target + symbol.successor.removeprefix("agentlightning")

    def patch_target_for(self, dotted_path: str) -> str | None:
        """Where a `mock.patch` of this path has to go in agentlightning 0.3.0; None if nowhere."""
        symbol = self.lookup(dotted_path)
        if symbol is not None and dotted_path in symbol.patch:
            return symbol.patch[dotted_path]
        return self.replacement_for(dotted_path, "agentlightning")

    def legacy_names(self) -> frozenset[str]:
        """Bare names that in any text can only mean the legacy API."""
        return frozenset(symbol.name for symbol in self.symbols if symbol.legacy)


def resolves_unchanged(symbol: Symbol, path: str) -> bool:
    """Whether `path` still leads to the same thing in agentlightning 0.3.0."""
    if symbol.change in ("moved", "renamed", "removed") or symbol.prerelease:
        return False
    return "0.3.0" in symbol.versions and "0.3.0" in symbol.exists.get(path, symbol.versions)
