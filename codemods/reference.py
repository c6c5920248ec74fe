"""The generated parts of MIGRATION.md: rules, the legacy API, and differences of the runtime.

`python -m codemods.reference FILE` writes it between the markers of FILE; with `--check` it only
says (exit 1) whether what stands there is out of date.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from codemods import api_map
from codemods.registry import all_rules
from codemods.rule import Rule

if TYPE_CHECKING:
    from codemods.api_map.symbol import Symbol

BEGIN = "<!-- generated: {name} -->"
END = "<!-- end of generated: {name} -->"

# Read as a file: the codemods must work without importing the runtime.
_DIFFERENCES = Path(__file__).parents[1] / "agentlightning_compat" / "differences.toml"
_AREAS = (
    "store",
    "runner",
    "agent",
    "tracer",
    "emitter",
    "adapter",
    "trainer",
    "http",
    "legacy",
)
_COLUMNS = ("name", "real", "ours", "reason")

_PARTS = (
    ("Modules", ("module",)),
    ("Names", ("class", "function", "constant", "type")),
    ("Methods and attributes", ("method", "attribute")),
    ("Parameters", ("parameter",)),
)


class MarkerError(ValueError):
    """A file without the marker lines that say where a generated part goes."""


def rules_page(rules: Iterable[Rule]) -> str:
    """One section a rule, after a table of all."""
    listed = list(rules)
    lines = ["| code | what | rewrite |", "|---|---|---|"]
    for rule in listed:
        anchor = rule.code.lower()
        lines.append(f"| [{rule.code}](#{anchor}) | {rule.title} | {rule.applicability} |")
    for rule in listed:
        lines += ["", f"#### {rule.code}", "", f"**{rule.title}** ({rule.applicability})", ""]
        lines += [rule.why, "", *_code("before", rule.before), *_code("after", rule.after)]
    return "\n".join(lines)


def _code(label: str, text: str) -> Iterator[str]:
    if text.startswith("("):
        yield f"*{label}:* {text}"
        return
    yield from ("```python", f"# {label}", *text.split("\n"), "```")


def api_page(symbols: Iterable[Symbol]) -> str:
    """Tables of the legacy names that changed, by kind."""
    rows = [s for s in symbols if not s.foreign and (s.change != "same" or s.successor)]
    lines: list[str] = []
    for title, kinds in _PARTS:
        chosen = sorted((s for s in rows if s.kind in kinds), key=lambda s: s.path)
        lines += ["", f"#### {title}", "", "| legacy | in 0.3.0 | rewrite | advice |"]
        lines += ["|---|---|---|---|", *(_row(symbol) for symbol in chosen)]
    return "\n".join(lines[1:])


def _row(symbol: Symbol) -> str:
    now = symbol.successor or symbol.replacement["agentlightning"]
    shown = f"`{now}`" if now else "none"
    cells = (f"`{symbol.path}`", shown, symbol.applicability, symbol.advice)
    return _cells(cells)


def differences() -> list[dict[str, str]]:
    """The rows of `agentlightning_compat/differences.toml`.

    Raises:
        ValueError: a row has other fields than the rest, an unknown area, or a name used before.
    """
    tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    text = _DIFFERENCES.read_text(encoding="utf-8")
    rows: list[dict[str, str]] = tomllib.loads(text)["difference"]
    seen: set[str] = set()
    for row in rows:
        if set(row) != {"area", *_COLUMNS} or row["area"] not in _AREAS or row["name"] in seen:
            raise ValueError(f"{_DIFFERENCES.name}: this row is not like the others: {row}")
        seen.add(row["name"])
    return rows


def differences_page(rows: Iterable[dict[str, str]]) -> str:
    """A table an area, in the order of the file."""
    listed = list(rows)
    lines: list[str] = []
    for area in _AREAS:
        chosen = [row for row in listed if row["area"] == area]
        if chosen:
            lines += ["", f"#### {area.upper() if area == 'http' else area.capitalize()}", ""]
            lines += ["| name | agentlightning 0.3.0 | here | why |", "|---|---|---|---|"]
            lines += [_cells(row[column] for column in _COLUMNS) for row in chosen]
    return "\n".join(lines[1:])


def _cells(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def rendered(text: str) -> str:
    """`text` with every generated part as it has to be now.

    Raises:
        MarkerError: a pair of marker lines is missing.
    """
    parts = {
        "rules": rules_page(all_rules()),
        "api": api_page(api_map.load().symbols),
        "differences": differences_page(differences()),
    }
    for name, body in parts.items():
        begin, end = BEGIN.format(name=name), END.format(name=name)
        head, found, rest = text.partition(begin)
        _, closed, tail = rest.partition(end)
        if not found or not closed:
            raise MarkerError(f"the lines {begin!r} and {end!r} have to stand in the file")
        text = f"{head}{begin}\n\n{body}\n\n{end}{tail}"
    return text


def main(arguments: list[str]) -> int:
    """Write or check the files named; 1 if one is (or was) out of date under `--check`."""
    check = "--check" in arguments
    stale = 0
    for name in arguments:
        if name == "--check":
            continue
        path = Path(name)
        old = path.read_text(encoding="utf-8")
        new = rendered(old)
        if new != old and check:
            print(f"{name}: out of date; run python -m codemods.reference {name}", file=sys.stderr)
            stale = 1
        elif new != old:
            path.write_text(new, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
