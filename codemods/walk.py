"""Which files lie under the paths of a command line.

This is on the path of every `check`, also of the thousands of files that are none of our
business, so nothing here makes an object per file or imports what it may not need.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from codemods.foreign import FRAMEWORK, is_framework_copy, is_vendored
from codemods.ignores import (
    Level,
    Patterns,
    is_ignored,
    levels_above,
    read_patterns,
    repository_level,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTHON = (".py", ".pyi")

_MARKS = frozenset((".gitignore", ".git", "pyvenv.cfg"))


class FileProblem(NamedTuple):
    """A file or folder that could not be dealt with, and why. It makes a run exit with 2."""

    path: str
    reason: str


class Skipped(NamedTuple):
    """A file or folder passed over on purpose in a way that a user may not expect."""

    path: str
    reason: str


class Discovery(NamedTuple):
    """What lies under the paths of a command line, each list sorted."""

    python: list[str]
    other: list[str]
    problems: list[FileProblem]
    skipped: list[Skipped]


class _Listing(NamedTuple):
    """The entries of one folder that matter."""

    files: list[str]
    folders: list[str]
    links: list[str]
    marks: set[str]


def discover(
    paths: Sequence[str],
    *,
    exclude: Sequence[str] = (),
    suffixes: Sequence[str] = PYTHON,
    root: str = ".",
) -> Discovery:
    """The files to look at under some files and folders.

    `suffixes` with a dot in front are ends of names, others are whole names (`Makefile`); what
    ends in `.py` or `.pyi` is Python, the rest `other`. `exclude` holds patterns as in a
    `.gitignore` of the folder `root`. A path that is named itself is always looked at, even where
    it would be passed over in a walk.
    """
    walk = _Walk(suffixes, exclude, root)
    for path in paths:
        walk.enter(path)
    return walk.result()


class _Walk:
    """One walk over all paths of a command line."""

    def __init__(self, suffixes: Sequence[str], exclude: Sequence[str], root: str) -> None:
        self._ends = tuple(suffix for suffix in suffixes if suffix.startswith("."))
        self._names = frozenset(suffix for suffix in suffixes if not suffix.startswith("."))
        self._exclude = Patterns(exclude) if exclude else None
        self._base = os.path.realpath(root)
        self._found: list[str] = []
        self._links: list[str] = []
        # (first index in _found, the start of the paths from there on, its real path)
        self._spans: list[tuple[int, str, str]] = []
        self._problems: list[FileProblem] = []
        self._skipped: list[Skipped] = []

    def enter(self, path: str) -> None:
        """Take up a path that the user named."""
        path = os.path.normpath(path)
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            self._problems.append(FileProblem(path, why(path, error)))
            return
        real = os.path.realpath(path)
        self._spans.append((len(self._found), path, real))
        if stat.S_ISDIR(mode):
            self._tree(path, real)
        elif not stat.S_ISREG(mode):
            self._problems.append(FileProblem(path, "neither a file nor a folder"))
        elif self._is_wanted(os.path.basename(path)):
            self._found.append(path)
        else:
            self._skipped.append(Skipped(path, "not a kind of file that is looked at"))

    def _tree(self, top: str, real: str) -> None:
        start = "" if top == "." else top.rstrip("/") + "/"
        try:
            above = levels_above(real, start)
        except OSError as error:
            above = ()
            self._problems.append(FileProblem(str(error.filename), why(top, error)))
        outside = self._excluding(real, start)
        stack = [(start, above, True)]
        while stack:
            prefix, levels, is_top = stack.pop()
            try:
                listing = self._list(prefix)
            except OSError as error:
                self._problems.append(FileProblem(prefix or ".", why(prefix, error)))
                continue
            if not is_top and self._is_foreign(prefix, listing):
                continue
            if listing.marks:
                levels = self._levels_here(prefix, listing, levels, is_top=is_top)
            kept = self._keep(prefix, listing, outside, levels)
            stack.extend((prefix + name + "/", levels, False) for name in reversed(kept))

    def _list(self, prefix: str) -> _Listing:
        files: list[str] = []
        folders: list[str] = []
        links: list[str] = []
        marks: set[str] = set()
        ends, names = self._ends, self._names
        with os.scandir(prefix or ".") as entries:
            for entry in entries:
                name = entry.name
                if name in _MARKS:
                    marks.add(name)
                if name.endswith(ends) or name in names:
                    if entry.is_file(follow_symlinks=False):
                        files.append(name)
                        continue
                    if not entry.is_symlink() and not entry.is_dir():
                        self._skipped.append(Skipped(prefix + name, "not a regular file"))
                if entry.is_dir(follow_symlinks=False):
                    folders.append(name)
                elif entry.is_symlink():
                    links.append(name)
        return _Listing(files, folders, links, marks)

    def _is_foreign(self, prefix: str, listing: _Listing) -> bool:
        """Whether a folder is a virtual environment or a copy of the framework."""
        if "pyvenv.cfg" in listing.marks:
            return True
        folder = prefix[prefix.rfind("/", 0, -1) + 1 : -1]
        if folder != FRAMEWORK or not is_framework_copy(folder, [*listing.files, *listing.folders]):
            return False
        self._skipped.append(Skipped(prefix[:-1], "a copy of the framework itself"))
        return True

    def _levels_here(
        self, prefix: str, listing: _Listing, levels: tuple[Level, ...], *, is_top: bool
    ) -> tuple[Level, ...]:
        try:
            if ".git" in listing.marks and not is_top:
                levels = repository_level(prefix, prefix)
            if ".gitignore" in listing.marks:
                patterns = read_patterns(prefix + ".gitignore")
                if patterns is not None:
                    levels = (Level(patterns, "", len(prefix)), *levels)
        except OSError as error:
            self._problems.append(FileProblem(str(error.filename), why(prefix, error)))
        return levels

    def _keep(
        self, prefix: str, listing: _Listing, outside: tuple[Level, ...], levels: tuple[Level, ...]
    ) -> list[str]:
        """Take the files of a folder that are not ignored; return the folders to go into."""
        files, folders, links = listing.files, listing.folders, listing.links
        folders = [name for name in folders if not is_vendored(name)]
        if outside or levels:
            files, links, folders = (
                [
                    name
                    for name in names
                    if not is_ignored(outside, prefix + name, name, is_dir=is_dir)
                    and not is_ignored(levels, prefix + name, name, is_dir=is_dir)
                ]
                for names, is_dir in ((files, False), (links, False), (folders, True))
            )
        self._found.extend([prefix + name for name in files])
        # Emacs marks a file that is being edited by a dangling link.
        self._links.extend([prefix + name for name in links if not name.startswith(".#")])
        folders.sort()
        return folders

    def _excluding(self, real: str, start: str) -> tuple[Level, ...]:
        if self._exclude is None:
            return ()
        lead = os.path.relpath(real, self._base).replace(os.sep, "/") + "/"
        return (Level(self._exclude, "" if lead.startswith(".") else lead, len(start)),)

    def _is_wanted(self, name: str) -> bool:
        return name.endswith(self._ends) or name in self._names

    def result(self) -> Discovery:
        """Everything found, each file once."""
        if len(self._spans) > 1 or self._links:
            self._found = self._once()
        self._found.sort()
        python = [path for path in self._found if path.endswith(PYTHON)]
        other = [path for path in self._found if not path.endswith(PYTHON)]
        return Discovery(python, other, sorted(self._problems), sorted(self._skipped))

    def _once(self) -> list[str]:
        """Each file once by its real path; a walk below its start follows no links."""
        by_real: dict[str, str] = {}
        ends = [span[0] for span in self._spans[1:]] + [len(self._found)]
        for (first, start, real), end in zip(self._spans, ends, strict=True):
            cut = 0 if start == "." else len(start)
            join = real + "/" if start == "." else real
            for path in self._found[first:end]:
                by_real.setdefault(join + path[cut:], path)
        for link in self._links:
            self._take_link(link, by_real)
        return list(by_real.values())

    def _take_link(self, link: str, by_real: dict[str, str]) -> None:
        """A link to a file is the file, which the walk meets by itself where it may."""
        is_wanted = self._is_wanted(os.path.basename(link))
        try:
            is_folder = stat.S_ISDIR(os.stat(link).st_mode)
        except OSError as error:
            if is_wanted:
                self._problems.append(FileProblem(link, why(link, error)))
            return
        if not is_wanted and not is_folder:
            return
        real = os.path.realpath(link)
        inside = any(real == top or real.startswith(top + "/") for _, _, top in self._spans)
        if not inside:
            reason = f"a link to {real}, which is outside of what was named"
            self._skipped.append(Skipped(link, reason))
        elif not is_folder and not self._is_wanted(os.path.basename(real)):
            by_real.setdefault(real, link)


def why(path: str, error: OSError) -> str:
    """A reason that a person understands for a path that could not be dealt with."""
    if isinstance(error, FileNotFoundError):
        return "a link to a file that is not there" if os.path.islink(path) else "not found"
    return (error.strerror or str(error)).lower()
