"""All files of a run change together, or come back: a transaction with a journal and an undo.

    with Transaction(root) as transaction:   # restores an interrupted run first
        transaction.add(path, before, after)
        outcome = transaction.commit()

Originals and journal are on disk before the first file is touched. A run that is killed leaves
the journal in state "applying"; the next one puts every original back before it reads anything.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from codemods.durable import Busy, Lock, digest, put_in_place, read, sync_folder, write_new
from codemods.journal import (
    FOLDER,
    Changed,
    Entry,
    Journal,
    Restored,
    TransactionError,
    digest_of,
    load,
    place,
    recover,
    roll_back,
    save,
    settle,
    tidy,
)
from codemods.walk import FileProblem, why

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["Outcome", "Restored", "Transaction", "TransactionError", "is_interrupted", "undo"]


class Outcome(NamedTuple):
    """The files that a run wrote, and those that it could not write, with the reason."""

    written: list[str]
    problems: list[FileProblem]


class _Change(NamedTuple):
    path: str
    real: str
    before: bytes
    after: bytes


class Transaction:
    """The changes of one run below a root folder.

    Entering it raises TransactionError where another run is under way. `recovered` is what was
    restored of an interrupted run, or None. `checkpoint` is called with a name between any two
    steps that leave something on disk.
    """

    def __init__(
        self, root: str | os.PathLike[str], *, checkpoint: Callable[[str], None] | None = None
    ) -> None:
        self._root = os.path.realpath(root)
        self._folder = os.path.join(self._root, FOLDER)
        self._checkpoint = checkpoint or (lambda name: None)
        self._lock = Lock(self._folder)
        self._changes: list[_Change] = []
        self._error: OSError | None = None
        self.recovered: Restored | None = None

    def __enter__(self) -> Transaction:
        try:
            self._lock.acquire()
            write_new(os.path.join(self._folder, ".gitignore"), b"*\n", 0o644)
        except Busy as busy:
            raise TransactionError(
                f"another run (process {busy}) is under way in {self._root}; wait for it to end"
            ) from None
        except OSError as error:
            # A folder that cannot be written only matters if there is something to write.
            self._error = error
            return self
        try:
            self.recovered = recover(self._root, self._folder)
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._error is None:
            tidy(self._folder)
        self._lock.release()

    def add(self, path: str, before: bytes, after: bytes) -> None:
        """Plan to change a file from the bytes that were read to others."""
        if after != before:
            self._changes.append(_Change(path, os.path.realpath(path), before, after))

    def commit(self) -> Outcome:
        """Write all planned files.

        One that cannot be written, or is not any more what was read, is a problem; the others
        are written. Raises TransactionError where the originals cannot be kept.
        """
        problems: list[FileProblem] = []
        changes = [change for change in self._changes if self._is_possible(change, problems)]
        self._changes = []
        if not changes:
            return Outcome([], problems)
        previous = load(self._folder) if self._error is None else None
        try:
            self._require_folder()
            journal = self._prepare(changes, previous)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            written = self._apply(journal, changes, problems)
        except BaseException:
            roll_back(self._root, self._folder, journal)
            raise
        return Outcome(written, problems)

    def undo(self, *, force: bool) -> Restored:
        """Restore the originals of the last run; see the function of that name."""
        if self.recovered is not None:
            return self.recovered
        journal = load(self._folder)
        if journal is None:
            raise TransactionError(f"there is no run to undo in {self._root}")
        # Written down as it is found, so that an undo that is cut off ends the same way.
        found = [
            entry._replace(after=digest_of(place(self._root, entry))) for entry in journal.entries
        ]
        changed = [
            now.path
            for was, now in zip(journal.entries, found, strict=True)
            if now.after not in (was.before, was.after)
        ]
        if changed and not force:
            raise TransactionError(f"changed since the run, nothing undone: {', '.join(changed)}")
        journal = journal._replace(state="undoing", entries=found)
        try:
            self._require_folder()
            save(self._folder, journal)
        except OSError as error:
            raise self._unusable(error) from error
        self._checkpoint("undo")
        return roll_back(self._root, self._folder, journal, self._checkpoint)

    def _require_folder(self) -> None:
        if self._error is not None:
            raise self._error

    def _unusable(self, error: OSError) -> TransactionError:
        reason = why(self._folder, error)
        return TransactionError(f"{self._folder} is not usable ({reason}); nothing was changed")

    def _is_possible(self, change: _Change, problems: list[FileProblem]) -> bool:
        try:
            _check(change)
            if not stat.S_IMODE(os.stat(change.real).st_mode) & 0o222:
                raise PermissionError(0, "the file is read-only")
            if not os.access(change.real, os.W_OK):
                raise PermissionError(0, "no right to write the file")
            if not os.access(os.path.dirname(change.real), os.W_OK):
                raise PermissionError(0, "no right to write in the folder")
        except OSError as error:
            problems.append(FileProblem(change.path, why(change.path, error)))
            return False
        return True

    def _prepare(self, changes: list[_Change], previous: Journal | None) -> Journal:
        """Keep the originals and say what is going to be done; from here on it can be undone."""
        journal = Journal(os.urandom(6).hex(), "applying", [], previous)
        backups = os.path.join(self._folder, journal.backups)
        os.mkdir(backups)
        for number, change in enumerate(changes):
            self._checkpoint(f"backup {number}")
            name = f"{number:04d}.original"
            mode = stat.S_IMODE(os.stat(change.real).st_mode)
            write_new(os.path.join(backups, name), change.before, mode & 0o666 | 0o600)
            journal.entries.append(
                Entry(
                    _stored(self._root, change.real),
                    name,
                    digest(change.before),
                    digest(change.after),
                    mode,
                )
            )
        sync_folder(backups)
        self._checkpoint("journal")
        save(self._folder, journal)
        return journal

    def _apply(
        self, journal: Journal, changes: list[_Change], problems: list[FileProblem]
    ) -> list[str]:
        written: list[str] = []
        kept: list[Entry] = []
        for number, (change, entry) in enumerate(zip(changes, journal.entries, strict=True)):
            self._checkpoint(f"write {number}")
            try:
                self._write(number, change, entry, journal.temporary)
            except OSError as error:
                problems.append(FileProblem(change.path, why(change.path, error)))
                continue
            written.append(change.path)
            kept.append(entry)
        for folder in {os.path.dirname(change.real) for change in changes}:
            sync_folder(folder)
        self._checkpoint("done")
        if kept:
            save(self._folder, journal._replace(state="done", entries=kept, previous=None))
        else:
            settle(self._folder, journal.previous)
        self._checkpoint("tidy")
        return written

    def _write(self, number: int, change: _Change, entry: Entry, temporary: str) -> None:
        def ready() -> None:
            self._checkpoint(f"replace {number}")
            _check(change)

        put_in_place(change.real, change.after, temporary, entry.mode, ready)


def is_interrupted(root: str | os.PathLike[str]) -> bool:
    """Whether a run below a root was cut off, so that files may be half of it and half not.

    Raises TransactionError for a journal that cannot be read.
    """
    journal = load(os.path.join(os.path.realpath(root), FOLDER))
    return journal is not None and journal.state != "done"


def undo(root: str | os.PathLike[str], *, force: bool = False) -> Restored:
    """Give all files of the last run their original bytes again.

    Raises TransactionError where there is no run, where another one is under way, or where files
    were changed since; with `force` those lose their changes. An interrupted run is restored, and
    then nothing else.
    """
    if not os.path.isdir(os.path.join(root, FOLDER)):
        raise TransactionError(f"there is no run to undo in {os.path.realpath(root)}")
    with Transaction(root) as transaction:
        return transaction.undo(force=force)


def _check(change: _Change) -> None:
    """Raises OSError where a file is not what was read, or is not there."""
    try:
        now = read(change.real)
    except FileNotFoundError:
        raise Changed(0, "deleted while the run was under way") from None
    if now != change.before:
        raise Changed(0, "changed while the run was under way")


def _stored(root: str, real: str) -> str:
    prefix = root.rstrip(os.sep) + os.sep
    return real.removeprefix(prefix)
