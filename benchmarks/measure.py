"""CPU time of whole processes, and the trees of files that they work on."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

# Installed packages are compiled; a checkout that is never compiled would not be what users run.
_ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
ROOT = Path(__file__).resolve().parents[1]


def cpu_seconds(command: Sequence[str], cwd: Path, accept: Iterable[int] = (0, 1)) -> float:
    """User and system time of one run of a command, with its children.

    Raises:
        RuntimeError: the command ended with an exit code that is not in `accept`.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command,
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        env=_ENVIRONMENT,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in accept:
        raise RuntimeError(f"{command[0]} exited {done.returncode}: {done.stderr.decode()[-2000:]}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def medians(commands: Mapping[str, Sequence[str]], cwd: Path, rounds: int) -> dict[str, float]:
    """The median CPU time of each command, run in turn so that drift of the machine cancels."""
    for command in commands.values():
        cpu_seconds(command, cwd)
    samples: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            samples[name].append(cpu_seconds(command, cwd))
    return {name: statistics.median(values) for name, values in samples.items()}


def python_files() -> list[Path]:
    """The Python files of this interpreter's standard library and installed packages."""
    folders = {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")}
    found = {path for folder in folders for path in Path(folder).rglob("*.py")}
    return sorted(path for path in found if b"agentlightning" not in path.read_bytes())


def plain_tree(folder: Path, count: int) -> None:
    """Fill a folder with `count` copies of files that have nothing to do with agentlightning."""
    sources = python_files()
    for number in range(count):
        source = sources[number % len(sources)]
        target = folder / f"part{number // 100:03d}" / f"m{number:05d}_{source.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def legacy_files() -> list[Path]:
    """The legacy sources of the sample projects, tests left out."""
    found = sorted((ROOT / "fixtures" / "projects").glob("*/before/**/*.py"))
    return [path for path in found if b"agentlightning" in path.read_bytes()]


def legacy_tree(folder: Path, count: int) -> None:
    """Fill a folder with `count` legacy files, each copy in a package of its own."""
    sources = legacy_files()
    for number in range(count):
        source = sources[number % len(sources)]
        target = folder / f"legacy{number:05d}" / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def tool(*arguments: str) -> list[str]:
    """The command line of agl-migrate from this checkout."""
    return [sys.executable, str(ROOT / "agl_migrate.py"), *arguments]


def usable_peers(folder: Path) -> Path:
    """A virtual environment with Fixit and bump-pydantic, made once."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "-q", "fixit", "bump-pydantic"]
        subprocess.run(
            install, check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        )
    return folder / "bin"
