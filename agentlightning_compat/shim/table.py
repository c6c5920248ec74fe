"""Which names agentlightning's modules have, and what stands for each of them here.

`names.json` says it; it is made from the API map and from the modules of the real releases.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_DATA = Path(__file__).with_name("names.json")


class Entry(NamedTuple):
    """A name: the object that stands for it (a dotted path here; None: nothing does)."""

    target: str | None
    advice: str = ""
    legacy: bool = False


class Names:
    """The names of one generation, those that only others have included."""

    def __init__(self, data: dict[str, Any], generation: str) -> None:
        self.release: str = data["releases"][generation]
        self._modules: dict[str, dict[str, Entry]] = {}
        others = [g for g in data["generations"] if g != generation]
        for source in (*others, generation):  # the last one wins
            for module, names in data["generations"][source].items():
                known = self._modules.setdefault(module, {})
                known.update({name: Entry(*data["entries"][key]) for name, key in names.items()})
        self._refused: dict[str, str] = data["refused_modules"]

    def has_module(self, module: str) -> bool:
        """Whether the module is served."""
        return module in self._modules and module not in self._refused

    def is_package(self, module: str) -> bool:
        """Whether the module has others inside."""
        return any(name.startswith(f"{module}.") for name in self._modules)

    def advice_for_module(self, module: str) -> str:
        """What to do without a module that is not served."""
        while module:
            if module in self._refused:
                return self._refused[module]
            module = module.rpartition(".")[0]
        return ""

    def find(self, module: str, name: str) -> Entry | None:
        """A name of a module."""
        return self._modules[module].get(name)

    def listed(self, module: str) -> list[str]:
        """The names of a module that are served."""
        entries = self._modules[module].items()
        return sorted(name for name, entry in entries if entry.target is not None)


@cache
def load(generation: str) -> Names:
    """The names of a generation.

    Raises:
        ValueError: there is no such generation.
    """
    data = json.loads(_DATA.read_text(encoding="utf-8"))
    if generation not in data["generations"]:
        known = ", ".join(sorted(data["generations"]))
        raise ValueError(f"agentlightning {generation!r} is no generation; there are {known}")
    return Names(data, generation)
