"""Reading the packaged data files of the API map."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from codemods.api_map.symbol import Symbol
from codemods.api_map.table import ApiMap

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import ValidationError

DATA = os.path.join(os.path.dirname(__file__), "data")

FILES = (
    "modules.json",
    "symbols.json",
    "members.json",
    "parameters.json",
    "foreign.json",
    "prerelease.json",
)


class ApiMapError(ValueError):
    """A data file of the map cannot be used; the message names file, row and field."""


def read_packaged() -> ApiMap:
    """Build the map from the files in the package, which the tests have checked."""
    rows = (row for name in FILES for row in json.loads(_packaged(name)))
    return ApiMap(_trusted(row) for row in rows)


def _packaged(name: str) -> bytes:
    with open(os.path.join(DATA, name), "rb") as file:
        return file.read()


def _trusted(row: dict[str, Any]) -> Symbol:
    for name in ("versions", "bases"):
        if name in row:
            row[name] = tuple(row[name])
    row["exists"] = {path: tuple(versions) for path, versions in row["exists"].items()}
    return Symbol(**row)


def read_files(folder: Path) -> ApiMap:
    """Build the map from the data files in a folder, every row checked. Raises `ApiMapError`."""
    symbols: list[Symbol] = []
    origin: dict[tuple[str, bool], str] = {}
    for name in FILES:
        try:
            content = (folder / name).read_bytes()
        except OSError as error:
            raise ApiMapError(f"{name}: {error.strerror}") from error
        for symbol in _read_rows(name, content):
            # A module and a name inside its parent may share a path.
            key = (symbol.path, symbol.kind == "module")
            if key in origin:
                raise ApiMapError(f"{name}: {symbol.path} is in {origin[key]} already")
            origin[key] = name
            symbols.append(symbol)
    return ApiMap(symbols)


def _read_rows(name: str, content: bytes) -> tuple[Symbol, ...]:
    from pydantic import TypeAdapter, ValidationError

    from codemods.api_map.model import Row

    try:
        rows = TypeAdapter(tuple[Row, ...]).validate_json(content, strict=True)
        return tuple(row.symbol() for row in rows)
    except ValidationError as error:
        raise ApiMapError(_explain(name, content, error)) from None


def _explain(name: str, content: bytes, error: ValidationError) -> str:
    """Say where the first problem is; rows are counted from 1."""
    first = error.errors(include_url=False)[0]
    place = first["loc"]
    if not place:
        return f"{name}: {first['msg']}"
    row = int(place[0])
    field = ".".join(str(part) for part in place[1:])
    return f"{name}: row {row + 1} ({_row_path(content, row)}): {field or 'row'}: {first['msg']}"


def _row_path(content: bytes, row: int) -> Any:
    value = json.loads(content)[row]
    return value.get("path", "no path") if isinstance(value, dict) else "not an object"
