"""AGL124 in files that list requirements."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from codemods.formats.page import Page, Spot
from codemods.legacy.pins import PINNED, REQUIREMENT, RUNTIME, Change, judge, lost_extras

CODE = "AGL124"
_SYMBOL = "agentlightning"
_TABLE = re.compile(r"\s*\[+\s*([^\]\r\n]+?)\s*\]+\s*(?:#.*)?$")
_TOML_KEY = re.compile(r"\s*([\w.\"'-]+)\s*=(?!=)")
_QUOTED = re.compile(r"""(["'])(agentlightning(?![\w.-]).*?)\1""")
_OWN_KEY = re.compile(r"""\s*["']?agentlightning["']?\s*=(?!=)\s*(?P<value>.*)""")
_VERSION_VALUE = re.compile(
    r"""version\s*=\s*(["'])(?P<version>[^"']*)\1|^(["'])(?P<bare>[^"']*)\3"""
)
_LIST_LINE = re.compile(r"\s*(agentlightning(?![\w.-]).*?)\s*$", re.DOTALL)
_INI_KEY = re.compile(r"([\w.-]+)\s*[=:]\s*")
_YAML_ITEM = re.compile(r"""\s*-\s*(["']?)(agentlightning(?![\w.-])[^"'\r\n]*?)\1\s*(?:#.*)?$""")
_SOURCE = re.compile(r"\s*(?:-e\s+)?((?:git\+|https?://|ssh://)\S*agent-?lightning\S*)")
_LOCKED = re.compile(
    r"""name\s*[=:]\s*"agentlightning"|"agentlightning"\s*:|- agentlightning[ =@]"""
)


def requirement(
    page: Page, start: int, text: str, sibling: str = "", at: int | None = None
) -> Iterator[Spot]:
    """What is wrong with one requirement at `start`.

    `sibling` is the text to write behind it, or at `at`, for one more requirement, with `{}` in
    its place.
    """
    found = REQUIREMENT.fullmatch(text)
    if found is None:
        return
    end = start + len(text.rstrip())
    rest = found["rest"].strip()
    target = page.asked.options.target
    change = judge(found["spec"] or "", target)
    if rest.startswith("@") or "--hash" in rest:
        reason = f"it has to say agentlightning{PINNED}"
        what = "a place of its own" if rest.startswith("@") else "hashes"
        if change is not None or rest.startswith("@"):
            message = f"agentlightning is required by {what}"
            yield Spot(start, end, CODE, message, reason=reason, symbol=_SYMBOL)
        return
    extras = found["extras"] or ""
    if lost := lost_extras(extras):
        names = ", ".join(lost)
        at = start + found.start("extras")
        message = f"agentlightning 0.3.0 has no extra {names}"
        reason = "list the packages that it stood for as requirements of your own"
        yield Spot(at, at + len(extras), CODE, message, reason=reason, symbol=_SYMBOL)
    if change is not None:
        yield _changed(start, found, change, target)
    if sibling and _needs_runtime(page):
        message = f"the rewritten code calls helpers of {RUNTIME}"
        new = sibling.format(RUNTIME)
        place = end if at is None else at
        yield Spot(start, end, CODE, message, new, symbol=_SYMBOL, at=place)


def _needs_runtime(page: Page) -> bool:
    asked = page.asked
    wanted = asked.runtime and asked.options.target == "agentlightning"
    return wanted and RUNTIME not in page.text and page.is_first(RUNTIME)


def _changed(start: int, found: re.Match[str], change: Change, target: str) -> Spot:
    name_end = start + found.end("name")
    spec = found["spec"] or ""
    at = start + found.start("spec") + len(spec) - len(spec.lstrip()) if spec else name_end
    end = start + found.start("spec") + len(spec.rstrip()) if spec else name_end
    if target != "agentlightning":
        new = None if found["extras"] else RUNTIME
        reason = "say which extras of it are still wanted" if found["extras"] else ""
        return Spot(start, end, CODE, change.message, new, reason, symbol=_SYMBOL)
    if spec:
        return Spot(at, end, CODE, change.message, change.spec, change.reason, symbol=_SYMBOL)
    behind = start + found.end("extras") if found["extras"] else name_end
    return Spot(start, name_end, CODE, change.message, change.spec, symbol=_SYMBOL, at=behind)


def requirement_lines(page: Page) -> None:
    """`requirements.txt`, constraints and the like: one requirement a line, `\\` continues it."""
    for start, line in _lines(page, joined=True):
        source = _SOURCE.match(line)
        if source is not None:
            page.add([_from_source(start + source.start(1), source[1])])
            continue
        item = _LIST_LINE.match(line)
        if item is not None:
            newline = "\r\n" if "\r\n" in page.text else "\n"
            page.add(requirement(page, start + item.start(1), item[1], newline + "{}"))


def _from_source(start: int, url: str) -> Spot:
    return Spot(
        start,
        start + len(url),
        CODE,
        "agentlightning is required by a place of its own",
        reason=f"it has to say agentlightning{PINNED}, or a tag of 0.3",
        symbol=_SYMBOL,
    )


def toml(page: Page) -> None:
    """`pyproject.toml` and `Pipfile`: lists of requirements, and tables with a key a package."""
    table = key = ""
    for start, line in _lines(page):
        header = _TABLE.match(line)
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
        elif table.endswith(".agentlightning") and key == "version":
            page.add(_keyed_value(start + line.index("=") + 1, line[line.index("=") + 1 :]))
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
    newline = "\r\n" if "\r\n" in page.text else "\n"
    if re.fullmatch(r"\s*,\s*(?:#.*)?", line[item.end() :]):
        return f"{newline}{indent}{quote}{{}}{quote},", len(line)
    return f"{quote},{newline}{indent}{quote}{{}}", None


def _lists_packages(table: str, key: str) -> bool:
    where = f"{table}.{key}"
    return "dependenc" in where or key == "requires" or table.endswith("packages")


def _keyed(page: Page, start: int, own: re.Match[str]) -> Iterator[Spot]:
    value, at = own["value"], start + own.start("value")
    if re.match(r"\{.*\b(?:git|path|url)\s*=", value):
        yield _from_source(at, value.rstrip())
        return
    if page.asked.options.target != "agentlightning":
        message = f"the code imports {page.asked.options.target}, so it needs {RUNTIME}"
        end = start + len(own[0].rstrip())
        reason = f"require {RUNTIME} in its place"
        yield Spot(start, end, CODE, message, reason=reason, symbol=_SYMBOL)
        return
    yield from _keyed_value(at, value)
    if _needs_runtime(page):
        newline = "\r\n" if "\r\n" in page.text else "\n"
        message = f"the rewritten code calls helpers of {RUNTIME}"
        end = start + len(own[0].rstrip())
        new = f'{newline}{RUNTIME} = "*"'
        yield Spot(start, end, CODE, message, new, symbol=_SYMBOL, at=end)


def _keyed_value(start: int, value: str) -> Iterator[Spot]:
    lead = len(value) - len(value.lstrip())
    found = _VERSION_VALUE.search(value[lead:])
    if found is None:
        return
    group = "version" if found["version"] is not None else "bare"
    change = judge(found[group])
    if change is not None:
        at = start + lead + found.start(group)
        end = start + lead + found.end(group)
        yield Spot(at, end, CODE, change.message, change.spec, change.reason, symbol=_SYMBOL)


def ini(page: Page) -> None:
    """`setup.cfg` and `tox.ini`: lines below a key that lists requirements."""
    section = key = ""
    for start, line in _lines(page):
        header = _TABLE.match(line)
        if header is not None:
            section, key = header[1], ""
            continue
        named = _INI_KEY.match(line)
        if named is not None:
            key = named[1]
        listed = section.endswith("extras_require") or "requires" in key or key == "deps"
        item = _LIST_LINE.match(line, named.end() if named else 0)
        if listed and item is not None:
            indent = line[: item.start(1)] if not named else "    "
            page.add(requirement(page, start + item.start(1), item[1], f"\n{indent}{{}}"))


def yaml(page: Page) -> None:
    """`environment.yml`: items of a list, those of pip with `==`, those of conda with `=`."""
    for start, line in _lines(page):
        item = _YAML_ITEM.match(line)
        if item is None:
            continue
        at = start + item.start(2)
        if re.match(r"agentlightning\s*=[^=]", item[2]):
            message = "this lets in releases from before the API of 0.3"
            reason = f"conda has no agentlightning: list agentlightning{PINNED} below `pip:`"
            page.add([Spot(at, at + len(item[2]), CODE, message, reason=reason, symbol=_SYMBOL)])
        else:
            indent = line[: item.start(2) - len(item[1])]
            page.add(requirement(page, at, item[2], f"{item[1]}\n{indent}{item[1]}{{}}"))


def lock(page: Page) -> None:
    """Lock files: what a tool writes is not edited, but has to be written again."""
    found = _LOCKED.search(page.text)
    if found is None or re.search(r"[^\d.]0\.3\.", page.text[found.end() : found.end() + 200]):
        return
    message = "the lock file holds an agentlightning that does not fit"
    reason = "lock again after the requirement is changed"
    page.add([Spot(*found.span(), CODE, message, reason=reason, symbol=_SYMBOL)])


def _lines(page: Page, *, joined: bool = False) -> Iterator[tuple[int, str]]:
    """Start and text of each line, with those that a `\\` at the end continues if `joined`."""
    pattern = r"(?:[^\r\n\\]|\\(?:\r\n|\r|\n)|\\)+" if joined else r"[^\r\n]+"
    for found in re.finditer(pattern, page.text):
        yield found.start(), found[0]


PIN_SCANNERS: dict[str, Callable[[Page], None]] = {
    "requirements": requirement_lines,
    "pyproject": toml,
    "ini": ini,
    "environment": yaml,
    "lock": lock,
}
