"""Programs put together at random from legacy and other code: what holds for all of them."""

from __future__ import annotations

import ast
import textwrap

from hypothesis import given, settings
from hypothesis import strategies as st

import codemods

IMPORTS = (
    "import agentlightning",
    "import agentlightning as agl",
    "from agentlightning import Trainer, LitAgent",
    "from agentlightning import LLM, reward, DevTaskLoader  # names",
    "from agentlightning import (\n    AgentLightningClient,  # polls\n    Rollout,\n)",
    "from agentlightning.tracer import TripletExporter, BaseTracer",
    "from agentlightning.tracer.triplet import TraceTree as Tree, RewardMatchPolicy",
    "import agentlightning.tracer.triplet as tt",
    "from agentlightning.runner import AgentRunner, Task",
    "from agentlightning import configure_logger",
    "from agentlightning import *",
)

# Each stands alone; names that its imports did not bring are simply unknown.
LEGACY = (
    "trainer = Trainer(n_workers=2, max_tasks=N)",
    "agl.Trainer(\n    n_workers=4,  # four\n    daemon=True,\n).fit(Agent(), 'http://localhost:9999')",
    "configure_logger()",
    "log = agentlightning.configure_logger(name=__name__)",
    "exporter = TripletExporter(agent_match='x'); triplets = exporter.export(spans)",
    "tree: Tree = tt.TraceTree(RewardMatchPolicy.FIRST_SIBLING)",
    "client = AgentLightningClient(URL, poll_interval=1)\ntask = client.poll_next_task()\n"
    "client.post_rollout(Rollout(rollout_id=task.rollout_id, final_reward=1.0))",
    "class Agent(LitAgent):\n    def training_rollout(self, task, rollout_id, resources):\n"
    "        print(rollout_id)\n        return 1.0",
    "class Both(agl.LitAgent):\n    async def training_rollout_async(self, t, rid, res):\n"
    "        return await go(t, rid, res)\n\n"
    "    async def validation_rollout_async(self, t, rid, res):\n"
    "        return await self.training_rollout_async(t, rid, res)",
    "@reward\ndef score(x) -> float:\n    if x:\n        return 0.0\n    return f(x)",
    "runner = AgentRunner(agent, client, tracer, exporter, worker_id=0, max_tasks=3)\nrunner.iter()",
    "loader = DevTaskLoader([{'q': 1}], {'llm': LLM(endpoint='http://x', model='m')})",
    "def use(tracer: 'BaseTracer', r: Rollout):\n    return r.final_reward",
)

# Legacy words in code that is none of agentlightning's.
OTHER = (
    "other_{n} = [x for x in range({n})]  # Trainer(n_workers={n})",
    "def plain_{n}(task, rollout_id, resources):\n    return rollout_id, {n}",
    "class Plain{n}:\n    def training_rollout(self, task, rollout_id, resources):\n        return {n}",
    "text_{n} = 'TripletExporter {n}'",
    "pool_{n} = Pool(n_workers={n}); pool_{n}.fit({n}, 'http://localhost')",
    "if other_{n}:\n\ttabs_{n} = {n}",
    "x_{n} = f'{{rollout_id!r}} {n}'",
    '"""a string alone {n}\n  with AgentLightningClient in it\n"""',
)


@st.composite
def programs(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A program, and the pieces of it that have nothing to do with agentlightning."""
    chosen = draw(st.lists(st.sampled_from(LEGACY), max_size=4, unique=True))
    pieces = [(piece, False) for piece in chosen]
    others = draw(st.lists(st.sampled_from(OTHER), max_size=4))
    pieces += [(piece.format(n=n), True) for n, piece in enumerate(others)]
    pieces = draw(st.permutations(pieces))
    blocks: list[str] = []
    kept: list[str] = []
    for piece, foreign in pieces:
        nested = draw(st.sampled_from(["", "if ready:\n", "def wrap():\n", "async def wrap():\n"]))
        text = nested + textwrap.indent(piece, "    ") if nested and "\t" not in piece else piece
        blocks.append(text)
        if foreign:
            kept.append(text)
    head = draw(st.lists(st.sampled_from(IMPORTS), min_size=1, max_size=4, unique=True))
    docstring = draw(st.sampled_from(['"""Doc."""\n', "", "#!/usr/bin/env python\n"]))
    end = draw(st.sampled_from(["\n", ""]))
    return docstring + "\n".join([*head, *blocks]) + end, kept


@settings(max_examples=250)
@given(programs(), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["store", "legacy"]))
def test_rewritten_programs(program, newline, server) -> None:
    text, kept = program
    text = text.replace("\n", newline)
    ast.parse(text)
    once = codemods.fix_source(text, server=server)
    ast.parse(once.code)
    for piece in kept:
        assert piece.replace("\n", newline) in once.code
    if "\r\n" in text:
        assert "\n" not in once.code.replace("\r\n", "")
    if once.code and not once.code.endswith(newline):
        assert not text.endswith(newline)
    twice = codemods.fix_source(once.code, server=server)
    assert twice.code == once.code


@settings(max_examples=60)
@given(programs())
def test_lint_reports_what_run_rewrites(program) -> None:
    text, _ = program
    found = codemods.lint_source(text)
    fixed = codemods.fix_source(text)
    places = {(f.line, f.column, f.code) for f in found}
    assert {(f.line, f.column, f.code) for f in fixed.findings} == places
    # What `check` calls fixable is rewritten, unless two rewrites met at one place.
    for before, after in zip(found, fixed.findings, strict=True):
        assert after.fixed or after.reason or not before.fixable
    if fixed.code == text:
        assert not any(f.fixed for f in fixed.findings)


@settings(max_examples=60)
@given(programs())
def test_safe_only_applies_nothing_else(program) -> None:
    text, _ = program
    safe = codemods.fix_source(text, safe_only=True)
    assert all(f.applicability == "safe" for f in safe.findings if f.fixed)
    assert codemods.fix_source(safe.code, safe_only=True).code == safe.code
