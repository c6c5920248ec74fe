"""AGL124 in `pyproject.toml` and `Pipfile`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codemods.formats.page import Page, Spot
from codemods.formats.pins import (
    CODE,
    SYMBOL,
    TABLE,
    advised,
    from_source,
    lines,
    needs_runtime,
    newline,
    requirement,
)
from codemods.legacy.pins import RUNTIME, judge, lost_extras

_TOML_KEY = re.compile(r"\s*([\w.\"'-]+)\s*=(?!=)")
_QUOTED = re.compile(r"""(["'])(agentlightning(?![\w.-]).*?)\1""")
_OWN_KEY = re.compile(r"""\s*["']?agentlightning["']?\s*=(?!=)\s*(?P<value>.*)""")
_VERSION_VALUE = re.compile(
    r"""version\s*=\s*(["'])(?P<version>[^"']*)\1|^(["'])(?P<bare>[^"']*)\3"""
)
_EXTRAS_VALUE = re.compile(r"extras\s*=\s*(?P<names>\[[^\]]*\])")


def toml(page: Page) -> None:
    """`pyproject.toml` and `Pipfile`: lists of requirements, and tables with a key a package."""
    table = key = ""
    for start, line in lines(page):
        header = TABLE.match(line)
        if header is not None:
            table, key = header[1].replace('"', ""), ""
            continue
        named = _TOML_KEY.match(line)
        if named is not None:
            key = named[1]
        if not _lists_packages(table, key):
            continue
        own = _OWN_KEY.match(line)
        if own is not None:
            page.add(_keyed(page, start, own))
        elif table.endswith(".agentlightning"):
            page.add(_sub_table(page, start, line, key) if named is not None else ())
        else:
            for item in _QUOTED.finditer(line):
                behind, at = _next_item(page, line, item)
                where = None if at is None else start + at
                page.add(requirement(page, start + item.start(2), item[2], behind, where))


def _next_item(page: Page, line: str, item: re.Match[str]) -> tuple[str, int | None]:
    """What adds an item behind this one, and where in the line; `None` is right behind it."""
    quote, indent = item[1], line[: item.start()]
    if indent.strip():
        # In front of the closing quote, which then closes the new item.
        return f"{quote}, {quote}{{}}", None
    end = newline(page)
    if re.fullmatch(r"\s*,\s*(?:#.*)?", line[item.end() :]):
        return f"{end}{indent}{quote}{{}}{quote},", len(line)
    return f"{quote},{end}{indent}{quote}{{}}", None


def _lists_packages(table: str, key: str) -> bool:
    where = f"{table}.{key}"
    if table.endswith("uv.sources"):
        return key == "agentlightning"
    return "dependenc" in where or key == "requires" or table.endswith("packages")


def _keyed(page: Page, start: int, own: re.Match[str]) -> Iterator[Spot]:
    value, at = own["value"], start + own.start("value")
    end = start + len(own[0].rstrip())
    if re.match(r"\{.*\b(?:git|path|url)\s*=", value):
        yield from_source(at, value.rstrip())
        return
    if page.asked.options.target != "agentlightning":
        message = f"the code imports {page.asked.options.target}, so it needs {RUNTIME}"
        reason = f"require {RUNTIME} in its place"
        yield Spot(start, end, CODE, message, reason=reason, symbol=SYMBOL)
        return
    yield from _keyed_value(page, at, value)
    yield from _keyed_extras(at, value)
    if needs_runtime(page):
        message = f"the rewritten code calls helpers of {RUNTIME}"
        new = f'{newline(page)}{RUNTIME} = "*"'
        yield Spot(start, end, CODE, message, new, symbol=SYMBOL, at=end)


def _keyed_value(page: Page, start: int, value: str) -> Iterator[Spot]:
    lead = len(value) - len(value.lstrip())
    for found in _VERSION_VALUE.finditer(value[lead:]):
        group = "version" if found["version"] is not None else "bare"
        change = judge(found[group])
        if change is not None:
            change = advised(page, change)
            at = start + lead + found.start(group)
            end = start + lead + found.end(group)
            yield Spot(at, end, CODE, change.message, change.spec, change.reason, symbol=SYMBOL)


def _keyed_extras(start: int, value: str) -> Iterator[Spot]:
    found = _EXTRAS_VALUE.search(value)
    lost = lost_extras(re.sub("[\"']", "", found["names"])) if found is not None else []
    if found is not None and lost:
        message = f"agentlightning 0.3.0 has no extra {', '.join(lost)}"
        reason = "list the packages that it stood for as requirements of your own"
        at, end = start + found.start("names"), start + found.end("names")
        yield Spot(at, end, CODE, message, reason=reason, symbol=SYMBOL)


def _sub_table(page: Page, start: int, line: str, key: str) -> Iterator[Spot]:
    """A line of a table that is about the package alone (`[….dependencies.agentlightning]`)."""
    at = start + line.index("=") + 1
    value = line[line.index("=") + 1 :]
    if key == "version":
        yield from _keyed_value(page, at, value)
    elif key == "extras":
        yield from _keyed_extras(start, line)
    elif key in ("git", "path", "url"):
        yield from_source(at, value.rstrip())
    if key == "version" and needs_runtime(page):
        message = f"the rewritten code calls helpers of {RUNTIME}"
        reason = f"require {RUNTIME} as well"
        yield Spot(start, start + len(line), CODE, message, reason=reason, symbol=SYMBOL)
