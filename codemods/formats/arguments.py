"""Arguments of Trainer beside the path that names it (`_target_`, `class_path`)."""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from operator import itemgetter

from codemods import api_map
from codemods.formats import json_text
from codemods.formats.page import Page, Spot
from codemods.legacy.command_lines import parameter
from codemods.names import known
from codemods.source import SourceError

Group = Mapping[str, tuple[int, int]]
"""The keys that stand side by side, by name, and where."""

_PATH = r"""["']?(?P<path>agentlightning(?:\.\w+)+)["']?"""
_NAMING = re.compile(
    rf"""(?P<key>["']?(?P<name>_target_|class_path)["']?)[ \t]*[:=][ \t]*{_PATH}(?![\w.])"""
)
_YAML_KEY = re.compile(r"""(?P<lead>[ \t]*(?:-[ \t]+)*)(?P<key>["']?[\w-]+["']?)[ \t]*:(?=\s|$)""")
_TOML_KEY = re.compile(r"""(?P<lead>[ \t]*)(?P<key>["']?[\w-]+["']?)[ \t]*[=:]""")
_FLOW_KEY = re.compile(r"""[{,]\s*(?P<key>["']?[\w-]+["']?)\s*[:=]""")
_LINE = re.compile(r"[^\r\n]*")


def arguments(page: Page, kind: str) -> Iterator[Spot]:
    """Keys of trainers that have another name, or no effect, in the store API."""
    if kind == "json":
        groups: Iterator[Group] = _in_json(page)
    elif kind in ("yaml", "environment"):
        groups = _in_text(page, _in_yaml)
    else:
        groups = _in_text(page, _in_table)
    for group in groups:
        yield from _judged(page, group)


def _judged(page: Page, group: Group) -> Iterator[Spot]:
    for name, span in group.items():
        advice = parameter(name)
        if advice is None or (advice.new is None and page.asked.options.server == "legacy"):
            continue
        reason, new = advice.reason, advice.new
        if new in group:
            reason, new = f"`{new}` is given as well; take the old key out", None
        yield Spot(*span, "AGL123", advice.message, new, reason, symbol=advice.symbol)


def _is_trainer(path: str) -> bool:
    row = api_map.load().lookup(path)
    return row is not None and row.path == known.TRAINER


def _in_json(page: Page) -> Iterator[Group]:
    try:
        root = json_text.read(page.shown, page.text)
    except SourceError:
        return  # with comments, or a template: its paths can be seen all the same
    for node in json_text.objects(root):
        for key in ("_target_", "class_path"):
            named = node.get(key)
            if named is None or not _is_trainer(named.string):
                continue
            given = node.get("init_args") if key == "class_path" else node
            if given is not None:
                yield {name: (at + 1, end - 1) for name, (at, end) in given.keys.items()}


def _in_text(page: Page, around: Callable[[str, re.Match[str]], Group]) -> Iterator[Group]:
    for found in _NAMING.finditer(page.text):
        if _is_trainer(found["path"]):
            flow = _flow(page.text, found)
            yield around(page.text, found) if flow is None else flow


def _flow(text: str, found: re.Match[str]) -> Group | None:
    """The keys of `{_target_: ..., n_workers: 8}`; None where the key stands in no braces."""
    start = text.rfind("{", 0, found.start())
    if start == -1 or "}" in text[start : found.start()]:
        return None
    before = text[start + 1 : found.start()]
    if "{" in before or before.rstrip()[-1:] not in ("", ","):
        return None
    end = text.find("}", found.end())
    inner = text[start : end if end != -1 else len(text)]
    if "{" in inner[1:] or "[" in inner:
        return {}
    return {_bare(key["key"]): _inside(key, start) for key in _FLOW_KEY.finditer(inner)}


def _bare(key: str) -> str:
    return key.strip("\"'")


def _inside(key: re.Match[str], offset: int) -> tuple[int, int]:
    """Where a key stands, without its quotes."""
    start, end = key.span("key")
    quoted = key["key"][0] in "\"'"
    return offset + start + quoted, offset + end - quoted


def _in_table(text: str, found: re.Match[str]) -> Group:
    """The keys of a TOML table or an INI section."""
    header = re.compile(r"^[ \t]*\[", re.MULTILINE)
    start = max((h.start() for h in header.finditer(text, 0, found.start())), default=0)
    behind = header.search(text, found.end())
    lines = _LINE.finditer(text, start, behind.start() if behind else len(text))
    keys = (_TOML_KEY.match(line[0]) and (line.start(), line[0]) for line in lines)
    return _named(_TOML_KEY, (key for key in keys if key))


def _named(pattern: re.Pattern[str], lines: Iterator[tuple[int, str]]) -> Group:
    group = {}
    for start, line in lines:
        key = pattern.match(line)
        if key is not None:
            group[_bare(key["key"])] = _inside(key, start)
    return group


@lru_cache(maxsize=1)
def _yaml_lines(text: str) -> list[tuple[int, str]]:
    """Start and text of each line that says something."""
    lines = [(line.start(), line[0]) for line in _LINE.finditer(text) if line[0].strip()]
    return [(at, line) for at, line in lines if not line.lstrip().startswith("#")]


def _in_yaml(text: str, found: re.Match[str]) -> Group:
    """The keys of the block mapping that the path stands in, or of its `init_args`."""
    lines = _yaml_lines(text)
    here = bisect.bisect_right(lines, found.start(), key=itemgetter(0)) - 1
    if here < 0 or found.start() >= lines[here][0] + len(lines[here][1]):
        return {}  # in a comment
    column = found.start("key") - lines[here][0]
    if _YAML_KEY.match(lines[here][1]) is None:
        return {}
    group = _named(_YAML_KEY, iter(_siblings(lines, here, column)))
    if found["name"] == "_target_":
        return group
    if "init_args" not in group:
        return {}
    below = bisect.bisect_right(lines, group["init_args"][0], key=itemgetter(0)) - 1
    if below + 1 == len(lines):
        return {}
    child = lines[below + 1][1]
    deeper = len(child) - len(child.lstrip())
    if deeper <= column:
        return {}
    return _named(_YAML_KEY, iter(_siblings(lines, below + 1, deeper)))


def _siblings(lines: list[tuple[int, str]], here: int, column: int) -> list[tuple[int, str]]:
    """The lines with keys of the same mapping: at the same column, with none further left."""
    first = here
    while first and not _is_item(lines[first][1], column):
        if _column(lines[first - 1][1]) < column and not _is_item(lines[first - 1][1], column):
            break
        first -= 1
    last = here + 1
    while last < len(lines) and _indent(lines[last][1]) >= column:
        last += 1
    return [(at, line) for at, line in lines[first:last] if _column(line) == column]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _column(line: str) -> int:
    """Where the key of a line begins, behind the dashes of a list."""
    key = _YAML_KEY.match(line)
    return len(key["lead"]) if key is not None else _indent(line)


def _is_item(line: str, column: int) -> bool:
    """Whether a line begins an item of a list whose keys stand at a column."""
    return line.lstrip().startswith("- ") and _column(line) == column
