"""Lint and rewrite source text in memory, for editors, notebooks and tests."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codemods.applying import rewrite_file
from codemods.context import Options, Server, Target
from codemods.engine import check_file, context_for
from codemods.finding import Finding
from codemods.names.module import Module
from codemods.project import Project
from codemods.registry import select as select_rules


@dataclass(frozen=True, slots=True)
class Fixed:
    """Rewritten source and the findings of the source as it was."""

    code: str
    findings: tuple[Finding, ...]


def lint_source(
    code: str,
    *,
    path: str = "source.py",
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    others: Mapping[str, str] | None = None,
) -> tuple[Finding, ...]:
    """The findings of one file's source.

    Args:
        code: Python source.
        path: what the findings call the file; it also places the file in its package.
        select: rule codes or prefixes to use; all if empty.
        ignore: rule codes or prefixes to leave out.
        others: further files of the project (path to source), for names that `code` imports.

    Raises:
        SyntaxError: `code` does not parse under the running Python.
        UnknownRule: a code that names no rule.
    """
    project, module = _project(path, code, others)
    ctx = context_for(project, module, Options())
    return check_file(ctx, select_rules(select, ignore), path).findings


def fix_source(
    code: str,
    *,
    path: str = "source.py",
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    target: Target = "agentlightning",
    server: Server = "store",
    safe_only: bool = False,
    others: Mapping[str, str] | None = None,
) -> Fixed:
    """The source with everything rewritten that can be, and the findings.

    Args:
        code: Python source; line endings and layout are kept.
        path: what the findings call the file; it also places the file in its package.
        select: rule codes or prefixes to use; all if empty.
        ignore: rule codes or prefixes to leave out.
        target: the package that the result imports.
        server: what will answer at the URLs in the code: a store server or the old server.
        safe_only: apply only rewrites that keep behaviour.
        others: further files of the project (path to source), for names that `code` imports.

    Raises:
        SyntaxError: `code` does not parse under the running Python.
        UnknownRule: a code that names no rule.
    """
    project, module = _project(path, code, others)
    ctx = context_for(project, module, Options(target, server))
    result = rewrite_file(ctx, select_rules(select, ignore), path, safe_only)
    return Fixed(code if result.text is None else result.text, result.findings)


def _project(path: str, code: str, others: Mapping[str, str] | None) -> tuple[Project, Module]:
    project = Project(".")
    module = project.add(path, code, ast.parse(code))
    for other, text in (others or {}).items():
        project.add(other, text, ast.parse(text))
    return project, module
