"""The schema's steps: numbered files of SQL, applied in their order."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from agentlightning_compat.errors import SchemaVersionError

_FILE = re.compile(r"(\d{4})_\w+\.sql")


class Migration(NamedTuple):
    """One step; its statements one by one."""

    version: int
    statements: tuple[str, ...]


@lru_cache(maxsize=2)
def migrations(dialect: str) -> tuple[Migration, ...]:
    """All steps of a database's schema."""
    folder = resources.files("agentlightning_compat.store") / "schema" / dialect
    found = []
    for file in folder.iterdir():
        match = _FILE.fullmatch(file.name)
        if match:
            found.append(Migration(int(match[1]), statements(file.read_text("utf-8"))))
    return tuple(sorted(found))


def statements(script: str) -> tuple[str, ...]:
    """The statements of a script; they have no semicolon but at their end."""
    lines = (line for line in script.splitlines() if not line.startswith("--"))
    return tuple(part.strip() for part in "\n".join(lines).split(";") if part.strip())


def missing(steps: tuple[Migration, ...], version: int) -> tuple[Migration, ...]:
    """The steps that lead from a version to the newest.

    Raises:
        SchemaVersionError: the version is newer than any of them.
    """
    known = steps[-1].version
    if version > known:
        raise SchemaVersionError(
            f"the data has schema {version}, and this release knows none after {known}: "
            "open it with the release that wrote it or a later one"
        )
    return tuple(step for step in steps if step.version > version)
