"""The settings of a run: `[tool.agl-migrate]` of pyproject.toml, and the command line over it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from codemods.context import Options, Server, Target
    from codemods.rule import Rule

_CHOICES = {
    "target": ("agentlightning", "agentlightning_compat"),
    "server": ("store", "legacy"),
}
_FILE = "pyproject.toml"
_TABLE = "agl-migrate"
_AT_LINE = re.compile(r"at line (\d+)")


class ConfigError(Exception):
    """Settings that cannot be used; the message names the file and, where known, the line."""


class Settings(NamedTuple):
    """What a run is asked to do. `root` is the folder that `exclude` is relative to."""

    root: str = "."
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    target: str = "agentlightning"
    server: str = "store"
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def override(self, **given: object) -> Settings:
        """These settings with those of the command line that were given (not empty or None)."""
        values = {**self._asdict(), **{name: value for name, value in given.items() if value}}
        return Settings(**values)

    def options(self) -> Options:
        """What the rewrites aim at."""
        from codemods.context import Options

        return Options(cast("Target", self.target), cast("Server", self.server))

    def rules(self) -> tuple[Rule, ...]:
        """The rules to use. Raises ConfigError for a code that names none."""
        from codemods.registry import UnknownRule, select

        try:
            return select(self.select, self.ignore)
        except UnknownRule as error:
            raise ConfigError(str(error)) from None


def load(start: str) -> Settings:
    """The settings of the nearest pyproject.toml, from a file or folder upwards.

    Raises ConfigError where that file is no TOML, or has keys or values that are not known.
    """
    path = nearest(start)
    if path is None:
        return Settings(root=start if os.path.isdir(start) else os.path.dirname(start) or ".")
    try:
        with open(path, "rb") as file:
            text = file.read().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    table = _table(path, text)
    root = os.path.dirname(path) or "."
    return _settings(Place(path, text), table)._replace(root=root)


def nearest(start: str) -> str | None:
    """The pyproject.toml that applies to a file or folder, if any."""
    folder = os.path.abspath(start)
    while True:
        path = os.path.join(folder, _FILE)
        if os.path.isfile(path):
            return os.path.relpath(path)
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _table(path: str, text: str) -> dict[str, object]:
    import importlib
    import sys

    tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        place = f"{path}:{found[1]}" if found else path
        raise ConfigError(f"{place}: not valid TOML: {error}; nothing was done") from None
    tool = content.get("tool", {})
    table = tool.get(_TABLE, {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: [tool.{_TABLE}] has to be a table")
    return table


class Place(NamedTuple):
    """The file that is read, to say where in it something is wrong."""

    path: str
    text: str

    def error(self, key: str, message: str) -> ConfigError:
        """The error to raise about one key of the table."""
        inside = False
        for number, line in enumerate(self.text.splitlines(), start=1):
            stripped = line.strip()
            if stripped.startswith("["):
                inside = _TABLE in stripped
            name = stripped.partition("=")[0].strip().strip("\"'")
            if inside and name == key:
                return ConfigError(f"{self.path}:{number}: {message}")
        return ConfigError(f"{self.path}: [tool.{_TABLE}]: {message}")


def _settings(place: Place, table: dict[str, object]) -> Settings:
    settings = Settings()
    for key, value in table.items():
        if key in ("select", "ignore", "exclude"):
            settings = settings.override(**{key: _strings(place, key, value)})
        elif key in _CHOICES:
            settings = settings.override(**{key: _choice(place, key, value)})
        elif key == "per-file-ignores":
            settings = settings.override(per_file_ignores=_per_file(place, key, value))
        else:
            known = "select, ignore, exclude, target, server, per-file-ignores"
            raise place.error(key, f"unknown key {key!r}; the keys are {known}")
    _check_codes(place, settings)
    return settings


def _strings(place: Place, key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise place.error(key, f"{key} has to be a list of strings")
    return tuple(value)


def _choice(place: Place, key: str, value: object) -> str:
    choices = _CHOICES[key]
    if not isinstance(value, str) or value not in choices:
        raise place.error(key, f"{key} is one of {', '.join(choices)}, not {value!r}")
    return value


def _per_file(place: Place, key: str, value: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise place.error(key, f"{key} has to be a table of patterns and lists of codes")
    return tuple((pattern, _strings(place, pattern, codes)) for pattern, codes in value.items())


def _check_codes(place: Place, settings: Settings) -> None:
    """Say here, where the line is known, that a code names no rule."""
    named = [("select", settings.select), ("ignore", settings.ignore), *settings.per_file_ignores]
    for key, codes in named:
        if codes:  # without any, the rules need not be imported
            _check_key(place, key, codes)


def _check_key(place: Place, key: str, codes: tuple[str, ...]) -> None:
    from codemods.registry import UnknownRule, select

    try:
        select(codes)
    except UnknownRule as error:
        raise place.error(key, str(error)) from None
