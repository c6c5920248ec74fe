"""Finds `agentlightning` modules: they are empty, and look their names up when they are read."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from agentlightning_compat import usage
from agentlightning_compat.shim.table import Names

ROOT = "agentlightning"


class ShimModule(ModuleType):
    """A module of agentlightning, whose names are objects of this runtime."""

    __shim__: Names

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        here, names = self.__name__, self.__shim__
        entry = names.find(here, name)
        if entry is None:
            if names.has_module(f"{here}.{name}"):
                return import_module(f"{here}.{name}")
            raise AttributeError(f"module {here!r} has no attribute {name!r}")
        if entry.target is None:
            raise AttributeError(
                f"{here}.{name} is not served by agentlightning-compat. {entry.advice}".strip()
            )
        value = _resolved(entry.target)
        if entry.legacy:
            usage.note(f"{here}.{name}", entry.advice)
        else:
            vars(self)[name] = value  # the next read does not come here
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        # The import system puts a submodule here, where a name of the same spelling may be meant.
        names = vars(self).get("__shim__")
        if isinstance(value, ShimModule) and names and names.find(self.__name__, name):
            return
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__shim__.listed(self.__name__)})


class ShimFinder(MetaPathFinder, Loader):
    """Serves the modules of a table of names."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module, if it is one of agentlightning's.

        Raises:
            ModuleNotFoundError: it is, and is not served; the text says what to do.
        """
        if fullname.partition(".")[0] != ROOT:
            return None
        if not self._names.has_module(fullname):
            advice = self._names.advice_for_module(fullname)
            text = f"{fullname} is not served by agentlightning-compat. {advice}".strip()
            raise ModuleNotFoundError(text, name=fullname)
        is_package = self._names.is_package(fullname)
        return ModuleSpec(fullname, self, origin="agentlightning_compat", is_package=is_package)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty module."""
        module = ShimModule(spec.name)
        vars(module)["__shim__"] = self._names
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Tell what it has."""
        vars(module)["__all__"] = self._names.listed(module.__name__)
        if module.__name__ == ROOT:
            vars(module)["__version__"] = self._names.release


def _resolved(target: str) -> Any:
    module, _, name = target.rpartition(".")
    return getattr(import_module(module), name)
