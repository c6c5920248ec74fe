// The spans of an attempt as a table: a tree with a timeline.

import { now, Refused, search } from "./server.js";
import { counted, facts, json, keyed, longText, make, say, searchBox, set, table, values } from "./show.js";
import { bar, finalReward, range, reward, tree, visible } from "./spans.js";
import { duration, iso, local } from "./times.js";

// Asked for at a time, fetched without being asked to, and drawn at first.
const CHUNK = 1000;
const MOST = 10000;
const ROWS = 500;
const DEEPEST = 24;

/** What shows the spans of one attempt after the other. */
export function spanTree() {
  const state = { attempt: null, spans: [], total: 0, most: MOST, rows: ROWS, problem: null };
  const closed = new Set();
  const opened = new Set();
  let arranged = [];
  let words = "";
  const heading = make("h2", {}, "Spans");
  const find = searchBox("part of a name", (text) => {
    words = text;
    draw();
  });
  const axis = make("th", { scope: "col", class: "axis" }, make("span", {}, "0"), make("span"));
  const { box, rows, table: element } = table("Spans", [["Span"], ["Start", "number less"], ["Duration", "number"]], {
    class: "spans",
  });
  element.querySelector("thead tr").append(axis);
  const problem = make("p", { class: "problem", hidden: true });
  const nothing = make("p", { class: "nothing", hidden: true });
  const more = make("button", { type: "button", hidden: true, click: () => grow("rows", ROWS) });
  const fetch_more = make("button", { type: "button", hidden: true, click: () => grow("most", MOST) });
  const filter = make("div", { class: "filters" }, make("label", {}, "Search ", find.element));
  const section = make("section", {}, heading, filter, problem, box, nothing, more, fetch_more);

  function grow(name, by) {
    state[name] += by;
    if (name === "rows") draw();
    else window.dispatchEvent(new Event("agl-ask"));
  }

  async function load(attempt, signal) {
    if (attempt?.attempt_id !== state.attempt?.attempt_id || attempt?.rollout_id !== state.attempt?.rollout_id) {
      forget();
    }
    state.attempt = attempt;
    state.problem = null;
    if (attempt === null) return;
    try {
      await fetchNew(attempt, signal);
    } catch (error) {
      if (!(error instanceof Refused) || error.status === 401) throw error;
      state.problem = error.message;
    }
  }

  function forget() {
    Object.assign(state, { spans: [], total: 0, most: MOST, rows: ROWS });
    closed.clear();
    opened.clear();
    arranged = [];
  }

  // In the order of arrival nothing ever comes in between: what is here need not be asked for.
  async function fetchNew(attempt, signal) {
    const asked = { rollout_id: attempt.rollout_id, attempt_id: attempt.attempt_id, sort_by: null };
    for (;;) {
      const limit = Math.min(CHUNK, state.most - state.spans.length);
      const page = await search("spans/search", { ...asked, limit, offset: state.spans.length }, signal);
      if (page.total < state.spans.length) forget(); // another store stands behind the server now
      else {
        state.spans.push(...page.items);
        state.total = page.total;
      }
      if (page.items.length > 0) arranged = [];
      const enough = Math.min(state.total, state.most);
      if (state.spans.length >= enough || page.items.length === 0) return;
      if (state.spans.length === CHUNK) draw();
    }
  }

  function draw() {
    const { attempt, spans, total } = state;
    section.hidden = attempt === null;
    if (attempt === null) return;
    if (arranged.length === 0) arranged = tree(spans);
    const whole = spans.length < total ? `${counted(spans.length)} of ` : "";
    say(heading, `Spans of attempt ${attempt.sequence_id} (${whole}${counted(total)})`);
    problem.hidden = state.problem === null;
    say(problem, state.problem ?? "");
    const listed = visible(arranged, closed, words);
    const line = range(attempt, spans, now());
    drawRows(listed.slice(0, state.rows), line);
    say(axis.lastChild, duration(line.to - line.from));
    box.hidden = listed.length === 0;
    filter.hidden = spans.length === 0;
    nothing.hidden = listed.length > 0 || state.problem !== null;
    say(nothing, spans.length === 0 ? "This attempt has no spans yet." : "No span is called that.");
    const left = listed.length - state.rows;
    more.hidden = left <= 0;
    say(more, `Show ${counted(Math.min(left, ROWS))} more of ${counted(left)}`);
    const away = total - spans.length;
    fetch_more.hidden = away <= 0 || spans.length < state.most;
    say(fetch_more, `Fetch ${counted(Math.min(away, MOST))} more of ${counted(away)}`);
  }

  function drawRows(listed, line) {
    const items = [];
    for (const item of listed) {
      items.push({ ...item, key: item.span.span_id });
      if (opened.has(item.span.span_id)) items.push({ ...item, key: `${item.span.span_id} `, inside: true });
    }
    const create = (item) => (item.inside ? insideRow(item.span) : spanRow(item, toggle));
    const update = (row, item) => {
      if (!item.inside) change(row, item, line, closed, opened);
    };
    keyed(rows, items, (item) => item.key, create, update);
  }

  function toggle(name, id) {
    const chosen = name === "closed" ? closed : opened;
    if (!chosen.delete(id)) chosen.add(id);
    draw();
  }

  const last = () => finalReward(state.spans);
  return { element: section, load, draw, reward: last };
}

