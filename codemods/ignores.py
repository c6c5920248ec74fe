"""Which paths git's ignore files leave out.

Pathspec decides; it is only asked about a path when some line of the ignore file could match it.
That is told by the fixed characters at the ends of each line, so that in a repository where
nothing is ignored beside `*.pyc` and `build/`, ten thousand sources cost ten thousand string
comparisons and pathspec is not even imported.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pathspec import GitIgnoreSpec

_META = "*?["


class Patterns:
    """The lines of one ignore file, and where the folder it stands in lies.

    A path below that folder is `lead + path[cut:]` relative to it, for every path that a walk
    meets: `lead` is empty for ignore files met on the way down, and leads from the folder down to
    the start of the walk for those above it.
    """

    __slots__ = ("_always", "_heads", "_lines", "_memo", "_names", "_places", "_specs", "_tails")

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = [_trimmed(line) for line in lines]
        self._names: set[str] = set()
        self._always = False
        tails: set[str] = set()
        heads: set[str] = set()
        places: set[str] = set()
        for line in self._lines:
            if line:
                self._sort_out(line, tails, heads, places)
        self._tails = tuple(tails)
        self._heads = tuple(heads)
        self._places = tuple(places)
        self._memo: dict[str, tuple[bool | None, int]] = {}
        self._specs: tuple[GitIgnoreSpec, GitIgnoreSpec] | None = None

    def _sort_out(self, line: str, tails: set[str], heads: set[str], places: set[str]) -> None:
        body = line.removeprefix("!").rstrip("/")
        if "\\" in body:
            self._always = True
        elif _is_placed(line):
            places.add(_head(body.lstrip("/")))
        elif not any(mark in body for mark in _META):
            self._names.add(body)
        elif any(ends := _tails(body)):
            tails.update(ends)
        elif head := _head(body):
            heads.add(head)
        else:
            self._always = True

    def verdict(self, relative: str, name: str, *, is_dir: bool) -> bool | None:
        """Whether this file ignores a path: yes, no (a line with `!`), or it says nothing.

        Only the path itself counts; that no folder above it is ignored is the walk's business.
        """
        named = (
            self._always
            or name in self._names
            or name.endswith(self._tails)
            or name.startswith(self._heads)
        )
        placed = self._always or relative.startswith(self._places)
        if not named and not placed:
            return None
        end = "/" if is_dir else ""
        by_name: tuple[bool | None, int] = (None, -1)
        by_place: tuple[bool | None, int] = (None, -1)
        if named:
            by_name = self._by_name(name + end)
        if placed:
            by_place = _last_match(self._compiled()[1], relative + end)
        return max(by_name, by_place, key=lambda found: found[1])[0]

    def _by_name(self, name: str) -> tuple[bool | None, int]:
        known = self._memo.get(name)
        if known is None:
            known = self._memo[name] = _last_match(self._compiled()[0], name)
        return known

    def _compiled(self) -> tuple[GitIgnoreSpec, GitIgnoreSpec]:
        """The lines that look at a name only, and those that look at the place.

        Each spec keeps the numbers of the lines (`#` stands for one of the other kind, as pathspec
        drops empty ones), since the last line of both wins.
        """
        if self._specs is None:
            from pathspec import GitIgnoreSpec

            by_name = [line if not _is_placed(line) else "#" for line in self._lines]
            by_place = [_all_below(line) if _is_placed(line) else "#" for line in self._lines]
            self._specs = (GitIgnoreSpec.from_lines(by_name), GitIgnoreSpec.from_lines(by_place))
        return self._specs


def _last_match(spec: GitIgnoreSpec, text: str) -> tuple[bool | None, int]:
    """The last line that matches a path itself, as pathspec also matches all below a folder.

    Whether a folder is ignored has been asked before, and a later line may have taken it back;
    what is in it is then not ignored on the folder's account.
    """
    for index in range(len(spec.patterns) - 1, -1, -1):
        pattern = spec.patterns[index]
        if pattern.include is not None and (found := pattern.match_file(text)) is not None:
            # The group that stands for the slash after a folder's name.
            slash = found.match.groupdict().get("ps_d")
            if slash is None or found.match.end("ps_d") == len(text):
                return pattern.include, index
    return None, -1


class Level(NamedTuple):
    """The patterns of one ignore file, as seen from the walk that meets it."""

    patterns: Patterns
    lead: str
    cut: int


def is_ignored(levels: Sequence[Level], path: str, name: str, *, is_dir: bool) -> bool:
    """Whether a path is ignored, by the nearest ignore file that says anything about it."""
    for patterns, lead, cut in levels:
        verdict = patterns.verdict(lead + path[cut:], name, is_dir=is_dir)
        if verdict is not None:
            return verdict
    return False


def read_patterns(path: str) -> Patterns | None:
    """The patterns of an ignore file, or None where it holds none.

    Raises OSError for a file that is there and cannot be read.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    patterns = [line.removesuffix("\r") for line in text.split("\n")]
    return Patterns(patterns) if any(_trimmed(line) for line in patterns) else None


