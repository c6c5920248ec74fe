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
from agentlightning_compat.absent import ABSENT
from codemods import api_map
from tests.oracles import oracle_python

DATA = Path(agentlightning_compat.__file__).parent / "shim" / "names.json"
RELEASES = {"0.1": "0.1.2", "0.3": "0.3.0"}

# What a generation means by a name that the API map says otherwise of.
OVERRIDES = {
    ("0.1", "agentlightning.trainer.Trainer"): "agentlightning_compat.trainer.trainer_01.Trainer01"
}
_TYPES = "agentlightning_compat.shim.stand_ins.function_types"
_RULES = "agentlightning_compat.shim.stand_ins.store_rules"
_PARTS = "agentlightning_compat.shim.stand_ins.algorithm_parts"
_VALUES = "agentlightning_compat.shim.stand_ins.values"
# What the names of a module are taken from, where this package calls them otherwise or has them
# for the shim only.
STAND_INS = {
    "agentlightning.adapter.triplet": {"Transition": _VALUES},
    "agentlightning.tracer.triplet": {"Transition": _VALUES},
    "agentlightning.algorithm.decorator": {
        f"AlgorithmFunc{how}{what}": _TYPES
        for how in ("Sync", "Async")
        for what in ("Full", "OnlyStore", "OnlyDataset", "Fallback")
    },
    "agentlightning.algorithm.utils": dict.fromkeys(
        ("batch_iter_over_dataset", "with_store", "with_llm_proxy"), _PARTS
    ),
    "agentlightning.config": dict.fromkeys(
        ("CliConfigurable", "nullable_str", "nullable_int", "nullable_float"), _VALUES
    ),
    "agentlightning.litagent.decorator": {
        "FunctionalLitAgentFunc": _TYPES,
        **{
            f"{of}RolloutFunc{how}{number}": _TYPES
            for of in ("Llm", "Prompt")
            for how in ("Sync", "Async")
            for number in (2, 3)
        },
    },
    "agentlightning.litagent.litagent": {"is_v0_1_rollout_api": _VALUES},
    "agentlightning.logging": {
        "DATE_FORMAT": _VALUES,
        "DEFAULT_FORMAT": _VALUES,
        "setup": "agentlightning_compat.log_setup.setup_logging",
        "setup_module": "agentlightning_compat.log_setup.setup_module_logging",
    },
    "agentlightning.reward": {"RewardSpanData": _VALUES},
    "agentlightning.store.base": {
        "_UnsetType": "agentlightning_compat.model.unset.Unset",
        "is_queuing": _RULES,
        "is_running": _RULES,
    },
    "agentlightning.store.client_server": dict.fromkeys(
        ("API_AGL_PREFIX", "API_V1_AGL_PREFIX", "API_V1_PREFIX"), _RULES
    ),
    "agentlightning.store.utils": dict.fromkeys(
        ("rollout_status_from_attempt", "scan_unhealthy_rollouts"), _RULES
    ),
    "agentlightning.trainer.init_utils": {
        "OptionalDefaults": "agentlightning_compat.trainer.components.OptionalDefaults"
    },
    "agentlightning.types.tracer": {"convert_timestamp": _VALUES},
    "agentlightning.utils.id": {"generate_id": _VALUES},
    "agentlightning.utils.server_launcher": {"LaunchMode": _VALUES},
}
# What to do without the names of a module that nothing stands for.
ADVICE = {
    "agentlightning.adapter.messages": "TraceToMessages().adapt(spans) gives the conversations.",
    "agentlightning.llm_proxy": f"The LLM proxy: {ABSENT['LLMProxy']}",
    "agentlightning.store": (
        "It is an inner part of agentlightning's own stores and server; those here have the same"
        " methods and the same routes, and LightningStoreClient speaks to both."
    ),
    "agentlightning.utils.server_launcher": (
        "Servers here run themselves: LightningStoreServer, or `agl-migrate serve`."
    ),
    "agentlightning.utils.metrics": "What a store does is in `await store.statistics()`.",
    "agentlightning.utils.otlp": (
        "Store servers here take OTLP at /v1/traces; any exporter of OpenTelemetry will do."
    ),
    "agentlightning.instrumentation": (
        "The tracers of this package instrument what is installed by themselves."
    ),
    "agentlightning.server.ServerDataStore": (
        "AgentLightningServer(store=...) keeps its tasks in a LightningStore."
    ),
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


def _stand_in(home: str) -> str | None:
    module, _, name = home.rpartition(".")
    target = STAND_INS.get(module, {}).get(name)
    own = target is not None and target.startswith("agentlightning_compat.shim.")
    return f"{target}.{name}" if own else target


def _advice(home: str) -> str:
    name = home.rpartition(".")[2]
    if name in ABSENT:
        return f"The name {name}: {ABSENT[name]}"
    found = [of for of in ADVICE if home == of or home.startswith(f"{of}.")]
    return ADVICE[max(found, key=len)] if found else ""


def _entry(generation: str, path: str, home: str) -> list[Any]:
    target, advice, legacy = _known(generation, path, home)
    if target is None:
        target = _stand_in(home)
    if target is None:
        advice = _advice(home) or advice
    return [target, advice, legacy]


def _known(generation: str, path: str, home: str) -> tuple[str | None, str, bool]:
    row = api_map.load().lookup(path)
    release = RELEASES[generation]
    if row is None or release not in row.versions or release not in row.exists.get(path, ()):
        return _target_by_name(home.rpartition(".")[2]), "", False
    target = OVERRIDES.get((generation, row.path)) or row.replacement["agentlightning_compat"]
    if target is None or not _resolves(target):
        target = _target_by_name((target or row.path).rpartition(".")[2])
    old = row.legacy or (generation == "0.1" and row.change != "same")
    return target, row.advice if old or target is None else "", old and target is not None


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
