"""Plain imports that move: `import package`, with and without another name."""

from __future__ import annotations

import codemods

OPTIONS = {"select": ["AGL110"], "target": "agentlightning_compat", "path": "m.py"}


def test_a_package_at_the_top_keeps_its_alias() -> None:
    fixed = codemods.fix_source("import agentlightning as agl\n\nprint(agl.Trainer)\n", **OPTIONS)
    assert fixed.code == "import agentlightning_compat as agl\n\nprint(agl.Trainer)\n"


def test_a_package_without_alias_is_renamed_where_it_is_read() -> None:
    fixed = codemods.fix_source("import agentlightning\n\nprint(agentlightning.LLM)\n", **OPTIONS)
    assert fixed.code == "import agentlightning_compat\n\nprint(agentlightning_compat.LLM)\n"


def test_a_submodule_without_alias_stays_a_plain_import() -> None:
    before = "import agentlightning.store\n\nprint(agentlightning.Trainer, agentlightning.LLM)\n"
    fixed = codemods.fix_source(before, **OPTIONS)
    assert fixed.code == before.replace("agentlightning", "agentlightning_compat")


def test_what_is_not_known_of_a_submodule_keeps_the_import() -> None:
    before = "import agentlightning.store\n\nx = agentlightning.store.memory_limit\n"
    fixed = codemods.fix_source(before, **OPTIONS)
    assert fixed.code == before
    assert [f.fixable for f in fixed.findings] == [False]