def levels_above(top: str, start: str) -> tuple[Level, ...]:
    """What the folders above a walk ignore in it, nearest first, up to the repository's root.

    `top` is the real path of the folder where the walk starts, `start` the prefix that every path
    of the walk has. Nothing is taken from above where there is no repository, and nothing where
    the folder is itself ignored: a user who names it wants it read.
    """
    found: list[tuple[str, Patterns]] = []
    folder = top
    while not os.path.lexists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return ()
        folder = parent
        patterns = read_patterns(os.path.join(folder, ".gitignore"))
        if patterns is not None:
            found.append((folder, patterns))
    excluded = read_patterns(os.path.join(_git_folder(folder), "info", "exclude"))
    if excluded is not None:
        found.append((folder, excluded))
    if _is_ignored_itself(top, folder, found):
        return ()
    return tuple(Level(patterns, _lead(top, at), len(start)) for at, patterns in found)


def repository_level(folder: str, start: str) -> tuple[Level, ...]:
    """What the repository that begins in a folder ignores of its own (`.git/info/exclude`)."""
    patterns = read_patterns(os.path.join(_git_folder(folder), "info", "exclude"))
    return () if patterns is None else (Level(patterns, "", len(start)),)


def _is_ignored_itself(top: str, repository: str, found: list[tuple[str, Patterns]]) -> bool:
    path = top
    while path != repository:
        name = os.path.basename(path)
        for at, patterns in found:
            if path.startswith(at.rstrip("/") + "/"):
                relative = path[len(at.rstrip("/")) + 1 :]
                verdict = patterns.verdict(relative, name, is_dir=True)
                if verdict:
                    return True
                if verdict is not None:
                    break
        path = os.path.dirname(path)
    return False


def _git_folder(repository: str) -> str:
    """Where a repository keeps what its work trees share; `.git` is a file in a linked one."""
    git = os.path.join(repository, ".git")
    if os.path.isdir(git):
        return git
    try:
        with open(git, "rb") as file:
            pointer = os.fsdecode(file.read().removeprefix(b"gitdir:").strip())
        folder = os.path.join(repository, pointer)
        with open(os.path.join(folder, "commondir"), "rb") as file:
            return os.path.join(folder, os.fsdecode(file.read().strip()))
    except FileNotFoundError:
        return os.path.join(repository, pointer)


def _lead(top: str, above: str) -> str:
    relative = os.path.relpath(top, above)
    return "" if relative == "." else relative.replace(os.sep, "/") + "/"


def _trimmed(line: str) -> str:
    """A line of an ignore file without what git passes over; empty for comments."""
    if line.startswith("#"):
        return ""
    return line if line.endswith("\\ ") else line.rstrip(" ")


def _is_placed(line: str) -> bool:
    """Whether a line says where, and not just what name (`/a`, `a/b`, but not `a` or `a/`)."""
    return "/" in line.rstrip("/")


def _all_below(line: str) -> str:
    """A line that ends in `/**` said so that pathspec does not take it for the folder too."""
    if line.endswith("/**"):
        return line + "/*"
    return line + "*/" if line.endswith("/**/") else line


def _head(body: str) -> str:
    cut = min((at for at in map(body.find, _META) if at >= 0), default=len(body))
    return body[:cut]


def _tails(body: str) -> list[str]:
    """What a name that a line matches may end in; a list with an empty text where anything may."""
    if body.endswith("]") and body.count("[") == 1:
        before, _, letters = body[:-1].partition("[")
        if letters.isalnum():
            fixed = before[max(before.rfind("*"), before.rfind("?")) + 1 :]
            return [fixed + letter for letter in letters]
    return [body[max(map(body.rfind, "*?]")) + 1 :]]
