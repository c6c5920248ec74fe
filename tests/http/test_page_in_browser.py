"""The page at `/` as people see it, in a headless Chromium."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack

import pytest

from agentlightning_compat.clock import ManualClock
from agentlightning_compat.http.limits import Limits
from agentlightning_compat.model import (
    LLM,
    EnqueueRolloutRequest,
    PromptTemplate,
    RolloutConfig,
    Span,
)
from agentlightning_compat.model.otel import TraceStatus
from agentlightning_compat.store.memory import InMemoryLightningStore
from tests.http.browser import Window, chromium
from tests.http.page_server import PageServer

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=\"window.hit='yes'\"><script>window.hit='yes'</script>"


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def expect():
    from playwright.sync_api import expect

    return expect


@pytest.fixture
def opening(browser):
    """What opens a window or a server (by its arguments) and closes them in the end."""
    with ExitStack() as closing:

        def open_one(kind, *given, **options):
            made = kind(*given, **options)
            closing.callback(made.close)
            return made

        yield open_one


@pytest.fixture
def server(opening):
    return opening(PageServer)


@pytest.fixture
def wary(opening, browser, server):
    """A window of a test that expects problems."""
    return opening(Window, browser)


@pytest.fixture
def window(wary):
    """A window that may not have complained of anything in the end."""
    yield wary
    assert wary.problems == []


@pytest.fixture
def page(wary):
    return wary.page


def enqueue(server, count, **more):
    """So many rollouts; their ids."""
    new = [EnqueueRolloutRequest(input={"number": n}, **more) for n in range(count)]
    made = server.do(server.store.enqueue_many_rollouts(new))
    return [rollout.rollout_id for rollout in made]


def claim(server, worker="worker"):
    """A claimed rollout, and the start of what makes its spans."""
    claimed = server.do(server.store.dequeue_rollout(worker_id=worker))
    return claimed, (claimed.rollout_id, claimed.attempt.attempt_id)


def finish(server, claimed, status="succeeded"):
    attempt = claimed.attempt.attempt_id
    server.do(server.store.update_attempt(claimed.rollout_id, attempt, status=status))


def span(ids, number, name, start, end, **more):
    """A span whose id is `s<number>`."""
    status = TraceStatus(status_code="ERROR" if more.pop("failed", False) else "OK")
    return Span.from_attributes(
        rollout_id=ids[0],
        attempt_id=ids[1],
        sequence_id=number,
        span_id=f"s{number}",
        trace_id="t",
        name=name,
        start_time=start,
        end_time=end,
        status=status,
        attributes=more.pop("attributes", {}),
        **more,
    )


def chip(page, name):
    return page.locator(".chip", has_text=re.compile(rf"^{name} "))


def rows(page):
    return page.locator("table.rollouts tbody tr")


def test_statuses_with_their_counts(server, window, page, expect):
    made = enqueue(server, 5)
    first, _ = claim(server)
    claim(server)
    finish(server, first)
    window.open(server)
    for name, count in (("all", 5), ("queuing", 3), ("preparing", 1), ("succeeded", 1)):
        expect(chip(page, name)).to_have_text(f"{name} {count}")
    expect(page.locator("tbody th")).to_have_text(made[::-1])
    chip(page, "succeeded").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page).locator(".status")).to_have_text("succeeded")
    expect(chip(page, "succeeded")).to_have_attribute("aria-pressed", "true")
    chip(page, "queuing").click()
    expect(rows(page)).to_have_count(4)
    assert page.url.endswith("#/rollouts?status=succeeded%2Cqueuing")
    page.go_back()
    expect(rows(page)).to_have_count(1)
    page.go_back()
    expect(rows(page)).to_have_count(5)
    expect(chip(page, "all")).to_have_attribute("aria-pressed", "true")


def test_search_mode_order_and_pages(server, window, page, expect):
    trained = enqueue(server, 230, mode="train")
    checked = enqueue(server, 20, mode="val")
    window.open(server)
    shown = page.locator(".pager .shown").first
    expect(shown).to_have_text("1–100 of 250")
    expect(rows(page)).to_have_count(100)
    expect(page.locator("tbody th").first).to_have_text(checked[-1])
    page.get_by_role("button", name="Next").first.click()
    expect(shown).to_have_text("101–200 of 250")
    expect(page.locator("tbody th").first).to_have_text(trained[149])
    page.get_by_role("button", name="Next").last.click()
    page.wait_for_function("window.scrollY === 0")
    expect(shown).to_have_text("201–250 of 250")
    expect(rows(page)).to_have_count(50)
    expect(page.locator("tbody th").last).to_have_text(trained[0])
    page.get_by_label("Order").select_option("oldest first")
    expect(page.locator("tbody th").first).to_have_text(trained[0])
    page.get_by_label("Mode").select_option("val")
    expect(page.locator("tbody th")).to_have_text(checked)
    page.get_by_label("Mode").select_option("any")
    page.get_by_label("Search").fill(trained[7][4:])
    expect(page.locator("tbody th")).to_have_text([trained[7]])
    expect(page.get_by_label("Search")).to_be_focused()
    page.reload()
    expect(page.locator("tbody th")).to_have_text([trained[7]])
    expect(page.get_by_label("Search")).to_have_value(trained[7][4:])
    page.get_by_label("Search").fill("no such id")
    expect(page.get_by_text("No rollout is like that.")).to_be_visible()


def test_back_leads_to_where_somebody_was(server, window, page, expect):
    made = enqueue(server, 100)
    page.clock.install(time=0)
    window.open(server)
    link = page.get_by_role("link", name=made[10])
    link.scroll_into_view_if_needed()
    where = page.evaluate("scrollY")
    assert where > 1000
    page.clock.pause_at(5_400)
    typing = "box => { box.value = 'x'; box.dispatchEvent(new Event('input')); }"
    page.get_by_label("Search").evaluate(typing)
    link.click()
    title = page.get_by_role("heading", level=1)
    expect(title).to_have_text(made[10])
    # What was being typed there does not lead away from here.
    page.clock.run_for(1_000)
    page.clock.resume()
    expect(title).to_have_text(made[10])
    expect(title).to_be_focused()
    page.wait_for_function("scrollY === 0")
    page.go_back()
    expect(rows(page)).to_have_count(100)
    page.wait_for_function("where => scrollY === where", arg=where)


def traced(server):
    """A rollout that failed once and then succeeded, with spans 100 seconds long."""
    config = RolloutConfig(max_attempts=2, retry_condition=["failed"], timeout_seconds=900)
    (made,) = enqueue(server, 1, mode="train", config=config)
    failed, _ = claim(server, "first")
    finish(server, failed, "failed")
    claimed, ids = claim(server, "second")
    start = claimed.attempt.start_time
    spans = [
        span(ids, 1, "root", start, start + 100),
        span(ids, 2, "step", start + 20, start + 60, parent_id="s1"),
        span(ids, 3, "call", start + 30, start + 55, parent_id="s2", attributes={"a.b": "one\ntwo"}),
        span(ids, 4, "lost", start + 50, start + 75, parent_id="nobody", failed=True),
        span(ids, 5, "agentlightning.annotation", start + 90, start + 90, parent_id="s1",
             attributes={"agentlightning.reward.0.name": "x", "agentlightning.reward.0.value": 0.25}),
    ]  # fmt: skip
    # The children first, as they end first.
    server.do(server.store.add_many_spans(spans[::-1]))
    finish(server, claimed)
    return made, failed.attempt.attempt_id


def test_a_rollout_with_the_tree_of_its_spans(server, window, page, expect):
    made, failed = traced(server)
    window.open(server)
    page.get_by_role("link", name=made).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(made)
    expect(page).to_have_title(f"{made} – Rollouts")
    facts = page.locator(".facts").first
    expect(facts).to_contain_text("succeeded")
    expect(page.locator("#reward")).to_have_text("0.25")
    expect(page.locator("details", has_text="Input").locator("pre")).to_have_text(
        '{\n  "number": 0\n}'
    )
    attempts = page.get_by_role("table", name="Attempts").locator("tbody tr")
    expect(attempts).to_have_count(2)
    expect(attempts.nth(0)).to_contain_text("second")
    expect(attempts.nth(1)).to_contain_text("failed")
    expect(page.get_by_role("heading", name="Spans of attempt 2 (5)")).to_be_visible()
    names = page.locator(".spans .name")
    expect(names).to_have_text(["root", "step", "call", "agentlightning.annotation", "lost"])
    levels = page.locator(".spans .indented .unseen")
    expect(levels).to_have_text([f"level {n}" for n in (1, 2, 3, 2, 1)])
    bar = page.locator(".spans .bar").nth(2)
    assert bars(page) == [(0, 100), (20, 40), (30, 25), (90, 0), (50, 25)]
    box, track = bar.bounding_box(), page.locator(".track").nth(2).bounding_box()
    assert box["x"] - track["x"] == pytest.approx(0.3 * track["width"], abs=1.5)
    page.get_by_role("button", name="call").click()
    inside = page.locator("tr.inside")
    expect(inside).to_contain_text("a.b")
    expect(inside.locator(".values pre")).to_have_text("one\ntwo")
    page.get_by_role("button", name="1 below").click()
    expect(names).to_have_text(["root", "step", "agentlightning.annotation", "lost"])
    page.get_by_label("Search").fill("LOST")
    expect(names).to_have_text(["lost"])
    attempts.nth(1).get_by_role("link", name="1").click()
    expect(page.get_by_text("This attempt has no spans yet.")).to_be_visible()
    assert page.url.endswith(f"#/rollouts/{made}?attempt={failed}")
    page.go_back()
    expect(page.get_by_role("heading", name="Spans of attempt 2 (5)")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rollouts")


def bars(page):
    """From where and how wide each bar is, in whole percent."""
    script = "all => all.map(one => [one.style.left, one.style.width])"
    found = page.locator(".spans .bar").evaluate_all(script)
    return [tuple(round(float(text.rstrip("%"))) for text in pair) for pair in found]


def test_what_changes_is_seen_and_nothing_else_moves(server, window, page, expect):
    enqueue(server, 99)
    page.clock.install()  # it runs on by itself, too
    window.open(server)
    search = page.get_by_label("Search")
    expect(rows(page)).to_have_count(99)
    search.focus()
    page.evaluate("window.kept = document.querySelectorAll('table.rollouts tbody tr')[50]")
    page.evaluate("getSelection().selectAllChildren(window.kept.querySelector('th'))")
    page.evaluate("window.scrollTo(0, 1500)")
    top = page.evaluate("window.kept.getBoundingClientRect().top")
    (new,) = enqueue(server, 1)
    expect(page.locator("tbody th").first).to_have_text(new)
    expect(chip(page, "queuing")).to_have_text("queuing 100")
    chosen = page.evaluate("getSelection().toString()")
    assert chosen == page.evaluate("window.kept.querySelector('th').textContent")
    still = "top => Math.abs(window.kept.getBoundingClientRect().top - top) < 2"
    page.wait_for_function(still, arg=top)
    claim(server)
    page.clock.run_for(2_000)
    expect(chip(page, "preparing")).to_have_text("preparing 1")
    expect(page.locator("tbody tr").last.locator(".status")).to_have_text("preparing")


def test_spans_appear_while_somebody_looks(server, window, page, expect):
    enqueue(server, 1)
    claimed, ids = claim(server)
    page.clock.install()
    window.open(server, f"#/rollouts/{ids[0]}")
    expect(page.get_by_text("This attempt has no spans yet.")).to_be_visible()
    start = time.time()
    server.do(server.store.add_span(span(ids, 1, "child", start, start + 1, parent_id="s2")))
    page.clock.run_for(2_000)
    expect(page.locator(".spans .name")).to_have_text(["child"])
    page.locator(".spans .name").focus()
    server.do(server.store.add_span(span(ids, 2, "parent", start, start + 2)))
    page.clock.run_for(2_000)
    expect(page.locator(".spans .name")).to_have_text(["parent", "child"])
    expect(page.get_by_role("button", name="child")).to_be_focused()
    finish(server, claimed)
    page.clock.run_for(2_000)
    expect(page.locator(".facts").first.locator(".status")).to_have_text("succeeded")


def test_hostile_texts_are_texts(server, window, page, expect):
    store = server.store
    prompt = PromptTemplate(template=HOSTILE, engine="f-string")
    kept = server.do(store.add_resources({HOSTILE: prompt}))
    new = EnqueueRolloutRequest(input=HOSTILE, metadata={HOSTILE: HOSTILE})
    server.do(store.enqueue_many_rollouts([new]))
    _, ids = claim(server, HOSTILE)
    attributes = {HOSTILE: HOSTILE, "json": f'["{HOSTILE}'.replace('"', "'") + '"]'}
    server.do(store.add_span(span(ids, 1, HOSTILE, 1.0, 2.0, attributes=attributes)))
    server.do(store.update_worker(HOSTILE, {HOSTILE: HOSTILE}))
    window.open(server)
    expect(rows(page).locator("td").nth(3)).to_have_text(HOSTILE)
    expect(rows(page)).to_contain_text("<img src=x onerror=")
    page.get_by_role("link", name=ids[0]).click()
    expect(page.locator("details", has_text="Input").locator("pre")).to_contain_text("<img src=x")
    page.locator(".spans .name").click()
    expect(page.locator(".inside")).to_contain_text(HOSTILE)
    expect(page.get_by_role("link", name=HOSTILE)).to_be_visible()
    page.get_by_role("link", name=HOSTILE).click()
    expect(page.get_by_role("rowheader", name=HOSTILE)).to_be_visible()
    expect(page.get_by_label("Search")).to_have_value(HOSTILE)
    page.get_by_role("link", name="Resources").click()
    page.get_by_role("link", name=kept.resources_id).click()
    expect(page.get_by_role("heading", name=HOSTILE)).to_be_visible()
    expect(page.locator("td", has_text=HOSTILE)).to_be_visible()
    assert page.locator("main img, main script").count() == 0
    assert page.evaluate("window.hit") is None


def test_workers_and_since_when_they_are_silent(opening, window, page, expect):
    clock = ManualClock(time.time() - 300)
    server = opening(PageServer, store=InMemoryLightningStore(clock=clock))
    server.do(server.store.update_worker("gone", {"cpu": 1}))
    clock.advance(300)
    (made,) = enqueue(server, 1)
    claim(server, "busy one")
    server.do(server.store.update_worker("busy one", {"cpu": 2}))
    window.open(server, "#/workers")
    gone = page.locator("tbody tr", has_text="gone")
    expect(gone.locator(".silent")).to_be_visible()
    expect(gone).to_contain_text(re.compile(r"[5-9] min \d+ s ago"))
    busy = page.locator("tbody tr", has_text="busy one")
    expect(busy.locator(".status")).to_have_text("busy")
    page.get_by_label("Status").select_option("busy")
    expect(gone).to_have_count(0)
    page.get_by_role("link", name=made).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(made)


def test_resources_and_no_keys(server, window, page, expect):
    store = server.store
    model = LLM(endpoint="http://model", model="m", api_key="do-not-show")
    older = server.do(store.add_resources({"model": model}))
    newer = server.do(store.add_resources({"model": model}))
    window.open(server, "#/resources")
    listed = page.locator("tbody tr")
    expect(listed).to_have_count(2)
    latest = page.locator("tbody tr", has=page.locator(".tag:visible"))
    expect(latest.locator("a")).to_have_text(newer.resources_id)
    page.get_by_role("link", name=older.resources_id).click()
    expect(page.get_by_role("heading", name="model")).to_be_visible()
    expect(page.locator("main")).to_contain_text("http://model")
    assert "do-not-show" not in page.content()
    window.open(server, "#/resources/unknown")
    expect(page.get_by_text("No resources have this id.")).to_be_visible()
    window.open(server, "#/rollouts/unknown")
    expect(page.get_by_text("No rollout has this id.")).to_be_visible()


def test_a_server_that_is_away_is_said_and_found_again(server, wary, page, expect):
    enqueue(server, 1)
    page.clock.install()
    wary.open(server)
    expect(rows(page)).to_have_count(1)
    connection = page.locator("#connection")
    with server.away():
        page.clock.run_for(2_000)
        expect(connection).to_contain_text("Not reachable since")
        expect(rows(page)).to_have_count(1)
    page.clock.run_for(2_000)
    expect(connection).to_have_text("Live")
    enqueue(server, 1)
    page.clock.run_for(2_000)
    expect(rows(page)).to_have_count(2)
    # What the browser itself notes of connections that failed, and nothing of the page's.
    assert wary.problems
    assert all("Failed to load resource" in problem for problem in wary.problems)


def test_the_token_is_asked_for_once(opening, wary, page, expect):
    server = opening(PageServer, token="gehéim")
    enqueue(server, 3)
    wary.open(server)
    expect(page.get_by_role("heading", name="This server wants a token")).to_be_visible()
    expect(page.get_by_label("Token")).to_be_focused()
    expect(page.locator("#refused")).to_be_hidden()
    page.get_by_label("Token").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#refused")).to_have_text("The server does not know this token.")
    page.get_by_label("Token").fill("gehéim")
    page.get_by_role("button", name="Show the store").click()
    expect(rows(page)).to_have_count(3)
    expect(page.locator("#token")).to_be_hidden()
    page.reload()
    expect(rows(page)).to_have_count(3)
    assert page.evaluate("Object.values(localStorage)") == []
    assert all("401" in problem for problem in wary.problems)


def test_what_the_server_refuses_is_said(opening, wary, page, expect):
    store = InMemoryLightningStore(eviction_memory_threshold=3000, safe_memory_threshold=100)
    server = opening(PageServer, store=store)
    enqueue(server, 1)
    _, ids = claim(server)
    server.do(store.add_many_spans([span(ids, n, "s", 1.0, 2.0) for n in range(50)]))
    wary.open(server, f"#/rollouts/{ids[0]}")
    expect(page.locator("#view .problem")).to_contain_text("dropped to stay within memory")
    expect(page.locator(".facts").first).to_contain_text("running")
    expect(page.locator("#connection")).to_have_text("Live")


def test_a_server_that_gives_little_at_a_time(opening, window, page, expect):
    server = opening(PageServer, limits=Limits(page=30))
    made = enqueue(server, 130)
    _, ids = claim(server)
    server.do(server.store.add_many_spans([span(ids, n, "s", 1.0, 2.0) for n in range(50)]))
    window.open(server)
    expect(page.locator("tbody th")).to_have_text(made[:29:-1])
    window.open(server, f"#/rollouts/{ids[0]}")
    expect(page.locator(".spans .name")).to_have_count(50)


def test_a_hundred_thousand_rollouts(server, window, page, expect):
    many = 100_000
    ids = enqueue(server, many)
    window.open(server)
    expect(page.locator(".pager .shown").first).to_have_text("1–100 of 100,000")
    expect(page.locator("tbody th").first).to_have_text(ids[-1])
    expect(chip(page, "queuing")).to_have_text("queuing 100,000")
    page.get_by_label("Search").fill(ids[50][3:])
    expect(page.locator("tbody th")).to_have_text([ids[50]])
    window.open(server, "#/rollouts?page=1000")
    expect(page.locator("tbody th").last).to_have_text(ids[0])
    asked = [request.post_data_json for request in window.asked if request.method == "POST"]
    assert asked
    assert max(body["limit"] for body in asked) == 100


def test_ten_thousand_spans(server, window, page, expect):
    enqueue(server, 1)
    _, ids = claim(server)
    spans = [span(ids, 1, "root", 0.0, 10_000.0)]
    spans += [
        span(ids, n, f"step {n}", float(n), n + 1.0, parent_id="s1") for n in range(2, 10_501)
    ]
    server.do(server.store.add_many_spans(spans))
    window.open(server, f"#/rollouts/{ids[0]}")
    expect(
        page.get_by_role("heading", name="Spans of attempt 1 (10,000 of 10,500)")
    ).to_be_visible()
    names = page.locator(".spans .name")
    expect(names).to_have_count(500)
    page.get_by_role("button", name="Show 500 more of 9,500").click()
    expect(names).to_have_count(1000)
    page.get_by_role("button", name="Fetch 500 more of 500").click()
    expect(page.get_by_role("heading", name="Spans of attempt 1 (10,500)")).to_be_visible()
    page.get_by_label("Search").fill("step 10499")
    expect(names).to_have_text(["root", "step 10499"])


def look(page, state):
    """As the browser does when a tab is left or come back to."""
    page.evaluate(
        """state => {
          Object.defineProperty(document, "visibilityState", {value: state, configurable: true});
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        state,
    )


