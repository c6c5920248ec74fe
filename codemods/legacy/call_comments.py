"""Comments in a call that is taken apart."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterable


def comments_outside(text: str, kept: Iterable[ast.expr]) -> list[str]:
    """The comments that stand in no argument that is kept."""
    if "#" not in text:
        return []
    import tokenize

    spans = [((n.lineno, n.col_offset), (n.end_lineno, n.end_col_offset)) for n in kept]
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [
        token.string
        for token in tokens
        if token.type == tokenize.COMMENT
        and not any(start <= token.start < (end[0] or 0, end[1] or 0) for start, end in spans)
    ]
