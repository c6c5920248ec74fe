"""Questions about rollouts: conditions, orders, pages."""

from __future__ import annotations

from tests.store.stage import ids, refused


async def some(stage):
    """Five rollouts: two queued, one running, one failed, one cancelled; oldest first."""
    made = []
    for number in range(5):
        made.append(await stage.store.enqueue_rollout(number, mode=(None, "val")[number % 2]))
        stage.clock.advance(1)
    keys = ids(made)
    await stage.store.update_rollout(keys[1], status="failed")
    await stage.store.start_attempt(keys[2])
    await stage.store.update_rollout(keys[3], status="cancelled")
    return keys


async def test_all_in_the_order_they_came(stage):
    keys = await some(stage)
    page = await stage.store.query_rollouts()
    assert ids(page) == keys
    assert (page.total, page.limit, page.offset) == (5, -1, 0)
    assert ids(await stage.store.query_rollouts(filter_logic="or")) == keys


async def test_the_latest_attempts_come_along(stage):
    keys = await some(stage)
    page = await stage.store.query_rollouts()
    assert [hasattr(item, "attempt") for item in page] == [False, False, True, False, False]
    assert page[2].attempt == await stage.store.get_latest_attempt(keys[2])


async def test_by_status(stage):
    keys = await some(stage)
    query = stage.store.query_rollouts
    assert ids(await query(status_in=["queuing"])) == [keys[0], keys[4]]
    several = await query(status_in=["failed", "queuing", "cancelled"])
    assert ids(several) == [keys[0], keys[1], keys[3], keys[4]]
    page = await query(status_in=["failed", "queuing", "cancelled"], limit=2, offset=1)
    assert (ids(page), page.total) == ([keys[1], keys[3]], 4)
    page = await query(status_in=["queuing"], limit=1, offset=1)
    assert (ids(page), page.total) == ([keys[4]], 2)
    nobody = await query(status_in=[])
    assert (ids(nobody), nobody.total) == ([], 0)


async def test_status_follows_every_change(stage):
    keys = await some(stage)
    await stage.store.update_rollout(keys[0], status="succeeded")
    await stage.store.update_rollout(keys[0], status="queuing")
    await stage.store.update_rollout(keys[3], status="queuing")
    found = await stage.store.query_rollouts(status_in=["queuing"])
    assert ids(found) == [keys[0], keys[3], keys[4]]


async def test_by_id(stage):
    keys = await some(stage)
    query = stage.store.query_rollouts
    asked = [keys[3], "nobody", keys[1], keys[3]]
    assert ids(await query(rollout_id_in=asked)) == [keys[1], keys[3]]
    assert ids(await query(rollout_id_in=[])) == []
    assert ids(await query(rollout_id_contains=keys[2][3:])) == [keys[2]]
    assert ids(await query(rollout_id_contains="ro-")) == keys
    assert ids(await query(rollout_id_contains="%")) == []


async def test_conditions_together(stage):
    keys = await some(stage)
    query = stage.store.query_rollouts
    both = {"status_in": ["queuing"], "rollout_id_in": keys[1:]}
    assert ids(await query(**both)) == [keys[4]]
    assert ids(await query(**both, filter_logic="or")) == keys
    either = await query(status_in=["failed"], rollout_id_in=[keys[4]], filter_logic="or")
    assert ids(either) == [keys[1], keys[4]]
    neither = await query(status_in=[], rollout_id_in=[keys[4]], filter_logic="or")
    assert ids(neither) == [keys[4]]


async def test_orders(stage):
    keys = await some(stage)
    query = stage.store.query_rollouts
    assert ids(await query(sort_by="start_time", sort_order="desc")) == keys[::-1]
    by_mode = [keys[0], keys[2], keys[4], keys[1], keys[3]]
    assert ids(await query(sort_by="mode")) == by_mode
    upside_down = [keys[1], keys[3], keys[0], keys[2], keys[4]]
    assert ids(await query(sort_by="mode", sort_order="desc")) == upside_down
    assert ids(await query(sort_by="rollout_id")) == sorted(keys)
    # Those that have not ended come after all that have.
    by_end = [keys[1], keys[3], keys[0], keys[2], keys[4]]
    assert ids(await query(sort_by="end_time")) == by_end


async def test_pages(stage):
    keys = await some(stage)
    query = stage.store.query_rollouts
    page = await query(limit=2, offset=3)
    assert (ids(page), page.total, page.limit, page.offset) == (keys[3:], 5, 2, 3)
    assert ids(await query(offset=4)) == keys[4:]
    beyond = await query(limit=2, offset=9)
    assert (ids(beyond), beyond.total) == ([], 5)
    nothing = await query(limit=0)
    assert (ids(nothing), nothing.total) == ([], 5)


async def test_questions_without_meaning(stage):
    await some(stage)
    query = stage.store.query_rollouts
    await refused(query(sort_by="nothing"))
    for question in (
        {"limit": -2},
        {"offset": -1},
        {"status_in": ["lost"]},
        {"filter_logic": "xor"},
        {"sort_order": "down"},
    ):
        await refused(query(**question))
