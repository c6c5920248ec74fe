"""What the real releases say about the paths of the map, asked once per version."""

import ast
from functools import lru_cache
from pathlib import Path
from typing import Any

from codemods import api_map
from codemods.api_map.symbol import Symbol
from tests.oracles import run_in_oracle

ASK = (
    f"""
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, {str(Path(__file__).parent)!r})
"""
    """
import json
from oracle_probe import describe, inventory, module_states
answer({
    "paths": {path: describe(path) for path in json.load(sys.stdin)},
    "inventory": inventory(),
    "modules": module_states(),
})
"""
)
REAL = "agentlightning"


@lru_cache(maxsize=1)
def questions() -> list[str]:
    asked: set[str | None] = set()
    for symbol in api_map.load().symbols:
        asked.update(symbol.paths)
        asked.update(symbol.patch.values())
        asked.update((symbol.replacement[REAL], symbol.successor))
    return sorted(path for path in asked if path is not None)


@lru_cache(maxsize=3)
def told(version: str) -> dict[str, Any]:
    return run_in_oracle(version, ASK, questions())


def rows(*kinds: str) -> list[Symbol]:
    return [s for s in api_map.load().symbols if not kinds or s.kind in kinds]


def is_module(symbol: Symbol) -> bool:
    return symbol.kind == "module" and not symbol.foreign


def places(signature: str) -> dict[str, int | None]:
    """Positional places of parameters; None for keyword-only ones. Defaults are left out."""
    # Reprs of objects are no expressions.
    cleaned = "".join(signature[1:-1].split("<")[:1]) + "".join(
        part.partition(">")[2] and "None" + part.partition(">")[2]
        for part in signature[1:-1].split("<")[1:]
    )
    if cleaned.endswith("="):
        cleaned += "None"
    arguments = ast.parse(f"lambda {cleaned}: 0", mode="eval").body.args
    positional = [*arguments.posonlyargs, *arguments.args]
    found: dict[str, int | None] = {a.arg: index for index, a in enumerate(positional)}
    found.update({a.arg: None for a in arguments.kwonlyargs})
    return found
