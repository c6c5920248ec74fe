// The list of rollouts: how many of each status, search, and a hundred of them.

import { address, go, pageOf } from "./places.js";
import { now, search } from "./server.js";
import {
  choice, counted, keyed, make, moment, pager, say, searchBox, set, short, status, table,
} from "./show.js";
import { counting, duration, recent } from "./times.js";

const SIZE = 100;
const STATUSES = [
  "queuing", "requeuing", "preparing", "running", "succeeded", "failed", "cancelled",
];
const COLUMNS = [
  ["Rollout"], ["Status"], ["Mode", "less"], ["Attempt", "number less"], ["Worker", "less"],
  ["Created"], ["Duration", "number"], ["Input", "less"],
];

/** The view; `where` is what the address says. */
export function rolloutList(root) {
  let where = {};
  const change = (some, quietly = false) =>
    go(address("rollouts", null, { ...where, page: "", ...some }), quietly);
  const chips = statusChips(change, () => where);
  const filters = filterRow(change);
  const { box, rows } = table("Rollouts", COLUMNS, { class: "rollouts" });
  const nothing = make("p", { class: "nothing", hidden: true }, "");
  const pages = pager((step) => change({ page: pageOf(where) + 1 + step }));
  // Below, too, where somebody is who has read all of a page.
  const below = pager((step) => {
    change({ page: pageOf(where) + 1 + step });
    window.scrollTo(0, 0);
  });
  filters.element.append(pages.element);
  root.append(make("h1", { tabindex: "-1" }, "Rollouts"), chips.element, filters.element);
  root.append(box, nothing, make("div", { class: "filters below" }, below.element));
  const totals = new Map();

  async function load(signal) {
    const fields = body(where);
    const key = JSON.stringify(fields);
    const page = await newest(fields, pageOf(where), totals.get(key), where.order, signal);
    const counts = await countStatuses(signal);
    totals.clear();
    totals.set(key, page.total);
    return () => draw(page, counts);
  }

  function draw(page, counts) {
    chips.update(counts);
    for (const one of [pages, below]) one.update(page.number, SIZE, page.total);
    below.element.hidden = page.items.length < SIZE / 4;
    keyed(rows, page.items, (item) => item.rollout_id, row, update);
    box.hidden = page.items.length === 0;
    nothing.hidden = page.items.length > 0;
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
    say(nothing, all === 0 ? "There are no rollouts yet." : "No rollout is like that.");
  }

  return {
    title: "Rollouts",
    load,
    go(id, wanted) {
      where = wanted;
      filters.update(where);
      chips.mark();
    },
  };
}

function chosen(where) {
  return (where.status ?? "").split(",").filter((name) => STATUSES.includes(name));
}

function body(where) {
  const statuses = chosen(where);
  return {
    ...(statuses.length ? { status_in: statuses } : {}),
    ...(where.mode ? { mode_in: [where.mode] } : {}),
    ...(where.q ? { rollout_id_contains: where.q } : {}),
  };
}

// The server keeps rollouts in the order of their start, so the newest are its last ones: a part
// from the end of that order costs nothing, where sorting would cost all of them every time.
async function newest(fields, wanted, known, order, signal) {
  let total = known ?? (await search("rollouts/search", { ...fields, limit: 0 }, signal)).total;
  for (let again = 0; ; again += 1) {
    const number = Math.min(wanted, Math.max(0, Math.ceil(total / SIZE) - 1));
    const end = total - number * SIZE;
    const offset = order === "oldest" ? number * SIZE : Math.max(0, end - SIZE);
    const limit = order === "oldest" ? SIZE : end - offset;
    const page = await search("rollouts/search", { ...fields, limit, offset }, signal);
    if (page.total === total || again === 3) {
      const items = order === "oldest" ? page.items : page.items.reverse();
      return { items, number, total: page.total };
    }
    total = page.total;
  }
}

async function countStatuses(signal) {
  const count = (name) => search("rollouts/search", { status_in: [name], limit: 0 }, signal);
  const pages = await Promise.all(STATUSES.map(count));
  return new Map(STATUSES.map((name, at) => [name, pages[at].total]));
}

function statusChips(change, where) {
  const chip = (name, text) => {
    const number = make("span", { class: "count" }, "");
    const mark = name === null ? "" : make("span", { class: "dot", "aria-hidden": "true" });
    const press = () => {
      const before = chosen(where());
      const after = before.includes(name) ? before.filter((one) => one !== name) : [...before, name];
      change({ status: name === null ? "" : after.join(",") });
    };
    const properties = { type: "button", class: "chip", "data-status": name, click: press };
    return { name, number, button: make("button", properties, mark, text, " ", number) };
  };
  const chips = [chip(null, "all"), ...STATUSES.map((name) => chip(name, name))];
  const buttons = chips.map((one) => one.button);
  const element = make(
    "div", { class: "chips", role: "group", "aria-label": "Status" }, ...buttons,
  );
  const mark = () => {
    const pressed = chosen(where());
    for (const { name, button } of chips) {
      const on = name === null ? pressed.length === 0 : pressed.includes(name);
      set(button, "aria-pressed", on);
    }
  };
  const update = (counts) => {
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
    for (const { name, number } of chips) say(number, counted(name === null ? all : counts.get(name)));
  };
  return { element, mark, update };
}

function filterRow(change) {
  const modes = [["", "any"], ["train", "train"], ["val", "val"], ["test", "test"]];
  const orders = [["", "newest first"], ["oldest", "oldest first"]];
  const words = searchBox("part of an id", (q) => change({ q }, true));
  const mode = choice(modes, (picked) => change({ mode: picked }));
  const order = choice(orders, (picked) => change({ order: picked }));
  const element = make(
    "div",
    { class: "filters", role: "search" },
    make("label", {}, "Search ", words.element),
    make("label", {}, "Mode ", mode),
    make("label", {}, "Order ", order),
  );
  const update = (where) => {
    words.update(where.q ?? "");
    mode.value = where.mode ?? "";
    order.value = where.order ?? "";
  };
  return { element, update };
}

function row(item) {
  const link = make("a", { href: address("rollouts", item.rollout_id) }, item.rollout_id);
  const cells = {
    status: make("span"), mode: make("td", { class: "less" }),
    attempt: make("td", { class: "number less" }), worker: make("td", { class: "less" }),
    created: make("time"), duration: make("td", { class: "number" }),
    input: make("td", { class: "less input" }),
  };
  const element = make(
    "tr", {},
    make("th", { scope: "row", class: "id" }, link),
    make("td", {}, cells.status),
    cells.mode, cells.attempt, cells.worker,
    make("td", {}, cells.created), cells.duration, cells.input,
  );
  element.cells_by_name = cells;
  return element;
}

function update(element, item) {
  const cells = element.cells_by_name;
  status(cells.status, item.status);
  say(cells.mode, item.mode ?? "–");
  say(cells.attempt, item.attempt ? String(item.attempt.sequence_id) : "–");
  say(cells.worker, item.attempt?.worker_id ?? "–");
  moment(cells.created, item.start_time, recent(item.start_time, now()));
  const { start_time: start, end_time: end } = item;
  say(cells.duration, end === null ? counting(now() - start) : duration(end - start));
  set(cells.duration, "data-open", end === null ? "" : null);
  say(cells.input, short(item.input, 90));
}
