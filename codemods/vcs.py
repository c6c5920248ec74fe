"""Which files git could not give back: those with changes that are in no commit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Enough to stay below every system's limit for a command line.
_BATCH = 30_000
# What git sets for the hooks it runs, and what would turn a path into a pattern.
_FOREIGN = frozenset(
    (
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_GLOB_PATHSPECS",
        "GIT_ICASE_PATHSPECS",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_WORK_TREE",
    )
)


class VcsError(Exception):
    """Git could not be asked about the files of a repository, so nothing is known of them."""

    def __init__(self, repository: str, reason: str) -> None:
        super().__init__(repository, reason)
        self.repository = repository
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"cannot tell whether files in {self.repository} have uncommitted changes"
            f" ({self.reason})"
        )


def dirty(paths: Iterable[str]) -> set[str]:
    """Those of some files whose present contents git does not have.

    That is a tracked file with changes, staged or not, and any file in a work tree that is not
    tracked, ignored or not. Files outside of every repository are not dirty. Raises VcsError
    where git is not installed or refuses.
    """
    found: set[str] = set()
    for repository, named in _by_repository(paths).items():
        for batch in _batches(list(named)):
            states = _status(repository, batch)
            for relative in batch:
                if _is_named(relative, states):
                    found.update(named[relative])
    return found


def is_versioned(folder: str) -> bool:
    """Whether a folder is in a work tree of git."""
    return _root(os.path.realpath(folder), {}) is not None


def _by_repository(paths: Iterable[str]) -> dict[str, dict[bytes, list[str]]]:
    """The files of each repository: by their path in it, how they were named."""
    groups: dict[str, dict[bytes, list[str]]] = {}
    roots: dict[str, str | None] = {}
    for path in paths:
        real = os.path.realpath(path)
        root = _root(os.path.dirname(real), roots)
        if root is not None:
            relative = os.fsencode(os.path.relpath(real, root).replace(os.sep, "/"))
            groups.setdefault(root, {}).setdefault(relative, []).append(path)
    return groups


def _root(folder: str, known: dict[str, str | None]) -> str | None:
    """The work tree that a folder is in; `.git` is a file in submodules and linked work trees."""
    passed: list[str] = []
    while folder not in known:
        passed.append(folder)
        parent = os.path.dirname(folder)
        if os.path.lexists(os.path.join(folder, ".git")):
            known[folder] = folder
        elif parent == folder:
            known[folder] = None
        else:
            folder = parent
    for below in passed:
        known[below] = known[folder]
    return known[folder]


def _batches(paths: list[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for path in paths:
        if batch and size + len(path) > _BATCH:
            yield batch
            batch, size = [], 0
        batch.append(path)
        size += len(path) + 1
    if batch:
        yield batch


def _status(repository: str, batch: list[bytes]) -> set[bytes]:
    """The paths that `git status` names; one that ends in a slash is a whole folder."""
    import subprocess

    command = ["git", "--no-optional-locks", "--literal-pathspecs", "status", "--porcelain=v1"]
    command += ["-z", "--no-renames", "--untracked-files=all", "--ignored=traditional", "--"]
    environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    try:
        done = subprocess.run(
            [*map(os.fsencode, command), *batch],
            cwd=repository,
            env={**environment, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise VcsError(repository, "git is not installed") from None
    except OSError as error:
        raise VcsError(repository, f"git does not run: {error.strerror}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise VcsError(repository, said[0] if said else f"git gave {done.returncode}")
    return {record[3:] for record in done.stdout.split(b"\0") if record}


def _is_named(path: bytes, states: set[bytes]) -> bool:
    if path in states:
        return True
    at = path.find(b"/")
    while at >= 0:
        if path[: at + 1] in states:
            return True
        at = path.find(b"/", at + 1)
    return False