def test_only_a_page_that_is_seen_asks_and_never_twice_at_once(server, window, page, expect):
    page.clock.install(time=0)
    window.open(server)
    expect(page.locator("#connection")).to_have_text("Live")
    # From here on time passes only where it is said. Then what was asked for is answered.
    page.clock.pause_at(5_400)
    expect(page.locator("#connection")).to_have_attribute("title", "as of 01:30:00")

    def questions():
        return sum("/v1/agl/" in request.url for request in window.asked)

    look(page, "hidden")
    before = questions()
    page.clock.run_for(60_000)
    assert questions() == before
    held = []
    page.route("**/v1/agl/**", held_until_freed(held))
    with page.expect_request("**/v1/agl/**"):
        look(page, "visible")
    before = questions()
    page.clock.run_for(15_000)
    assert questions() == before
    (new,) = enqueue(server, 1)
    for route in held:
        route.continue_()
    held.append(None)
    expect(page.locator("tbody th")).to_have_text([new])
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#connection")).to_have_text("Paused")
    (newer,) = enqueue(server, 1)
    before = questions()
    page.clock.run_for(60_000)
    assert questions() == before
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("tbody th")).to_have_text([newer, new])


def held_until_freed(held):
    """Keeps requests from the server until None is among them."""

    def hold(route):
        if None in held:
            route.continue_()
        else:
            held.append(route)

    return hold