function spanRow({ span }, toggle) {
  const cells = {
    fold: make("button", { type: "button", class: "fold", click: () => toggle("closed", span.span_id) }),
    name: make("button", { type: "button", class: "name", click: () => toggle("opened", span.span_id) }),
    level: make("span", { class: "unseen" }), tag: make("span", { class: "tag" }),
    failed: make("span", { class: "status", "data-status": "failed" }, "error"),
    start: make("td", { class: "number less" }), duration: make("td", { class: "number" }),
    bar: make("div", { class: "bar" }),
  };
  say(cells.name, span.name || "(no name)");
  const value = reward(span);
  cells.tag.hidden = value === null;
  say(cells.tag, `reward ${value}`);
  cells.failed.hidden = span.status?.status_code !== "ERROR";
  cells.indented = make("div", { class: "indented" }, cells.fold, cells.level, cells.name, cells.tag, cells.failed);
  const element = make(
    "tr", {},
    make("th", { scope: "row" }, cells.indented),
    cells.start, cells.duration,
    make("td", { class: "line" }, make("div", { class: "track" }, cells.bar)),
  );
  element.cells_by_name = cells;
  return element;
}

function change(element, { span, depth, children }, line, closed, opened) {
  const cells = element.cells_by_name;
  const folded = closed.has(span.span_id);
  cells.indented.style.setProperty("--depth", Math.min(depth, DEEPEST));
  say(cells.level, `level ${depth + 1}`);
  set(cells.fold, "data-leaf", children === 0 ? "" : null);
  set(cells.fold, "aria-hidden", children === 0 ? "true" : null);
  cells.fold.disabled = children === 0;
  set(cells.fold, "aria-expanded", children === 0 ? null : !folded);
  set(cells.fold, "aria-label", `${children} below`);
  set(cells.name, "aria-expanded", opened.has(span.span_id));
  const { start_time: start, end_time: end } = span;
  say(cells.start, start === null ? "–" : `+${duration(start - line.from)}`);
  set(cells.start, "title", iso(start) || null);
  say(cells.duration, end === null ? "open" : duration(end - start));
  const place = bar(span, line);
  cells.bar.hidden = place === null;
  if (place === null) return;
  cells.bar.style.left = `${(100 * place.left).toFixed(3)}%`;
  cells.bar.style.width = `${(100 * place.width).toFixed(3)}%`;
  set(cells.bar, "data-open", end === null ? "" : null);
  set(cells.bar, "data-failed", span.status?.status_code === "ERROR" ? "" : null);
}

// What is known of a span. It was complete when it was stored: nothing in here changes.
function insideRow(span) {
  const { status_code: code, description } = span.status ?? {};
  const parts = [
    facts([
      ["Status", description ? `${code}: ${description}` : (code ?? "–")],
      ["Started", local(span.start_time)],
      ["Ended", local(span.end_time)],
      ["Span", span.span_id],
      ["Parent", span.parent_id ?? "–"],
      ["Trace", span.trace_id],
      ["Number", String(span.sequence_id)],
    ]),
    ...valuesOf("Attributes", span.attributes),
    ...(span.events ?? []).flatMap((event) => [
      make("h3", {}, `Event ${event.name}, ${local(event.timestamp)}`),
      values(event.attributes),
    ]),
    ...(span.links?.length ? [make("h3", {}, "Links"), longText(json(span.links))] : []),
    ...valuesOf("Resource", span.resource?.attributes),
  ];
  return make("tr", { class: "inside" }, make("td", { colspan: "4" }, ...parts));
}

function valuesOf(title, attributes) {
  const known = attributes !== null && typeof attributes === "object" && Object.keys(attributes).length > 0;
  return known ? [make("h3", {}, title), values(attributes)] : [];
}
