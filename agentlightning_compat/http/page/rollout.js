// One rollout: what it is, its attempts, and the spans of the chosen one.

import { address } from "./places.js";
import { now, search } from "./server.js";
import { facts, json, keyed, longText, make, moment, say, set, status, table } from "./show.js";
import { spanTree } from "./span_tree.js";
import { ago, counting, duration, recent } from "./times.js";

const MOST_ATTEMPTS = 200;
const COLUMNS = [
  ["Attempt"], ["Status"], ["Worker"], ["Started"], ["Duration", "number"], ["Last heartbeat", "less"],
];

/** The view. */
export function rolloutPage(root) {
  let id = null;
  let where = {};
  const title = make("h1", { tabindex: "-1", class: "id" });
  const missing = make("p", { class: "nothing", hidden: true }, "No rollout has this id.");
  const fields = fieldList();
  const texts = ["Input", "Configuration", "Metadata"].map((name) => folded(name, name === "Input"));
  const { box, rows } = table("Attempts", COLUMNS);
  const more = make("p", { class: "nothing", hidden: true });
  const spans = spanTree();
  const attempts = make("section", {}, make("h2", {}, "Attempts"), box, more);
  const body = make(
    "div", {}, fields.element, ...texts.map((one) => one.element), attempts, spans.element,
  );
  const back = make("a", { href: address("rollouts") }, "Rollouts");
  root.append(make("p", { class: "back" }, back), title, missing, body);

  async function load(signal) {
    const [found, tries] = await Promise.all([
      search("rollouts/search", { rollout_id_in: [id], limit: 1 }, signal),
      search(`rollouts/${encodeURIComponent(id)}/attempts/search`, {
        sort_by: "sequence_id", sort_order: "desc", limit: MOST_ATTEMPTS,
      }, signal),
    ]);
    const [rollout = null] = found.items;
    const attempt = chosen(tries.items);
    await spans.load(attempt, signal);
    return () => draw(rollout, tries, attempt);
  }

  // The latest one, also when another begins, unless somebody picked one.
  function chosen(listed) {
    return listed.find((one) => one.attempt_id === where.attempt) ?? listed[0] ?? null;
  }

  function draw(rollout, tries, attempt) {
    say(title, id);
    missing.hidden = rollout !== null;
    body.hidden = rollout === null;
    if (rollout === null) return;
    fields.update(rollout, spans.reward());
    const metadata = Object.keys(rollout.metadata ?? {}).length ? rollout.metadata : null;
    [rollout.input, rollout.config, metadata].forEach((value, at) => texts[at].update(value));
    const current = attempt?.attempt_id;
    const change = (element, item) => changeAttempt(element, item, current);
    keyed(rows, tries.items, (item) => item.attempt_id, attemptRow, change);
    box.hidden = tries.items.length === 0;
    const cut = tries.total > tries.items.length;
    more.hidden = !cut && tries.total > 0;
    say(more, cut ? `The latest ${tries.items.length} of ${tries.total}.` : "Nobody has claimed it yet.");
    spans.draw();
  }

  return {
    get title() {
      return `${id} – Rollouts`;
    },
    load,
    go(wanted, asked) {
      id = wanted;
      where = asked;
    },
  };
}

// A value that can be folded away; only a change of it is drawn.
function folded(name, open) {
  const place = make("div");
  const element = make("details", { open }, make("summary", {}, name), place);
  let shown = null;
  const update = (value) => {
    const text = typeof value === "string" && value.includes("\n") ? value : json(value);
    if (text !== shown) place.replaceChildren(longText(text));
    shown = text;
    element.hidden = value === null && name === "Metadata";
  };
  return { element, update };
}

function fieldList() {
  const cells = {
    status: make("span"), mode: make("span"), reward: make("strong", { id: "reward" }),
    created: make("time"), ended: make("time"), duration: make("span"),
    resources: make("a"), none: make("span", {}, "–"),
  };
  const element = facts([
    ["Status", cells.status],
    ["Final reward", cells.reward],
    ["Mode", cells.mode],
    ["Created", cells.created],
    ["Ended", cells.ended],
    ["Duration", cells.duration],
    ["Resources", make("span", {}, cells.resources, cells.none)],
  ]);
  const update = (rollout, reward) => {
    status(cells.status, rollout.status);
    say(cells.reward, reward === null ? "–" : String(reward));
    say(cells.mode, rollout.mode ?? "–");
    moment(cells.created, rollout.start_time);
    moment(cells.ended, rollout.end_time);
    say(cells.duration, lasted(rollout));
    const resources = rollout.resources_id;
    cells.resources.hidden = resources === null;
    cells.none.hidden = resources !== null;
    say(cells.resources, resources ?? "");
    if (resources !== null) set(cells.resources, "href", address("resources", resources));
  };
  return { element, update };
}

function lasted({ start_time: start, end_time: end }) {
  return end === null ? `${counting(now() - start)} so far` : duration(end - start);
}

function attemptRow(item) {
  const cells = {
    status: make("span"), worker: make("td", { class: "id" }), link: make("a"), started: make("time"),
    duration: make("td", { class: "number" }), heard: make("time"),
  };
  const where = { attempt: item.attempt_id };
  cells.pick = make("a", { href: address("rollouts", item.rollout_id, where), title: item.attempt_id });
  say(cells.pick, `${item.sequence_id}`);
  const element = make(
    "tr", {},
    make("th", { scope: "row" }, cells.pick, " ", make("span", { class: "small id less" }, item.attempt_id)),
    make("td", {}, cells.status),
    cells.worker,
    make("td", {}, cells.started),
    cells.duration,
    make("td", { class: "less" }, cells.heard),
  );
  element.cells_by_name = cells;
  return element;
}

function changeAttempt(element, item, current) {
  const cells = element.cells_by_name;
  const chosen = item.attempt_id === current;
  set(element, "data-chosen", chosen ? "" : null);
  set(cells.pick, "aria-current", chosen ? "true" : null);
  status(cells.status, item.status);
  if (item.worker_id === null) say(cells.worker, "–");
  else {
    say(cells.link, item.worker_id);
    set(cells.link, "href", address("workers", null, { q: item.worker_id }));
    if (cells.link.parentNode !== cells.worker) cells.worker.replaceChildren(cells.link);
  }
  moment(cells.started, item.start_time, recent(item.start_time, now()));
  say(cells.duration, lasted(item));
  const heard = item.last_heartbeat_time;
  moment(cells.heard, heard, ago(heard, now()));
}
