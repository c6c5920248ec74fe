"""Requirements on agentlightning: which releases they let in, and what they have to say."""

from __future__ import annotations

import re
from typing import NamedTuple

PINNED = ">=0.3,<1.0"
RUNTIME = "agentlightning-compat"
BESIDE = (
    "require opentelemetry-api and opentelemetry-sdk below 1.45 as well: with later ones "
    "agentlightning 0.3.0 loses the spans that it sends to a store server"
)
_BOUNDED = re.compile(r"opentelemetry-(?:api|sdk)\b[^\r\n]*?(?:<|==|~=)\s*1\.(?:[0-3]?\d|4[0-5])\b")

# Those with another API than 0.3, or none of it; the last ones stand for what may come.
_TOO_OLD = ((0, 1), (0, 1, 1), (0, 1, 2), (0, 2, 0), (0, 2, 1), (0, 2, 2))
_FITTING = ((0, 3, 0), (0, 3, 1), (0, 9, 0))
_TOO_NEW = ((1, 0, 0), (1, 0, 1), (1, 0, 2), (1, 9, 0), (99, 0, 0))
_EXTRAS = frozenset({"apo", "verl", "weave", "mongo"})

_CLAUSE = r"(?:===|==|~=|!=|<=|>=|<|>)\s*[\w.*+!-]+"
REQUIREMENT = re.compile(
    r"(?P<name>agentlightning)(?P<extras>\s*\[[^\]\r\n]*\])?"
    rf"(?P<spec>\s*\(?\s*{_CLAUSE}(?:\s*,\s*{_CLAUSE})*\s*,?\s*\)?)?"
    r"(?P<rest>\s*(?:@\s*\S.*|;.*|#.*|\\?\s*--hash.*|\\)?)",
    re.DOTALL,
)
_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(\.\*)?")


class Change(NamedTuple):
    """What a requirement needs; `spec` is the text for its version part, None if it cannot be."""

    message: str
    spec: str | None = None
    reason: str = ""


def judge(spec: str, target: str = "agentlightning") -> Change | None:
    """What has to happen to a version part as written in `spec`; None where it is right.

    Understands the clauses of PEP 440 and the `^`, `*` and bare versions of Poetry.
    """
    if target != "agentlightning":
        message = f"the code imports {target}, so it needs {RUNTIME}"
        return Change(message, "")
    clauses = _clauses(spec)
    if clauses is None:
        return Change(
            f"the requirement `agentlightning{spec.strip()}` is not understood",
            reason=f"it has to say agentlightning{PINNED}",
        )
    if not any(_admits(clauses, version) for version in (*_TOO_OLD, *_FITTING)):
        if any(_admits(clauses, version) for version in _TOO_NEW):
            return Change(
                "agentlightning 1.0 is another product, without the API of 0.1 to 0.3",
                reason=f"code that was migrated needs agentlightning{PINNED}",
            )
        return None if _is_exact(clauses) else Change("no release fits", PINNED)
    if any(_admits(clauses, version) for version in _TOO_NEW):
        return Change("this lets in agentlightning 1.0, another product without either API", PINNED)
    if any(_admits(clauses, version) for version in _TOO_OLD):
        return Change("this lets in releases from before the API of 0.3", PINNED)
    return None


def bounds_telemetry(text: str) -> bool:
    """Whether a list of requirements keeps OpenTelemetry to what 0.3.0 can work with."""
    return _BOUNDED.search(text) is not None


def lost_extras(extras: str) -> list[str]:
    """The extras that 0.3.0 does not have, of a list as written (`[dev,verl]`)."""
    names = [name.strip() for name in extras.strip().strip("[]").split(",")]
    return [name for name in names if name and name not in _EXTRAS]


_Clause = tuple[str, tuple[int, ...], bool]


def _clauses(spec: str) -> list[_Clause] | None:
    """Operator, version and whether it ends in `.*`; None for what is no version part."""
    found: list[_Clause] = []
    for part in spec.strip().strip("()").split(","):
        text = part.strip()
        if text in ("", "*"):
            continue
        operator = re.match(r"===|==|~=|!=|<=|>=|<|>|\^|~|", text)
        assert operator is not None
        version = _VERSION.match(text[operator.end() :].strip())
        if version is None:
            return None
        numbers = tuple(int(number) for number in version[1].split("."))
        found.append((operator[0] or "^", numbers, version[2] is not None))
    return found


def _admits(clauses: list[_Clause], version: tuple[int, ...]) -> bool:
    return all(_fits(clause, version) for clause in clauses)


def _fits(clause: _Clause, version: tuple[int, ...]) -> bool:
    operator, wanted, wild = clause
    if operator in ("==", "===", "!="):
        same = version[: len(wanted)] == wanted if wild else _order(version) == _order(wanted)
        return same != (operator == "!=")
    if operator in (">", ">=", "<", "<="):
        return _compare(operator, _order(version), _order(wanted))
    return _order(wanted) <= _order(version) < _order(_next(operator, wanted))


def _compare(operator: str, left: tuple[int, ...], right: tuple[int, ...]) -> bool:
    if operator[0] == ">":
        return left > right or (operator == ">=" and left == right)
    return left < right or (operator == "<=" and left == right)


def _next(operator: str, wanted: tuple[int, ...]) -> tuple[int, ...]:
    """The first version that `~=`, `~` or `^` does not let in."""
    if operator == "^":
        keep = next((i for i, n in enumerate(wanted) if n), len(wanted) - 1)
    elif operator == "~":
        keep = min(1, len(wanted) - 1)
    else:
        keep = max(len(wanted) - 2, 0)
    return (*wanted[:keep], wanted[keep] + 1)


def _order(version: tuple[int, ...]) -> tuple[int, ...]:
    return (*version, 0, 0, 0)[:4] if len(version) < 4 else version


def _is_exact(clauses: list[_Clause]) -> bool:
    return any(operator in ("==", "===") and v[:2] == (0, 3) for operator, v, _ in clauses)
