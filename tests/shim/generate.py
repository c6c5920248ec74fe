"""Makes `agentlightning_compat/shim/names.json`: `python -m tests.shim.generate`.

It needs the real releases; a test marked `oracle` fails when the file is out of date.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import Any

import agentlightning_compat
from codemods import api_map
from tests.oracles import oracle_python

DATA = Path(agentlightning_compat.__file__).parent / "shim" / "names.json"
RELEASES = {"0.1": "0.1.2", "0.3": "0.3.0"}

# What a generation means by a name that the API map says otherwise of.
OVERRIDES = {
    ("0.1", "agentlightning.trainer.Trainer"): "agentlightning_compat.trainer.trainer_01.Trainer01"
}
GPU = (
    "It trains on a GPU stack: run it with the real agentlightning 0.3 on Python 3.10 or 3.11,"
    " as the algorithm of a store server that runners of this package connect to."
)
REFUSED = {
    "agentlightning.verl": GPU,
    "agentlightning.algorithm.verl": GPU,
    "agentlightning.algorithm.apo": GPU.replace("trains on a GPU stack", "needs poml"),
    "agentlightning.instrumentation": (
        "The tracers of this package instrument what is installed by themselves."
    ),
    "agentlightning.cli": "The commands here are those of agl-migrate, such as `agl-migrate serve`.",
    "agentlightning.store.mongo": "Use PostgresLightningStore.",
    "agentlightning.store.collection": "Stores here are written against LightningStore.",
    "agentlightning.tracer.weave": "Use OtelTracer.",
    "agentlightning.tracer.http": "It has no successor; trace HTTP through OpenTelemetry.",
}
_NAMED = ("class", "function", "constant", "type")
# Nothing in these is meant for users, or stands for something of agentlightning.
_OWN = (
    "agentlightning_compat.shim",
    "agentlightning_compat.legacy",
    "agentlightning_compat.store.",
)


def real_modules(release: str) -> dict[str, dict[str, str]]:
    """The modules of a real release: the names in each, with the path of their definition."""
    script = Path(__file__).with_name("real_names.py")
    run = subprocess.run(
        [oracle_python(release), "-P", script], stdout=subprocess.PIPE, timeout=300, check=True
    )
    modules: dict[str, dict[str, str]] = json.loads(run.stdout)["modules"]
    return modules


@cache
def _own_modules() -> list[ModuleType]:
    found = walk_packages(agentlightning_compat.__path__, "agentlightning_compat.")
    names = [info.name for info in found if not info.name.startswith(_OWN)]
    return [import_module(name) for name in names if not name.endswith("__main__")]


def _resolves(target: str) -> bool:
    module, _, name = target.rpartition(".")
    try:
        return hasattr(import_module(module), name)
    except ImportError:
        return False


def _target_by_name(name: str) -> str | None:
    if name in agentlightning_compat.__all__:
        return f"agentlightning_compat.{name}"
    homes = [
        module.__name__
        for module in _own_modules()
        if name in vars(module)
        and getattr(vars(module)[name], "__module__", module.__name__) == module.__name__
    ]
    return f"{min(homes, key=lambda home: (home.count('.'), home))}.{name}" if homes else None


def _entry(generation: str, path: str, home: str) -> list[Any]:
    row = api_map.load().lookup(path)
    release = RELEASES[generation]
    if row is None or release not in row.versions or release not in row.exists.get(path, ()):
        return [_target_by_name(home.rpartition(".")[2]), "", False]
    target = OVERRIDES.get((generation, row.path)) or row.replacement["agentlightning_compat"]
    if target is None or not _resolves(target):
        target = _target_by_name((target or row.path).rpartition(".")[2])
    old = row.legacy or (generation == "0.1" and row.change != "same")
    return [target, row.advice if old or target is None else "", old and target is not None]


def generated() -> dict[str, Any]:
    """What the file has to say."""
    entries: dict[str, list[Any]] = {}
    generations: dict[str, dict[str, dict[str, str]]] = {}
    for generation, release in RELEASES.items():
        served: dict[str, dict[str, str]] = {}
        for module, names in sorted(real_modules(release).items()):
            if _refused(module):
                continue
            served[module] = {}
            for name, home in sorted({**_mapped(module, release), **names}.items()):
                key = f"{home} {generation}"
                entries[key] = _entry(generation, f"{module}.{name}", home)
                served[module][name] = key
        generations[generation] = served
    return {
        "releases": RELEASES,
        "generations": generations,
        "entries": dict(sorted(entries.items())),
        "refused_modules": REFUSED,
    }


def _mapped(module: str, release: str) -> dict[str, str]:
    """Names that the API map knows in a module, such as aliases of types, which tell no home."""
    found = {}
    for row in api_map.load().symbols:
        for path in row.exists:
            owner, _, name = path.rpartition(".")
            public = row.kind in _NAMED and not row.foreign and not name.startswith("_")
            if (
                public
                and owner == module
                and release in row.versions
                and release in row.exists[path]
            ):
                found[name] = row.path
    return found


def _refused(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in REFUSED)


def missing(data: dict[str, Any]) -> Iterator[str]:
    """The names that nothing here stands for."""
    for key, (target, _advice, _legacy) in data["entries"].items():
        if target is None:
            yield key


if __name__ == "__main__":
    data = generated()
    DATA.write_text(json.dumps(data, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    print("\n".join(missing(data)), file=sys.stderr)
