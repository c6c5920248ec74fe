"""AGL124 in files that list requirements."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

from codemods.formats.page import Page, Spot
from codemods.legacy.pins import (
    BESIDE,
    PINNED,
    REQUIREMENT,
    RUNTIME,
    Change,
    bounds_telemetry,
    judge,
    lost_extras,
)

CODE = "AGL124"
SYMBOL = "agentlightning"
TABLE = re.compile(r"\s*\[+\s*([^\]\r\n]+?)\s*\]+\s*(?:#.*)?$")
_LIST_LINE = re.compile(r"\s*(?:[\w{},!-]+:\s*)?(agentlightning(?![\w.-]).*?)\s*$", re.DOTALL)
_INI_KEY = re.compile(r"([\w.-]+)\s*[=:]\s*")
_YAML_ITEM = re.compile(r"""\s*-\s*(["']?)(agentlightning(?![\w.-])[^"'\r\n]*?)\1\s*(?:#.*)?$""")
_YAML_ENTRY = re.compile(
    r"""(?:-[ \t]+|(?P<flow>[\[,])[ \t]*)(?P<quote>["']?)"""
    r"""(?P<need>agentlightning(?:\[[^\]\r\n]*\])?[ \t]*(?:[=~!]=|[<>])"""
    r"""[^"'#\]\r\n,]*(?:,[ \t]*[<>=!~][^"'#\]\r\n,]*)*)"""
)
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
            yield Spot(start, end, CODE, message, reason=reason, symbol=SYMBOL)
        return
    extras = found["extras"] or ""
    if lost := lost_extras(extras):
        names = ", ".join(lost)
        at = start + found.start("extras")
        message = f"agentlightning 0.3.0 has no extra {names}"
        reason = "list the packages that it stood for as requirements of your own"
        yield Spot(at, at + len(extras), CODE, message, reason=reason, symbol=SYMBOL)
    if change is not None:
        yield _changed(start, found, advised(page, change), target)
    if sibling and needs_runtime(page):
        message = f"the rewritten code calls helpers of {RUNTIME}"
        new = sibling.format(RUNTIME)
        place = end if at is None else at
        yield Spot(start, end, CODE, message, new, symbol=SYMBOL, at=place)


def advised(page: Page, change: Change) -> Change:
    """A change with what else has to be required, said once a file."""
    fits = change.spec is None or change.reason or page.asked.options.target != "agentlightning"
    if fits or bounds_telemetry(page.whole) or not page.is_first(BESIDE):
        return change
    return change._replace(reason=BESIDE)


def needs_runtime(page: Page) -> bool:
    """Whether a list lacks the runtime that rewritten code calls; asked once a file."""
    asked = page.asked
    if "constraint" in os.path.basename(page.shown):
        return False  # it says which release, not that there is to be one
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
        return Spot(start, end, CODE, change.message, new, reason, symbol=SYMBOL)
    if spec:
        return Spot(at, end, CODE, change.message, change.spec, change.reason, symbol=SYMBOL)
    behind = start + found.end("extras") if found["extras"] else name_end
    return Spot(
        start,
        name_end,
        CODE,
        change.message,
        change.spec,
        change.reason,
        symbol=SYMBOL,
        at=behind,
    )


def requirement_lines(page: Page) -> None:
    """`requirements.txt`, constraints and the like: one requirement a line, `\\` continues it."""
    for start, line in lines(page, joined=True):
        source = _SOURCE.match(line)
        if source is not None:
            page.add([from_source(start + source.start(1), source[1])])
            continue
        item = _LIST_LINE.match(line)
        if item is not None:
            page.add(requirement(page, start + item.start(1), item[1], newline(page) + "{}"))


def from_source(start: int, url: str) -> Spot:
    """A requirement that names a repository or a file."""
    return Spot(
        start,
        start + len(url),
        CODE,
        "agentlightning is required by a place of its own",
        reason=f"it has to say agentlightning{PINNED}, or a tag of 0.3",
        symbol=SYMBOL,
    )


def newline(page: Page) -> str:
    """What the lines of a file end in."""
    return "\r\n" if "\r\n" in page.text else "\n"


def ini(page: Page) -> None:
    """`setup.cfg` and `tox.ini`: lines below a key that lists requirements."""
    section = key = ""
    for start, line in lines(page):
        header = TABLE.match(line)
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
            page.add(
                requirement(page, start + item.start(1), item[1], f"{newline(page)}{indent}{{}}")
            )


def yaml(page: Page) -> None:
    """`environment.yml`: items of a list, those of pip with `==`, those of conda with `=`."""
    for start, line in lines(page):
        item = _YAML_ITEM.match(line)
        if item is None:
            continue
        at = start + item.start(2)
        if re.match(r"agentlightning\s*=[^=]", item[2]):
            message = "this lets in releases from before the API of 0.3"
            reason = f"conda has no agentlightning: list agentlightning{PINNED} below `pip:`"
            page.add([Spot(at, at + len(item[2]), CODE, message, reason=reason, symbol=SYMBOL)])
        else:
            indent = line[: item.start(2) - len(item[1])]
            sibling = f"{newline(page)}{indent}{item[1]}{{}}{item[1]}"
            page.add(requirement(page, at, item[2], sibling, start + len(line.rstrip())))


def yaml_lists(page: Page) -> None:
    """Any other YAML: items of lists that say which releases, and are nothing else therefore."""
    for found in _YAML_ENTRY.finditer(page.text):
        spots = requirement(page, found.start("need"), found["need"])
        page.add(map(_unquoted, spots) if found["flow"] and not found["quote"] else spots)


def _unquoted(spot: Spot) -> Spot:
    """A requirement whose comma would end it as the item of a list in brackets."""
    if spot.new is None:
        return spot
    return spot._replace(new=None, reason=f'write "agentlightning{PINNED}", in quotes')


def lock(page: Page) -> None:
    """Lock files: what a tool writes is not edited, but has to be written again."""
    found = _LOCKED.search(page.text)
    if found is None or re.search(r"[^\d.]0\.3\.", page.text[found.end() : found.end() + 200]):
        return
    message = "the lock file holds an agentlightning that does not fit"
    reason = "lock again after the requirement is changed"
    page.add([Spot(*found.span(), CODE, message, reason=reason, symbol=SYMBOL)])


def lines(page: Page, *, joined: bool = False) -> Iterator[tuple[int, str]]:
    """Start and text of each line, with those that a `\\` at the end continues if `joined`."""
    pattern = r"(?:[^\r\n\\]|\\(?:\r\n|\r|\n)|\\)+" if joined else r"[^\r\n]+"
    for found in re.finditer(pattern, page.text):
        yield found.start(), found[0]


LISTS: dict[str, Callable[[Page], None]] = {
    "requirements": requirement_lines,
    "ini": ini,
    "environment": yaml,
    "yaml": yaml_lists,
    "lock": lock,
}
