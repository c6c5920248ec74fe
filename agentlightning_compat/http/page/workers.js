// The workers: what each does, and when it was last heard.

import { address, go, pageOf } from "./places.js";
import { now, search } from "./server.js";
import {
  choice, json, keyed, make, moment, pager, say, searchBox, set, short, status, table,
} from "./show.js";
import { ago } from "./times.js";

const SIZE = 100;
// Runners say every ten seconds that they are there: who said nothing for three times as long is
// likely gone. A claim is a sign of life too.
const SILENT = 30;
const COLUMNS = [
  ["Worker"], ["Status"], ["Last heartbeat"], ["Rollout"], ["Last claim", "less"], ["Machine", "less"],
];

/** The view. */
export function workerList(root) {
  let where = {};
  const change = (some, quietly) =>
    go(address("workers", null, { ...where, page: "", ...some }), quietly);
  const states = [["", "any"], ["busy", "busy"], ["idle", "idle"], ["unknown", "unknown"]];
  const orders = [["", "by id"], ["heard", "last heard first"]];
  const words = searchBox("part of an id", (q) => change({ q }, true));
  const state = choice(states, (picked) => change({ status: picked }));
  const order = choice(orders, (picked) => change({ order: picked }));
  const pages = pager((step) => change({ page: pageOf(where) + 1 + step }));
  const { box, rows } = table("Workers", COLUMNS);
  const nothing = make("p", { class: "nothing", hidden: true }, "");
  root.append(
    make("h1", { tabindex: "-1" }, "Workers"),
    make(
      "div",
      { class: "filters", role: "search" },
      make("label", {}, "Search ", words.element),
      make("label", {}, "Status ", state),
      make("label", {}, "Order ", order),
      pages.element,
    ),
    box,
    nothing,
  );

  async function load(signal) {
    const heard = where.order === "heard";
    const page = await search("workers/search", {
      ...(where.status ? { status_in: [where.status] } : {}),
      ...(where.q ? { worker_id_contains: where.q } : {}),
      sort_by: heard ? "last_heartbeat_time" : "worker_id",
      sort_order: heard ? "desc" : "asc",
      limit: SIZE,
      offset: pageOf(where) * SIZE,
    }, signal);
    return () => {
      keyed(rows, page.items, (item) => item.worker_id, row, update);
      pages.update(pageOf(where), SIZE, page.total);
      box.hidden = page.items.length === 0;
      nothing.hidden = page.items.length > 0;
      const filtered = where.q || where.status;
      say(nothing, filtered ? "No worker is like that." : "No worker has been here yet.");
    };
  }

  return {
    title: "Workers",
    load,
    go(id, wanted) {
      where = wanted;
      words.update(where.q ?? "");
      state.value = where.status ?? "";
      order.value = where.order ?? "";
    },
  };
}

function row(item) {
  const cells = {
    status: make("span"), heard: make("time"), silent: make("span", { class: "silent" }, "silent"),
    rollout: make("td", { class: "id" }), link: make("a"), claimed: make("time"),
    machine: make("td", { class: "less input" }),
  };
  const element = make(
    "tr", {},
    make("th", { scope: "row", class: "id" }, item.worker_id),
    make("td", {}, cells.status),
    make("td", {}, cells.heard, " ", cells.silent),
    cells.rollout,
    make("td", { class: "less" }, cells.claimed),
    cells.machine,
  );
  element.cells_by_name = cells;
  return element;
}

function update(element, item) {
  const cells = element.cells_by_name;
  const heard = item.last_heartbeat_time;
  status(cells.status, item.status);
  moment(cells.heard, heard, ago(heard, now()));
  const sign = Math.max(heard ?? 0, item.last_dequeue_time ?? 0);
  const silent = now() - sign > SILENT;
  cells.silent.hidden = !silent;
  set(element, "data-silent", silent ? "" : null);
  if (item.current_rollout_id === null) say(cells.rollout, "–");
  else {
    const attempt = item.current_attempt_id;
    set(cells.link, "href", address("rollouts", item.current_rollout_id, { attempt }));
    say(cells.link, item.current_rollout_id);
    if (cells.link.parentNode !== cells.rollout) cells.rollout.replaceChildren(cells.link);
  }
  moment(cells.claimed, item.last_dequeue_time, ago(item.last_dequeue_time, now()));
  const stats = item.heartbeat_stats;
  say(cells.machine, stats === null ? "–" : short(stats, 80));
  set(cells.machine, "title", stats === null ? null : json(stats));
}
