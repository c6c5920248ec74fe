"""The lines of the table that benchmarks/store.py prints."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]


def row(
    measure: str,
    backend: str,
    value: float,
    unit: str,
    *,
    peer: float | None = None,
    ratio: float | None = None,
    bound: str = "",
    met: bool | None = None,
) -> Row:
    """One line of the result; `ratio` is that of the bound."""
    return {
        "measure": measure,
        "backend": backend,
        "value": round(value, 2),
        "unit": unit,
        "peer": peer and round(peer, 2),
        "ratio": ratio and round(ratio, 3),
        "bound": bound,
        "met": met,
    }


def line(found: Row) -> str:
    """A row as text."""
    ratio = "" if found["ratio"] is None else f"{found['ratio']:.3g}"
    verdict = {None: "", True: "met", False: "MISSED"}[found["met"]]
    columns = "{measure:42} {backend:9} {value:>10.2f} {unit}".format(**found)
    return f"{columns}  {ratio:>6}  {found['bound']}  {verdict}".rstrip()
