// What an algorithm hands to agents: the list of what was stored, and one of them.

import { address, go, pageOf } from "./places.js";
import { ask, now, search } from "./server.js";
import { facts, json, keyed, make, moment, pager, say, table, values } from "./show.js";
import { local, recent } from "./times.js";

const SIZE = 50;
const COLUMNS = [["Resources"], ["Version", "number less"], ["Created"], ["Changed", "less"], ["Contents"]];
// A page is looked at by more people than a key is for.
const SECRET = /^(api_?key|token|secret|password|authorization)$/i;

/** The view of all. */
export function resourcesList(root) {
  let where = {};
  const pages = pager((step) => go(address("resources", null, { page: pageOf(where) + 1 + step })));
  const { box, rows } = table("Resources", COLUMNS);
  const nothing = make("p", { class: "nothing", hidden: true }, "No resources were stored yet.");
  root.append(
    make("h1", { tabindex: "-1" }, "Resources"),
    make("div", { class: "filters" }, pages.element),
    box,
    nothing,
  );

  async function load(signal) {
    const order = { sort_by: "create_time", sort_order: "desc" };
    const page = await search(
      "resources", { ...order, limit: SIZE, offset: pageOf(where) * SIZE }, signal,
    );
    const latest = await ask("resources/latest", undefined, signal);
    return () => {
      const update = (element, item) => change(element, item, latest?.resources_id);
      keyed(rows, page.items, (item) => item.resources_id, row, update);
      pages.update(pageOf(where), SIZE, page.total);
      box.hidden = page.items.length === 0;
      nothing.hidden = page.items.length > 0;
    };
  }

  const move = (id, wanted) => {
    where = wanted;
  };
  return { title: "Resources", load, go: move };
}

function row(item) {
  const cells = {
    latest: make("span", { class: "tag" }, "latest"), version: make("td", { class: "number less" }),
    created: make("time"), changed: make("time"), contents: make("td", { class: "wrap" }),
  };
  const link = make("a", { href: address("resources", item.resources_id) }, item.resources_id);
  const element = make(
    "tr", {},
    make("th", { scope: "row", class: "id" }, link, " ", cells.latest),
    cells.version,
    make("td", {}, cells.created),
    make("td", { class: "less" }, cells.changed),
    cells.contents,
  );
  element.cells_by_name = cells;
  return element;
}

function change(element, item, latest) {
  const cells = element.cells_by_name;
  cells.latest.hidden = item.resources_id !== latest;
  say(cells.version, String(item.version));
  moment(cells.created, item.create_time, recent(item.create_time, now()));
  moment(cells.changed, item.update_time, recent(item.update_time, now()));
  const named = Object.entries(item.resources).map(([name, one]) => `${name} (${one.resource_type})`);
  say(cells.contents, named.join(", ") || "nothing");
}

/** The view of one. */
export function resourcesPage(root) {
  let wanted = null;
  let shown = null;
  const title = make("h1", { tabindex: "-1", class: "id" });
  const contents = make("div");
  const back = make("a", { href: address("resources") }, "Resources");
  root.append(make("p", { class: "back" }, back), title, contents);

  async function load(signal) {
    const page = await search("resources", { resources_id: wanted, limit: 1 }, signal);
    const [found = null] = page.items;
    return () => {
      say(title, wanted);
      const text = json(found);
      // Only a change is drawn: what somebody selects or has scrolled to stays.
      if (text !== shown) contents.replaceChildren(...(found ? parts(found) : [missing()]));
      shown = text;
    };
  }

  const move = (id) => {
    if (id !== wanted) shown = null;
    wanted = id;
  };
  return { title: "Resources", load, go: move };
}

function missing() {
  return make("p", { class: "nothing" }, "No resources have this id.");
}

function parts(found) {
  const known = facts([
    ["Version", String(found.version)],
    ["Created", local(found.create_time)],
    ["Changed", local(found.update_time)],
  ]);
  const sections = Object.entries(found.resources).map(([name, resource]) =>
    make("section", {}, make("h2", {}, name), values(Object.fromEntries(Object.entries(resource).map(fact)))),
  );
  return [known, ...sections];
}

function fact([name, value]) {
  return [name, SECRET.test(name) && value ? make("em", {}, "set, and not shown here") : value];
}
