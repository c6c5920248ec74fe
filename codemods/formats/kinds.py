"""What kind of file a name stands for."""

from __future__ import annotations

import os
import re

SUFFIXES: tuple[str, ...] = (
    ".ipynb",
    ".md",
    ".markdown",
    ".mdx",
    ".qmd",
    ".rst",
    ".yaml",
    ".yml",
    ".json",
    ".toml",
    ".cfg",
    ".ini",
    ".conf",
    ".sh",
    ".bash",
    ".zsh",
    ".slurm",
    ".sbatch",
    ".mk",
    ".txt",
    ".in",
    ".lock",
    ".env",
    ".dockerfile",
    "Makefile",
    "makefile",
    "Dockerfile",
    "Containerfile",
    "Justfile",
    "justfile",
    "Pipfile",
    "Procfile",
)
"""Ends of names (with a dot) and whole names of the files to look at beside Python's."""

_REQUIREMENTS = re.compile(
    r"(?:.*[-_.])?(?:requirements?|constraints?|deps)(?:[-_.].*)?\.(?:txt|in)"
)
_LOCKS = frozenset({"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pixi.lock"})
_LOCK = re.compile(r".*\.lock|pylock(?:\..+)?\.toml|conda-lock\.ya?ml|package-lock\.json")
_BY_END = {
    ".ipynb": "notebook",
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdx": "markdown",
    ".qmd": "markdown",
    ".rst": "rst",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".toml": "toml",
    ".cfg": "ini",
    ".ini": "ini",
    ".conf": "ini",
}


def kind_of(path: str) -> str | None:
    """The kind of a file by its name; None for text of no kind that is understood."""
    folder, name = os.path.split(path.replace(os.sep, "/"))
    if name in _LOCKS or _LOCK.fullmatch(name):
        return "lock"
    in_folder = os.path.basename(folder) in ("requirements", "constraints")
    if _REQUIREMENTS.fullmatch(name) or (in_folder and name.endswith((".txt", ".in"))):
        return "requirements"
    if name in ("pyproject.toml", "Pipfile"):
        return "pyproject"
    if re.fullmatch(r"(?:.*[-_.])?env(?:ironment)?(?:[-_.].*)?\.ya?ml", name):
        return "environment"
    end = os.path.splitext(name)[1].lower()
    if end in (".txt", ".in", ".lock"):
        return None
    return _BY_END.get(end, "shell")