def test_trees_that_are_none(server, window, page):
    """Cycles, a span that is its own parent, and one deeper than any stack."""
    window.open(server)
    script = """async spans => {
      const { tree } = await import("/page/spans.js");
      return tree(spans).map(row => [row.span.span_id, row.depth]);
    }"""

    def tree(*pairs):
        made = [
            {"span_id": id, "parent_id": parent, "start_time": at, "sequence_id": at}
            for at, (id, parent) in enumerate(pairs)
        ]
        return [tuple(row) for row in page.evaluate(script, made)]

    assert tree(("a", "b"), ("b", "a")) == [("a", 0), ("b", 1)]
    assert tree(("r", None), ("x", "z"), ("y", "x"), ("z", "y"), ("w", "y")) == [
        ("r", 0), ("x", 0), ("y", 1), ("z", 2), ("w", 2),
    ]  # fmt: skip
    assert tree(("a", "a"), ("b", "a")) == [("a", 0), ("b", 1)]
    deep = """async () => {
      const { tree, visible } = await import("/page/spans.js");
      const spans = Array.from({length: 20000}, (_, at) => ({
        span_id: `n${at}`, parent_id: `n${at - 1}`, name: "n", start_time: at, sequence_id: at,
      }));
      return [tree(spans).at(-1).depth, visible(tree(spans), new Set(["n7"]), "").length];
    }"""
    assert page.evaluate(deep) == [19_999, 8]


