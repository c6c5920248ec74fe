"""AGL222: `trained_agents` of an agent."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy import trained_agents
from codemods.legacy.trained_agents import NAME, Given, Trainer
from codemods.names import known
from codemods.rule import Hit, Rule

_SYMBOL = f"{known.LIT_AGENT}({NAME})"
_MESSAGE = "`trained_agents` is `agent_match` of the trainer's adapter in the store API"
_ADVICE = 'give Trainer(adapter={"agent_match": ...}) where the algorithm runs'
_STRANGER = f"the agent's class is not among the files that were given; {_ADVICE}"


class TrainedAgents(Rule):
    """`trained_agents=` moves from the agent to the adapter of the trainer."""

    code = "AGL222"
    title = "`trained_agents` moved to the trainer's adapter"
    why = (
        "Which agents' LLM calls are trained is decided where spans become triplets: by the "
        "adapter, in the process that runs the algorithm. `trained_agents` warns today, and only "
        "`fit_v0` still reads it."
    )
    before = 'super().__init__(trained_agents="write")\n...\ntrainer = Trainer(n_runners=2)'
    after = (
        'super().__init__()\n...\ntrainer = Trainer(n_runners=2, adapter={"agent_match": "write"})'
    )
    applicability = "review"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Every place of a file that gives `trained_agents` to an agent."""
        sites = list(trained_agents.given(ctx))
        for site in sites:
            yield _site(ctx, site, alone=len(sites) == 1)
        for keyword in trained_agents.given_to_strangers(ctx):
            yield Hit(keyword, _MESSAGE, reason=_STRANGER, symbol=_SYMBOL)
        yield from _assigned(ctx)


def _site(ctx: FileContext, site: Given, alone: bool) -> Hit:
    value = trained_agents.literal_of(ctx, site)
    if value is not None and value.value is None and site.parameter is None:
        return Hit(
            site.keyword,
            _MESSAGE,
            lambda r: _drop(r, site),
            applicability="safe",
            symbol=_SYMBOL,
        )
    found = trained_agents.trainers(ctx)
    reason = _obstacle(ctx, found, value, alone)
    if reason:
        return Hit(site.keyword, _MESSAGE, reason=reason, symbol=_SYMBOL)
    return Hit(site.keyword, _MESSAGE, lambda r: _move(r, site, found[0], value), symbol=_SYMBOL)


def _obstacle(
    ctx: FileContext, found: list[Trainer], value: ast.Constant | None, alone: bool
) -> str:
    if ctx.options.server == "legacy":
        return "fit_v0, which talks to the old server, still reads it"
    if not alone or len(found) != 1:
        return f"which trainer trains this agent is not certain; {_ADVICE}"
    given = {keyword.arg for keyword in found[0].call.keywords}
    if given & {"adapter", "triplet_exporter"}:
        return "the trainer has an adapter already; give it agent_match"
    if None in given:
        return f"the trainer's arguments come from `**kwargs`; {_ADVICE}"
    if not found[0].name and (value is None or not isinstance(value.value, str)):
        return f"its value is not certain; {_ADVICE}"
    return ""


def _drop(rewrite: Rewrite, site: Given) -> None:
    rewrite.call(site.call).remove_keyword(NAME)


def _move(rewrite: Rewrite, site: Given, trainer: Trainer, value: ast.Constant | None) -> None:
    _drop(rewrite, site)
    if site.parameter is not None:
        receiver = site.parameter.args.args[0].arg
        passed = rewrite.module.source(site.keyword.value)
        rewrite.after(rewrite.module.statement(site.call), f"{receiver}.{NAME} = {passed}")
    if not trainer.name:
        assert value is not None
        shown = rewrite.module.source(value)
        rewrite.call(trainer.call).set_keyword("adapter", f'{{"agent_match": {shown}}}')
        return
    assert trainer.statement is not None
    adapter = rewrite.use("agentlightning.adapter.TracerTraceToTriplet", trainer.call)
    match = f"{trainer.agent}.{NAME}" if site.parameter is not None else _shown(rewrite, site)
    rewrite.after(trainer.statement, f"{trainer.name}.adapter = {adapter}(agent_match={match})")


def _shown(rewrite: Rewrite, site: Given) -> str:
    if not isinstance(site.keyword.value, ast.Constant):
        rewrite.block(f"its value is not certain; {_ADVICE}")
    return rewrite.module.source(site.keyword.value)


def _assigned(ctx: FileContext) -> Iterator[Hit]:
    """`agent.trained_agents = ...` from outside; from inside, where no adapter gets to know."""
    for node in ctx.module.attributes.get(NAME, ()):
        if not isinstance(node.ctx, ast.Store):
            continue
        own = isinstance(node.value, ast.Name) and node.value.id == "self"
        if own and (ctx.options.server == "legacy" or trained_agents.is_matched(ctx.project)):
            continue  # fit_v0 reads it, or an adapter is given what is read from it
        if ctx.is_instance(node.value, known.LIT_AGENT):
            yield Hit(node, _MESSAGE, reason=_ADVICE, symbol=_SYMBOL)
