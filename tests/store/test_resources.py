"""Sets of resources."""

from __future__ import annotations


def llm(stage, endpoint="http://h"):
    return {"main": stage.names.LLM(endpoint=endpoint, model="m", sampling_parameters={"t": 1})}


async def test_there_is_none_at_first(stage):
    assert await stage.store.get_latest_resources() is None
    assert await stage.store.get_resources_by_id("rs-x") is None


async def test_a_set_is_kept_as_it_is(stage):
    names = stage.names
    resources = {
        **llm(stage),
        "proxy": names.ProxyLLM(endpoint="http://p/v1", model="m", api_key="k"),
        "prompt": names.PromptTemplate(template="{x}", engine="f-string"),
    }
    added = await stage.store.add_resources(resources)
    assert added.resources_id.startswith("rs-")
    assert len(added.resources_id) == 15
    assert added.version == 1
    assert added.create_time == added.update_time == stage.clock.now()
    assert added.resources == resources
    assert await stage.store.get_resources_by_id(added.resources_id) == added
    assert await stage.store.get_latest_resources() == added
    kinds = {key: type(value) for key, value in added.resources.items()}
    assert kinds == {"main": names.LLM, "proxy": names.ProxyLLM, "prompt": names.PromptTemplate}


async def test_a_set_is_replaced_as_a_whole(stage):
    added = await stage.store.add_resources(llm(stage))
    stage.clock.advance(5)
    other = await stage.store.add_resources(llm(stage, "http://other"))
    stage.clock.advance(5)
    prompt = {"p": stage.names.PromptTemplate(template="x", engine="jinja")}
    changed = await stage.store.update_resources(added.resources_id, prompt)
    assert (changed.version, changed.create_time) == (2, added.create_time)
    assert (changed.update_time, changed.resources) == (stage.clock.now(), prompt)
    assert await stage.store.get_latest_resources() == changed
    assert await stage.store.get_resources_by_id(other.resources_id) == other


async def test_a_new_id_is_added(stage):
    made = await stage.store.update_resources("default", llm(stage))
    assert (made.resources_id, made.version) == ("default", 1)
    assert await stage.store.get_latest_resources() == made


async def test_questions(stage):
    first = await stage.store.update_resources("a-one", llm(stage))
    stage.clock.advance(1)
    second = await stage.store.update_resources("b-two", llm(stage))
    stage.clock.advance(1)
    first = await stage.store.update_resources("a-one", llm(stage))
    query = stage.store.query_resources
    assert list(await query()) == [first, second]
    assert list(await query(resources_id="b-two")) == [second]
    assert list(await query(resources_id_contains="-")) == [first, second]
    assert list(await query(resources_id="a-one", resources_id_contains="two")) == []
    assert list(await query(sort_by="update_time")) == [second, first]
    assert list(await query(sort_by="version", sort_order="desc")) == [first, second]
    page = await query(limit=1, offset=1)
    assert (list(page), page.total) == ([second], 2)
