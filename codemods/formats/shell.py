"""AGL124, AGL125 and AGL126 in commands: scripts, Makefiles, CI files, blocks of documents."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codemods.formats.page import Page, Spot
from codemods.legacy.command_lines import FLAG, MODULE, Advice, flag, module_command
from codemods.legacy.pins import REQUIREMENT, RUNTIME, judge, lost_extras

_TOOL = re.compile(r"(?<![\w./-])agl[ \t]+agentops(?![\w-])")
_INSTALL = re.compile(
    r"""(?:\bpip[\d.]*|\buv(?:[ \t]+pip|[ \t]+tool)?|\bpoetry|\bpdm|\bpipx)[ \t"',]+"""
    r"(?:install|add)\b"
    r"(?P<rest>(?:[^\r\n;&|\\`]|\\(?:\r\n|\r|\n)|\\)*)"
)
_WORD = re.compile(
    r"""(?<![\w./=:@-])(?P<quote>["']{0,2})(?P<need>agentlightning(?![\w./-])(?:\[[^\]\s]*\])?"""
    r"""(?:\s*[=<>!~][^"'\s]*)?)(?P=quote)(?=[\s"'`)\]]|$)"""
)
_OURS = re.compile(r"agent[-_]?lightning|\bagl\b", re.IGNORECASE)
_SYMBOL = "agentlightning"


def shell(page: Page, *, in_prose: bool = False) -> None:
    """Flags, modules that are run and packages that are installed.

    In prose nothing is changed.
    """
    page.add(_commands(page))
    page.add(_flags(page, in_prose))
    for spot in _installs(page):
        page.add([_for_a_person(spot) if in_prose else spot])


def _for_a_person(spot: Spot) -> Spot:
    if spot.new is None:
        return spot
    return spot._replace(new=None, reason=f"write {spot.new}")


def _flags(page: Page, in_prose: bool) -> Iterator[Spot]:
    for found in FLAG.finditer(page.text):
        advice = flag(found["section"], found["name"])
        if advice is None or not _is_ours(page):
            continue
        if advice.new is None and page.asked.options.server == "legacy":
            continue  # `fit_v0` stays, which heeds it
        reason, new = advice.reason, advice.new
        if new is not None and in_prose:
            reason, new = f"write {new}", None
        elif new is not None and not _has_command_line(page):
            reason = f"nothing shows that lightning_cli reads it; if it does, write {new}"
            new = None
        yield _spot(found.span(), "AGL125", advice, new, reason)


def _is_ours(page: Page) -> bool:
    """Whether the file, or the project, has to do with agentlightning at all."""
    return bool(page.asked.project.modules) or _names_it(page)


def _has_command_line(page: Page) -> bool:
    """Whether the file names agentlightning, or the project has a `lightning_cli`."""
    modules = page.asked.project.modules.values()
    return _names_it(page) or any("lightning_cli" in module.text for module in modules)


def _names_it(page: Page) -> bool:
    return _OURS.search(page.whole) is not None


def _commands(page: Page) -> Iterator[Spot]:
    server = page.asked.options.server
    found = [(run.span("path"), run["path"]) for run in MODULE.finditer(page.text)]
    found += [
        (tool.span(), "agentlightning.cli.agentops_server") for tool in _TOOL.finditer(page.text)
    ]
    for span, path in found:
        advice = module_command(path, server)
        if advice is not None:
            yield _spot(span, "AGL126", advice, None, advice.reason)


def _spot(span: tuple[int, int], code: str, advice: Advice, new: str | None, reason: str) -> Spot:
    return Spot(*span, code, advice.message, new, reason, "safe", symbol=advice.symbol)


def _installs(page: Page) -> Iterator[Spot]:
    for command in _INSTALL.finditer(page.text):
        base = command.start("rest")
        for word in _WORD.finditer(command["rest"]):
            yield from _installed(page, base, word)


def _installed(page: Page, base: int, word: re.Match[str]) -> Iterator[Spot]:
    start, end = base + word.start("need"), base + word.end("need")
    found = REQUIREMENT.fullmatch(word["need"])
    target = page.asked.options.target
    if found is None:
        return
    extras = found["extras"] or ""
    change = judge(found["spec"] or "", target)
    if lost := lost_extras(extras):
        message = f"agentlightning 0.3.0 has no extra {', '.join(lost)}"
        reason = "install the packages that it stood for by name"
        yield Spot(start, end, "AGL124", message, reason=reason, symbol=_SYMBOL)
        return
    if change is None:
        return
    spec = change.spec
    wanted = f"agentlightning{extras}{spec}" if target == "agentlightning" else RUNTIME
    new: str | None = wanted
    reason = change.reason
    if spec is None or (extras and target != "agentlightning"):
        new = None
    elif not word["quote"] and wanted != RUNTIME:
        # In a shell `<` and `>` need quotes; a notebook keeps its text in double ones.
        quote = "'" if page.shown.endswith(".ipynb") else '"'
        new = f"{quote}{wanted}{quote}"
    if new is not None and _is_quoted_around(page, base + word.start()):
        new = None
    if new is None:
        reason = reason or f"install {wanted}, quoted as it has to be here"
    yield Spot(start, end, "AGL124", change.message, new, reason, symbol=_SYMBOL)


def _is_quoted_around(page: Page, start: int) -> bool:
    """Whether the command itself is a string of something else."""
    before = page.text[page.start_of(page.position(start)[0]) : start]
    return any(before.count(quote) % 2 for quote in "\"'")
