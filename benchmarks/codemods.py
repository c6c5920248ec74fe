"""What the codemod command costs, as ratios of CPU time against peers in the same run.

python benchmarks/codemods.py [--files 10000] [--rounds 5] [--peers FOLDER] [--json FILE]

`--peers FOLDER` also runs Fixit and bump-pydantic, installed into FOLDER once.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import measure

Row = dict[str, object]

_BARE = """
import ast, os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        if name.endswith(".py"):
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            if b"agentlightning" in data:
                ast.parse(data)
"""
_LIBCST = """
import os, sys, libcst
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            libcst.parse_module(file.read())
"""


def row(name: str, ours: float, peer: float, bound: str, what: str) -> Row:
    """One line of the result: both times in seconds and their ratio."""
    return {
        "measure": name,
        "ours_s": round(ours, 3),
        "peer_s": round(peer, 3),
        "ratio": round(ours / peer, 2),
        "bound": bound,
        "peer": what,
    }


def nothing_legacy(folder: Path, files: int, rounds: int) -> Row:
    """`check` where no file is legacy, against grep."""
    tree = folder / "plain"
    measure.plain_tree(tree, files)
    commands: dict[str, Sequence[str]] = {
        "ours": measure.tool("check", "."),
        "grep": ["grep", "-rl", "agentlightning", "."],
        "pass": [sys.executable, "-c", "pass"],
    }
    times = measure.medians(commands, tree, rounds)
    peer = times["grep"] + times["pass"]
    return row(f"check, {files} files, none legacy", times["ours"], peer, "<= 2.5", "grep + python")


def some_legacy(folder: Path, files: int, rounds: int) -> Row:
    """`check` where one file in a hundred is legacy, against reading all and parsing the hits."""
    tree = folder / "mixed"
    measure.plain_tree(tree, files - files // 100)
    measure.legacy_tree(tree, files // 100)
    commands: dict[str, Sequence[str]] = {
        "ours": measure.tool("check", "."),
        "bare": [sys.executable, "-c", _BARE, "."],
    }
    times = measure.medians(commands, tree, rounds)
    label = f"check, {files} files, 1 % legacy"
    return row(label, times["ours"], times["bare"], "<= 2", "read, literal, ast.parse")


def rewriting(folder: Path, files: int, rounds: int) -> Row:
    """`run` over legacy files only, against LibCST parsing each once."""
    tree = folder / "legacy"
    measure.legacy_tree(tree, files)
    # --diff does all the work but the writing, so that every round finds the same files.
    commands: dict[str, Sequence[str]] = {
        "ours": measure.tool("run", "--diff", "--jobs", "1", "."),
        "libcst": [sys.executable, "-c", _LIBCST, "."],
    }
    times = measure.medians(commands, tree, rounds)
    label = f"run --diff, {files} legacy files"
    return row(label, times["ours"], times["libcst"], "<= 4", "LibCST parse")


def starting(folder: Path, rounds: int) -> Row:
    """`--help` against importing click."""
    commands: dict[str, Sequence[str]] = {
        "ours": measure.tool("--help"),
        "click": [sys.executable, "-c", "import click"],
    }
    times = measure.medians(commands, folder, rounds * 4)
    return row("--help", times["ours"], times["click"], "<= 1.5", "import click")


def growth(folder: Path, rounds: int) -> list[Row]:
    """Twice the work costs at most twice the time: files, file size, findings in a file."""
    makers = {"files": _files, "size of a file": _size, "findings in a file": _findings}
    rows = []
    for name, make in makers.items():
        commands: dict[str, Sequence[str]] = {}
        for factor in (1, 2, 4, 8):
            tree = folder / name.replace(" ", "_") / str(factor)
            make(tree, factor)
            commands[str(factor)] = measure.tool("run", "--diff", "--jobs", "1", str(tree))
        times = measure.medians(commands, folder, rounds)
        # What any rewriting costs before the first file, imports above all.
        one = folder / name.replace(" ", "_") / "start"
        measure.legacy_tree(one, 1)
        only = {"one": measure.tool("run", "--diff", str(one))}
        base = measure.medians(only, folder, rounds)["one"]
        for times_more in ("2", "4", "8"):
            ours, peer = times[times_more] - base, times["1"] - base
            rows.append(row(f"{times_more}x {name}", ours, peer, f"about {times_more}", "1x"))
    return rows


def _files(tree: Path, factor: int) -> None:
    measure.legacy_tree(tree, 60 * factor)


def _size(tree: Path, factor: int) -> None:
    tree.mkdir(parents=True)
    filler = "\n\ndef plain_{0}(x):\n    return [y + {0} for y in x if y > {0}]\n"
    body = "".join(filler.format(number) for number in range(2000 * factor))
    head = "from agentlightning import Trainer\n\ntrainer = Trainer(n_workers=4)\n"
    (tree / "big.py").write_text(head + body)


def _findings(tree: Path, factor: int) -> None:
    tree.mkdir(parents=True)
    line = "trainer_{0} = Trainer(n_workers={0}, max_tasks=10)\n"
    body = "".join(line.format(number) for number in range(150 * factor))
    (tree / "many.py").write_text("from agentlightning import Trainer\n\n" + body)


def peers(folder: Path, venv: Path) -> list[Row]:
    """The tools that people use for such work today, one run each on the same tree."""
    binaries = measure.usable_peers(venv)
    tree = folder / "peers"
    measure.plain_tree(tree, 990)
    measure.legacy_tree(tree, 10)
    ours = min(measure.cpu_seconds(measure.tool("check", "."), tree) for _ in range(3))
    config = (
        "[tool.fixit]\nenable = ['fixit.rules:NoStaticIfCondition']\ndisable = ['fixit.rules']\n"
    )
    (tree / "pyproject.toml").write_text(config)
    rows = []
    commands = {
        "Fixit, one rule": [str(binaries / "fixit"), "lint", "."],
        "bump-pydantic --diff": [str(binaries / "bump-pydantic"), "--diff", "."],
    }
    for name, command in commands.items():
        theirs = measure.cpu_seconds(command, tree, accept=range(256))
        rows.append(row("check, 1000 files, 1 % legacy", ours, theirs, "<= 0.02", name))
    return rows


def main() -> None:
    """Run everything, print a table, write JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="agl-bench-"))
    try:
        rows = [
            nothing_legacy(folder, options.files, options.rounds),
            some_legacy(folder, options.files, options.rounds),
            rewriting(folder, 200, options.rounds),
            starting(folder, options.rounds),
            *growth(folder, options.rounds),
        ]
        if options.peers:
            rows += peers(folder, options.peers.absolute())
    finally:
        shutil.rmtree(folder)
    for line in rows:
        print("{measure:38} {ours_s:8} s {peer_s:8} s  {ratio:6}  ({bound}; {peer})".format(**line))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
