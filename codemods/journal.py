"""What a transaction leaves on disk, the journal and the originals, and the way back from it."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from codemods.durable import digest, put_in_place, read, sync_folder, write_new
from codemods.walk import FileProblem, why

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = ".agl-migrate"
_JOURNAL = "journal.json"
_VERSION = 1

State = Literal["applying", "undoing", "done"]


class TransactionError(Exception):
    """A transaction that cannot begin, or an undo that is refused; no file was changed."""


class Entry(NamedTuple):
    """One file of a run. `after` is empty for a file that is to be made anew by an undo."""

    path: str
    backup: str
    before: str
    after: str
    mode: int


class Journal(NamedTuple):
    """One run: its state, its files, and the run before it until this one is done."""

    token: str
    state: State
    entries: list[Entry]
    previous: Journal | None = None

    @property
    def backups(self) -> str:
        """The name of the folder that holds the originals."""
        return f"backup-{self.token}"

    @property
    def temporary(self) -> str:
        """The name of a file that is about to be moved into place."""
        return f"{FOLDER}-{self.token}.tmp"


def load(folder: str) -> Journal | None:
    """The journal in a folder, or None. Raises TransactionError for one that makes no sense."""
    path = os.path.join(folder, _JOURNAL)
    try:
        with open(path, "rb") as file:
            return _journal(json.loads(file.read()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TransactionError(
            f"the journal {path} cannot be read ({error}); originals of the last run are in"
            f" {folder}: copy back what you need, then remove that folder"
        ) from error


def save(folder: str, journal: Journal) -> None:
    """Write the journal so that it is there in full after a crash, or not at all."""
    data = json.dumps(_plain(journal), indent=1).encode()
    write_new(os.path.join(folder, _JOURNAL + ".new"), data, 0o644)
    os.replace(os.path.join(folder, _JOURNAL + ".new"), os.path.join(folder, _JOURNAL))
    sync_folder(folder)


def remove(folder: str) -> None:
    """Forget the last run."""
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(folder, _JOURNAL))
    sync_folder(folder)


def _plain(journal: Journal) -> dict[str, object]:
    return {
        "version": _VERSION,
        "token": journal.token,
        "state": journal.state,
        "files": [entry._asdict() for entry in journal.entries],
        "previous": None if journal.previous is None else _plain(journal.previous),
    }


def _journal(plain: dict[str, object]) -> Journal:
    if plain["version"] != _VERSION:
        raise ValueError(f"it is of version {plain['version']}")
    previous = cast("dict[str, object] | None", plain["previous"])
    if plain["state"] not in ("applying", "undoing", "done"):
        raise ValueError(f"unknown state {plain['state']!r}")
    return Journal(
        cast("str", plain["token"]),
        plain["state"],
        [Entry(**fields) for fields in cast("list[dict[str, str | int]]", plain["files"])],  # type: ignore[arg-type]
        None if previous is None else _journal(previous),
    )


class Restored(NamedTuple):
    """The files that have their original bytes again, and those that do not, with the reason."""

    files: list[str]
    problems: list[FileProblem]


class Changed(OSError):
    """A file that is not any more what was read."""


def place(root: str, entry: Entry) -> str:
    """Where the file of an entry is."""
    return os.path.join(root, entry.path)


def digest_of(path: str) -> str:
    """The digest of a file; empty for one that is not there, `?` for one that cannot be read."""
    try:
        return digest(read(path))
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError:
        return "?"


def recover(root: str, folder: str) -> Restored | None:
    """Restore what a run that was cut off left behind; None where there was none."""
    journal = load(folder)
    if journal is None or journal.state == "done":
        return None
    return roll_back(root, folder, journal)


def roll_back(
    root: str,
    folder: str,
    journal: Journal,
    checkpoint: Callable[[str], None] = lambda name: None,
) -> Restored:
    """Restore every file that is as the run left it.

    One that is neither that nor the original was changed by someone else. It stays, and so does
    the copy of its original.
    """
    restored: list[str] = []
    problems: list[FileProblem] = []
    backups = os.path.join(folder, journal.backups)
    kept = os.path.join(folder, f"kept-{journal.token}")
    if os.path.isdir(kept):  # this was cut off before, behind the next step
        backups = kept
    for number, entry in enumerate(journal.entries):
        path = place(root, entry)
        checkpoint(f"restore {number}")
        with suppress(OSError):
            os.unlink(os.path.join(os.path.dirname(path), journal.temporary))
        original = os.path.join(backups, entry.backup)
        try:
            if _restore(path, original, entry, journal.temporary):
                restored.append(path)
        except OSError as error:
            problems.append(FileProblem(path, why(path, error)))
    for parent in {os.path.dirname(path) for path in restored}:
        sync_folder(parent)
    if problems:
        os.rename(backups, kept)
        problems = [_with_place(problem, kept) for problem in problems]
    checkpoint("settle")
    settle(folder, journal.previous)
    return Restored(restored, problems)


def _with_place(problem: FileProblem, kept: str) -> FileProblem:
    return problem._replace(reason=f"{problem.reason}; left as it is, its original is in {kept}")


def _restore(path: str, original: str, entry: Entry, temporary: str) -> bool:
    now = digest_of(path)
    if now == entry.before:
        return False
    if now != entry.after:
        raise Changed(0, "changed since the run" if now else "deleted since the run")
    data = read(original)
    if digest(data) != entry.before:
        raise Changed(0, "the copy of the original is damaged")
    put_in_place(path, data, temporary, entry.mode, lambda: None)
    return True


def settle(folder: str, journal: Journal | None) -> None:
    """End a run by making another one the last, or none."""
    if journal is None:
        remove(folder)
    else:
        save(folder, journal)


def tidy(folder: str) -> None:
    """Remove originals that no journal names, and the folder if there is nothing to keep in it."""
    import shutil

    journal = load(folder)
    in_use = set()
    while journal is not None:
        in_use.add(journal.backups)
        journal = journal.previous
    names = os.listdir(folder)
    for name in names:
        if name.startswith("backup-") and name not in in_use:
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
    if not in_use and not any(name.startswith("kept-") for name in names):
        shutil.rmtree(folder, ignore_errors=True)
