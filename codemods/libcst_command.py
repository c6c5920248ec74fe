"""The migration as a command of LibCST's own tool, for those who have it set up.

    python -m libcst.tool codemod -x agl_migrate.MigrateCommand --jobs 1 src/

The tool hands over one file at a time, so what other files of the project say (an agent that
subclasses a class of another file) is not known here. `agl-migrate run` knows it, and has a
transaction with an undo; prefer it.
"""

from __future__ import annotations

import argparse
from typing import cast

import libcst as cst
from libcst.codemod import CodemodCommand, CodemodContext, SkipFile

from codemods.context import Server, Target
from codemods.sources import fix_source


class MigrateCommand(CodemodCommand):
    """Rewrite agent-lightning's legacy API to the store API; what is left becomes a warning."""

    DESCRIPTION = "Rewrite agent-lightning's legacy API to the store API of 0.3."

    def __init__(
        self,
        context: CodemodContext,
        target: str = "agentlightning",
        server: str = "store",
        select: str = "",
        *,
        safe_only: bool = False,
    ) -> None:
        super().__init__(context)
        self._target = cast("Target", target)
        self._server = cast("Server", server)
        self._select = [code.strip().upper() for code in select.split(",") if code.strip()]
        self._safe_only = safe_only

    @staticmethod
    def add_args(arg_parser: argparse.ArgumentParser) -> None:
        """The options of `agl-migrate run` that concern one file."""
        targets = ["agentlightning", "agentlightning_compat"]
        arg_parser.add_argument("--target", choices=targets, default="agentlightning")
        arg_parser.add_argument("--server", choices=["store", "legacy"], default="store")
        arg_parser.add_argument("--select", default="", metavar="CODES")
        arg_parser.add_argument("--safe-only", action="store_true")

    def transform_module_impl(self, tree: cst.Module) -> cst.Module:
        """The migrated file. Raises SkipFile for one that this Python cannot parse."""
        code = tree.code
        if "agentlightning" not in code:
            return tree
        try:
            fixed = fix_source(
                code,
                path=self.context.filename or "source.py",
                select=self._select,
                target=self._target,
                server=self._server,
                safe_only=self._safe_only,
            )
        except SyntaxError as error:
            raise SkipFile(f"this Python cannot parse it: {error}") from None
        for finding in fixed.findings:
            if not finding.fixed:
                reason = f" ({finding.reason})" if finding.reason else ""
                self.warn(
                    f"{finding.line}:{finding.column}: {finding.code} {finding.message}{reason}"
                )
        if fixed.code == code:
            return tree
        return cst.parse_module(fixed.code, config=tree.config_for_parsing)
