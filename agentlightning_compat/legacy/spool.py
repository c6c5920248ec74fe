"""Results on disk until a server has them: nothing that was worked out is lost with a process."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import logging
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

_log = logging.getLogger(__name__)

_LOCK = "owner.lock"
_REFUSED = "refused"


def default_folder(endpoint: str) -> Path:
    """Where results for a server are kept, unless AGL_SPOOL names another folder."""
    base = os.environ.get("AGL_SPOOL")
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    root = Path(base) if base else Path(state) / "agentlightning-compat" / "spool"
    return root / hashlib.sha256(endpoint.encode()).hexdigest()[:16]


class Spool:
    """The results of one process, in a folder of its own beside those of others.

    A folder belongs to the process that holds the lock in it. What a process that ended left
    behind is taken over by the next one that opens the spool.

    Raises:
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mine, lock = _own_folder(folder)
        self._locks = {self._mine: lock}
        # Results are added by several threads.
        self._numbers = itertools.count(1)

    def add(self, payload: dict[str, Any]) -> Path:
        """Keep a result: it outlives this process, but not the machine until `fasten`."""
        digest = _digest(payload["rollout_id"])
        path = self._mine / f"{next(self._numbers):08d}-{digest}.json"
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(payload), encoding="utf-8")
        draft.replace(path)
        return path

    def fasten(self, path: Path) -> None:
        """Have a result outlive the machine, too. Most are delivered before this is done."""
        for place in (path, path.parent):
            with contextlib.suppress(OSError):  # a folder cannot be opened everywhere
                descriptor = os.open(place, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

    def holds(self, rollout_id: str) -> bool:
        """Whether a result of this task waits for the server, of whichever process."""
        found = self._folder.glob(f"*/*-{_digest(rollout_id)}.json")
        return any(path.parent.name != _REFUSED for path in found)

    def done(self, path: Path) -> None:
        """The server has it."""
        path.unlink(missing_ok=True)

    def refuse(self, path: Path) -> Path:
        """The server will never take it: put it aside for a person to look at."""
        aside = self._folder / _REFUSED
        aside.mkdir(exist_ok=True)
        target = aside / f"{path.parent.name}-{path.name}"
        path.replace(target)
        return target

    def leftovers(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """What processes that ended left behind; from now on it is ours to deliver."""
        for folder in sorted(self._folder.iterdir()):
            if folder in self._locks or not (folder / _LOCK).exists():
                continue
            lock = _locked(folder / _LOCK)
            if lock is not None:
                self._locks[folder] = lock
                yield from _results(folder)

    def waiting(self) -> list[Path]:
        """The results that are not delivered yet."""
        return [path for folder in self._locks for path in sorted(folder.glob("*.json"))]

    def close(self) -> None:
        """Leave what is not delivered to the next process; empty folders go."""
        for folder, lock in self._locks.items():
            with contextlib.suppress(OSError):
                if not any(folder.glob("*.json")):
                    for name in folder.iterdir():
                        name.unlink()
                    folder.rmdir()
            lock.close()
        self._locks = {}


def _results(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(folder.glob("*.json")):
        payload = _read(path)
        if payload is not None:
            yield path, payload


def _read(path: Path) -> dict[str, Any] | None:
    try:
        payload: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        _log.error("%s: this result cannot be read; it stays where it is", path)
        return None
    return payload


def _own_folder(folder: Path) -> tuple[Path, IO[str]]:
    """A new folder, with the lock in it that is ours."""
    while True:
        mine = folder / f"{os.getpid()}-{secrets.token_hex(4)}"
        mine.mkdir(parents=True)
        lock = _locked(mine / _LOCK)
        if lock is not None:
            return mine, lock
        # Another process that begins now took it for one that was left behind.


def _digest(rollout_id: str) -> str:
    return hashlib.sha256(rollout_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _locked(path: Path) -> IO[str] | None:
    """The file, locked for as long as this process lives; None when another one has it."""
    try:
        file = path.open("a")
    except FileNotFoundError:  # its owner is tidying up
        return None
    try:
        _lock(file.fileno())
    except OSError:
        file.close()
        return None
    return file


def _lock(descriptor: int) -> None:
    try:
        import fcntl
    except ModuleNotFoundError:
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
