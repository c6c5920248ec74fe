"""Files written so that a crash leaves the old one or the new one, and a lock between runs."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_BINARY = getattr(os, "O_BINARY", 0)


def digest(data: bytes) -> str:
    """What a file's bytes are compared by."""
    import hashlib

    return hashlib.sha256(data).hexdigest()


def read(path: str) -> bytes:
    """The bytes of a file."""
    with open(path, "rb") as file:
        return file.read()


def write_new(path: str, data: bytes, mode: int, owner: os.stat_result | None = None) -> None:
    """Write a file in full and sync it; on any failure it is not there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY | getattr(os, "O_NOFOLLOW", 0)
    file = os.open(path, flags, 0o600)
    try:
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(file, left) :]
            if owner is not None:
                _give(file, owner)
            os.chmod(path, mode)
            os.fsync(file)
        finally:
            os.close(file)
    except BaseException:
        os.unlink(path)
        raise


def put_in_place(
    path: str, data: bytes, temporary: str, mode: int, ready: Callable[[], None]
) -> None:
    """Replace a file in one step, with the mode and owner that it has.

    `mode` is for a file that is not there. `ready` is called before the last step, and may raise
    to stop it. Raises OSError; then the file is as it was.
    """
    beside = os.path.join(os.path.dirname(path), temporary)
    try:
        owner: os.stat_result | None = os.stat(path)
    except FileNotFoundError:
        owner = None
    write_new(beside, data, stat.S_IMODE(owner.st_mode) if owner else mode, owner)
    try:
        ready()
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def _give(file: int, owner: os.stat_result) -> None:
    """Give a file to its owner, where the user may; otherwise it is the user's."""
    if sys.platform == "win32":
        return
    mine = os.fstat(file)
    if (mine.st_uid, mine.st_gid) != (owner.st_uid, owner.st_gid):
        with suppress(OSError):
            os.fchown(file, owner.st_uid, owner.st_gid)


def sync_folder(folder: str) -> None:
    """See to it that what was moved into a folder is there after a power cut, where possible."""
    if sys.platform == "win32":
        return
    with suppress(OSError):
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


class Busy(Exception):
    """Another process has the lock; its number is the argument."""


class Lock:
    """One run at a time. The system lets go of it when the process ends, however it ends."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, "lock")
        self._file = -1

    def acquire(self) -> None:
        """Take the lock. Raises Busy where another process has it, or OSError."""
        while True:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                _lock(self._file)
            except (BlockingIOError, PermissionError):
                owner = self._owner()
                self.release()
                raise Busy(owner) from None
            except BaseException:
                self.release()
                raise
            # The process that had the lock may have removed the file when it let go.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._file), os.stat(self._path)):
                    break
            self.release()
        os.truncate(self._file, 0)
        os.write(self._file, b"%d\n" % os.getpid())

    def _owner(self) -> str:
        with suppress(OSError):
            return os.read(self._file, 20).decode("ascii", "replace").strip() or "unknown"
        return "unknown"

    def release(self) -> None:
        """Let go of the lock."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def _lock(file: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
