"""Which scanners look at which kind of file."""

from __future__ import annotations

from codemods.finding import Finding
from codemods.formats.asked import Asked
from codemods.formats.configs import config
from codemods.formats.document import markdown, rst
from codemods.formats.notebook import notebook
from codemods.formats.page import Page
from codemods.formats.pins import LISTS
from codemods.formats.prose import prose
from codemods.formats.shell import shell
from codemods.formats.toml_pins import toml
from codemods.formats.toml_text import require_toml
from codemods.source import decode
from codemods.suppress import skips_file

_TOML = ("pyproject", "toml")
_WITH_COMMANDS = ("shell", "yaml", "json", "toml", "pyproject", "ini", "environment")
_REPORT = '"name": "agl-migrate"'
"""What stands at the top of the tool's own reports, which name everything legacy."""


def scan(
    path: str, data: bytes, kind: str, asked: Asked
) -> tuple[tuple[Finding, ...], bytes | None]:
    """The findings of a file of some kind and its new bytes.

    Raises SourceError for bytes that are no UTF-8, and for a broken TOML file.
    """
    source = decode(path, data, is_python=False)
    if skips_file(source.text) or _REPORT in source.text[:200]:
        return (), None
    if kind in _TOML:
        require_toml(path, source.text)
    page = Page(path, source.text, asked)
    _look(page, kind)
    findings, text = page.result()
    return findings, None if text is None else source.encode(text)


def _look(page: Page, kind: str) -> None:
    if kind == "pyproject":
        toml(page)
    elif kind in LISTS:
        LISTS[kind](page)
    if kind == "notebook":
        notebook(page)
    elif kind == "markdown":
        markdown(page)
    elif kind == "rst":
        rst(page)
    elif kind in _WITH_COMMANDS:
        config(page, kind)
        shell(page)
        if kind != "json":
            prose(page)