def test_rewards_of_all_releases(server, window, page):
    window.open(server)
    script = """async spans => {
      const { finalReward } = await import("/page/spans.js");
      return finalReward(spans);
    }"""

    def reward(*spans):
        made = [{"name": "n", "sequence_id": at, **some} for at, some in enumerate(spans)]
        return page.evaluate(script, made)

    new = {"attributes": {"agentlightning.reward.0.value": 0.5}}
    old = {"name": "agentlightning.annotation", "attributes": {"reward": True}}
    agentops = {"attributes": {"agentops.entity.output": '{"type": "reward", "value": 3}'}}
    none = {"attributes": {"reward": 9, "agentops.task.output": "{no json"}}
    assert reward(new) == 0.5
    assert reward(new, old, none) == 1
    assert reward(old, agentops, none) == 3
    assert reward({**new, "sequence_id": 7}, old) == 0.5
    assert reward(none) is None
    assert reward() is None


def test_json_as_python_writes_it(server, window, page, expect):
    large = 12345678901234567890
    value = {
        "none": float("nan"),
        "most": [float("-inf")],
        "text": 'NaN "Infinity" \\',
        "id": large,
    }
    (made,) = server.do(server.store.enqueue_many_rollouts([EnqueueRolloutRequest(input=value)]))
    window.open(server, f"#/rollouts/{made.rollout_id}")
    shown = page.locator("details", has_text="Input").locator("pre")
    for part in ('"none": "NaN"', '"-Infinity"', '"NaN \\"Infinity\\" \\\\"', f'"id": {large}'):
        expect(shown).to_contain_text(part)


def test_durations_and_times(server, window, page):
    window.open(server)
    script = """async seconds => {
      const { duration, iso, ago, local } = await import("/page/times.js");
      return [seconds.map(duration), iso(0.5), iso(1e300), local(null), ago(90, 100), ago(null, 1)];
    }"""
    given = [0, 0.0001, 0.0123, 0.9996, 59.96, 61, 3725, 90_000, -2, None]
    durations, *times = page.evaluate(script, given)
    assert durations == [
        "0 ms", "<1 ms", "12 ms", "1.00 s", "1 min 0 s", "1 min 1 s", "1 h 2 min", "1 d 1 h",
        "−2.00 s", "–",
    ]  # fmt: skip
    assert times == ["1970-01-01T00:00:00.500Z", "", "–", "10 s ago", "never"]


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_is_wider_than_the_window(server, window, page, expect, width):
    made, _ = traced(server)
    server.do(
        server.store.add_resources({"p" * 80: PromptTemplate(template="x" * 500, engine="poml")})
    )
    page.set_viewport_size({"width": width, "height": 700})
    for place in ("#/rollouts", f"#/rollouts/{made}", "#/workers", "#/resources"):
        window.open(server, place)
        expect(page.locator("tbody tr").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
