"""What people write on a command line for agentlightning: flags and modules to run."""

from __future__ import annotations

import re
from typing import NamedTuple

from codemods.context import Server
from codemods.legacy.dotted import judge
from codemods.names import known

FLAG = re.compile(r"(?<![\w-])--(?P<section>\w+)\.(?P<name>\w+(?:[-_]\w+)*)(?![\w.-])")
MODULE = re.compile(
    r"""(?:(?<![\w-])-m["']?[,\s]+["']?|["']module["']\s*:\s*["'])"""
    r"(?P<path>agentlightning(?:\.\w+)*)(?![\w.])"
)
_RENAMED = {
    "n_workers": "n_runners",
    "max_tasks": "max_rollouts",
    "triplet_exporter": "adapter",
}
_IDLE = {
    "dev": "take it out; a trial run is a call of trainer.dev in the script",
    "daemon": "take it out; runners of the store API end with `fit`",
}
_VERL = (
    "it starts the server of 0.1, to which agents connect with `fit_v0`; for the store API give "
    "its settings to Trainer(algorithm=VERL({...})) and call fit with the datasets"
)
_AGENTOPS = "take it out; AgentOps needs no local server today"


class Advice(NamedTuple):
    """What to do about a part of a command line; `new` is the text for it, if there is one."""

    message: str
    new: str | None
    reason: str
    symbol: str


def flag(section: str, name: str) -> Advice | None:
    """A flag that `lightning_cli` makes of a parameter (`--trainer.n-workers`), by its parts."""
    parameter = name.replace("-", "_")
    whole = f"--{section}.{name}"
    if parameter == "trained_agents":
        return Advice(
            f"`{whole}` has no effect in the store API",
            None,
            'take it out, and give Trainer(adapter={"agent_match": ...}) where the algorithm runs',
            f"{known.LIT_AGENT}({parameter})",
        )
    if section != "trainer":
        return None
    symbol = f"{known.TRAINER}({parameter})"
    renamed = _RENAMED.get(parameter)
    if renamed is not None:
        new = f"--{section}.{renamed.replace('_', '-' if '-' in name else '_')}"
        return Advice(f"`{whole}` is `{new}` in the store API", new, "", symbol)
    if parameter in _IDLE:
        return Advice(f"`{whole}` has no effect in the store API", None, _IDLE[parameter], symbol)
    return None


def parameter(name: str) -> Advice | None:
    """An argument of Trainer in a configuration file, by its name."""
    symbol = f"{known.TRAINER}({name})"
    new = _RENAMED.get(name)
    if new is not None:
        return Advice(f"`{name}` of Trainer is `{new}` in the store API", new, "", symbol)
    if name in _IDLE:
        return Advice(
            f"`{name}` of Trainer has no effect in the store API", None, _IDLE[name], symbol
        )
    return None


def module_command(path: str, server: Server) -> Advice | None:
    """What `python -m` does in 0.3.0 with a module of agentlightning; None if what is wanted."""
    if path in ("agentlightning.verl", "agentlightning.verl.__main__"):
        if server == "legacy":
            return None
        return Advice("`python -m agentlightning.verl` starts the old server", None, _VERL, path)
    if path == "agentlightning.cli.agentops_server":
        return Advice(f"`{path}` does not exist in 0.3.0", None, _AGENTOPS, path)
    verdict = judge(path, use="module")
    if verdict is None:
        return None
    reason = verdict.reason or f"it is {verdict.new} in 0.3.0"
    return Advice(verdict.message, None, reason, path)
