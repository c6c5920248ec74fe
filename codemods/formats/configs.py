"""AGL123: dotted paths and arguments in YAML, JSON, TOML and INI files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codemods import api_map
from codemods.formats.arguments import arguments
from codemods.formats.page import Page, Spot
from codemods.legacy.counterpart import counterpart
from codemods.legacy.dotted import Target, Use, Verdict, judge, judge_reference

CODE = "AGL123"
_VALUE = re.compile(
    r"""(?<![^\s"'=:\[{,(])(?P<path>agentlightning(?:\.[A-Za-z_]\w*)+(?::[A-Za-z_][\w.]*)?)"""
    r"""(?P<after>["'`]?[ \t]*(?:[\]},:=#;)\\]|\r|\n|$)|["'`]?[ \t]+)"""
)
_RUN = re.compile(r"(?:^|\s|[\"'])-m[\"',\s]+$")
_KEY = re.compile(r"""["']?\s*:(?:\s|$)""")
_COMMENTS = {
    "shell": "#",
    "yaml": "#",
    "environment": "#",
    "toml": "#",
    "pyproject": "#",
    "ini": "#;",
}


def config(page: Page, kind: str) -> None:
    """Report, and where it is certain rewrite, what a configuration says of agentlightning."""
    if kind != "shell":
        page.add(arguments(page, kind))
    for found in _VALUE.finditer(page.text):
        line = page.text[page.start_of(page.position(found.start())[0]) : found.start()]
        if not _is_comment(line, _COMMENTS.get(kind, "")):
            page.add(_path(page, found, line))


def _is_comment(before: str, marks: str) -> bool:
    """Whether a place is behind the sign of a comment, by what stands before it on its line."""
    if before.lstrip()[:1] in (*marks, "//") and before.strip():
        return True
    return any(
        re.search(rf"(?:^|\s){mark}", before) and not _in_quotes(before) for mark in marks[:1]
    )


def _in_quotes(before: str) -> bool:
    return any(before.count(quote) % 2 for quote in "\"'")


def _path(page: Page, found: re.Match[str], before: str) -> Iterator[Spot]:
    path, after = found["path"], found["after"]
    target = page.asked.options.target
    if _RUN.search(before):
        return  # AGL126 knows what running it means
    is_key = ":" not in path and _KEY.match(after + " ") is not None
    verdict = _verdict(path, is_key, target)
    if verdict is None:
        return
    new, reason = verdict.new, verdict.reason
    if not _is_whole(before, after):
        reason = reason or f"it stands in a longer text; write {new} there"
        new = None
    yield Spot(
        *found.span("path"),
        CODE,
        verdict.message,
        new,
        reason,
        verdict.applicability,
        symbol=verdict.path,
    )


def _verdict(path: str, is_key: bool, target: Target) -> Verdict | None:
    """What has to happen to a path; a key is a module, for which a logger is called."""
    row = api_map.load().lookup(path)
    if row is not None and row.kind in ("attribute", "parameter"):
        return None  # both APIs may have one of that name
    dotted = path.replace(":", ".")
    verdict = judge_reference(path, target) if ":" in path else judge(path, target, _use(is_key))
    if verdict is not None or target == "agentlightning":
        return verdict
    message = f"`{path}` is a path into agentlightning"
    new = counterpart(dotted)
    if is_key:
        return Verdict(path, None, message, f"loggers of {target} are called after its modules")
    if new is None:
        return Verdict(path, None, message, f"{target} has no such thing")
    if ":" in path:
        new = ":".join(new.rsplit(".", 1))
    return Verdict(path, new, message, "", "review")


def _use(is_key: bool) -> Use:
    return "module" if is_key else "data"


def _is_whole(before: str, after: str) -> bool:
    """Whether a path is a value by itself, by what stands around it on its line."""
    start = before.rstrip().rstrip("\"'").rstrip()
    if start.lstrip(" \t->") and start[-1] not in "-:=[{,(":
        return False
    if before[-1:] in ("'", '"') and after[:1] != before[-1]:
        return False
    return after.strip("\"'` \t") != "" or after[-1:] in ("", "\r", "\n", "'", '"') or "=" in start
