"""One row of the API map: a legacy name, where it was found, and what stands for it today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Version = Literal["0.1.2", "0.2.2", "0.3.0"]
Target = Literal["agentlightning", "agentlightning_compat"]
Kind = Literal[
    "module", "class", "function", "constant", "type", "method", "attribute", "parameter"
]
Change = Literal["same", "moved", "renamed", "removed", "changed"]
Applicability = Literal["safe", "review", "shim", "manual"]


_NONE: Mapping[str, str | None] = {}


class Symbol(NamedTuple):
    """A legacy name.

    Two ways lead away from it. `replacement` is the drop-in: the same thing under the name and
    place it has in the target, so code that only names it keeps its meaning; None when the target
    has no such thing. `successor` is what the store API has in its place (a path of
    agentlightning 0.3.0); code that uses the name has to change its shape to go there.
    """

    path: str
    """Where it is defined in the version it comes from; a parameter is `callable(name)`."""
    kind: Kind
    exists: Mapping[str, tuple[Version, ...]]
    """Every path it can be reached by, with the versions in which that path resolves to anything
    at all: `versions` tells in which of them it is still this thing."""
    versions: tuple[Version, ...]
    """Versions in which at least one of the paths has the legacy meaning."""
    change: Change
    """What became of it in 0.3.0."""
    replacement: Mapping[Target, str | None]
    applicability: Applicability
    """How far a rewrite of its uses can be trusted; the more cautious of the two ways."""
    successor: str | None = None
    advice: str = ""
    signature: str | None = None
    """Parameters and defaults of the replacement in 0.3.0, without `self` and annotations."""
    successor_signature: str | None = None
    position: int | None = None
    """Of a parameter: its place among the positional ones (0 first, `self` not counted);
    None when it can only be given by keyword."""
    default: str | None = None
    """Of a parameter: the source text of its default; None when it must be given."""
    bases: tuple[str, ...] = ()
    """Of a class: legacy classes that it inherits members from."""
    patch: Mapping[str, str | None] = _NONE
    """Of paths that tests hand to `mock.patch`: the path where 0.3.0 looks the name up.
    Only those that differ from the replacement."""
    legacy: bool = False
    """No other library has a name like this: the bare word in a text means the legacy API."""
    prerelease: bool = False
    """Never in a release; seen on the development branch before 0.2.0 only."""
    foreign: bool = False
    """Belongs to another package and is here because tests patch it through agentlightning."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Every dotted path of the name, the canonical one first."""
        return tuple(self.exists)

    @property
    def name(self) -> str:
        """The last component: what is written in code."""
        return last_component(self.path)

    @property
    def owner(self) -> str:
        """The module of a definition, the class of a member, the callable of a parameter."""
        return split_path(self.path)[0]


def split_path(path: str) -> tuple[str, str]:
    """Part a dotted path, or `callable(parameter)`, into owner and last component."""
    if path.endswith(")"):
        owner, _, parameter = path[:-1].partition("(")
        return owner, parameter
    owner, _, name = path.rpartition(".")
    return owner, name


def last_component(path: str) -> str:
    """The name that a path ends in."""
    return split_path(path)[1]
