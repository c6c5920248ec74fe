// Makes and changes elements. What comes from the store only ever becomes text.

import { iso, local } from "./times.js";

/** An element; `properties` are attributes, or listeners when they are functions. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children);
  return element;
}

/** Change a text only if it differs, so that a selection in it stays. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function set(element, name, value) {
  if (value === null || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** Show a moment in a `time` element. */
export function moment(element, seconds, text = local(seconds)) {
  say(element, text);
  set(element, "title", iso(seconds) || null);
  set(element, "datetime", iso(seconds) || null);
}

export function status(element, text) {
  say(element, text);
  set(element, "class", "status");
  set(element, "data-status", text);
}

/**
 * Make the children of `parent` be those of `items`: what stays is changed and not replaced, so
 * focus, selection and scroll position stay.
 */
export function keyed(parent, items, keyOf, create, update) {
  const known = (parent.knownRows ??= new Map());
  const wanted = new Set(items.map(keyOf));
  for (const [key, row] of known) {
    if (!wanted.has(key)) {
      row.remove();
      known.delete(key);
    }
  }
  let next = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let row = known.get(key);
    if (row === undefined) {
      row = create(item);
      known.set(key, row);
    }
    update(row, item);
    if (row === next) next = next.nextElementSibling;
    else parent.insertBefore(row, next);
  }
}

/** A table in a box that scrolls sideways; its body is `rows`. */
export function table(caption, columns, extra = {}) {
  const heads = columns.map(([text, kind]) => make("th", { scope: "col", class: kind }, text));
  const rows = make("tbody");
  const element = make(
    "table",
    extra,
    make("caption", { class: "unseen" }, caption),
    make("thead", {}, make("tr", {}, ...heads)),
    rows,
  );
  const box = make(
    "div",
    { class: "box", tabindex: "0", role: "region", "aria-label": caption },
    element,
  );
  return { box, rows, table: element };
}

const LARGEST_TEXT = 100000;

/** A long text, cut until somebody wants all of it. */
export function longText(text) {
  const block = make("pre", { tabindex: "0" });
  if (text.length <= LARGEST_TEXT) {
    block.textContent = text;
    return block;
  }
  block.textContent = text.slice(0, LARGEST_TEXT);
  const all = () => {
    block.textContent = text;
    more.remove();
  };
  const label = `Show all ${text.length.toLocaleString("en")} characters`;
  const more = make("button", { type: "button", click: all }, label);
  return make("div", {}, block, more);
}

/** A value as JSON on several lines. */
export function json(value, space = 2) {
  const raw = (key, item) => (typeof item === "bigint" ? (JSON.rawJSON?.(item) ?? `${item}`) : item);
  return JSON.stringify(value, raw, space) ?? "null";
}

/** A value on one line, cut. */
export function short(value, length) {
  const text = typeof value === "string" ? value : json(value, 0);
  const line = text.slice(0, 4 * length).replace(/\s+/g, " ");
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}

export function counted(number) {
  return number.toLocaleString("en");
}

/** Pages of a list: how many are shown of how many, and the ways to the others. */
export function pager(turn, [back, on] = ["Previous", "Next"]) {
  const shown = make("span", { class: "shown" });
  const previous = make("button", { type: "button", click: () => turn(-1) }, back);
  const next = make("button", { type: "button", click: () => turn(1) }, on);
  const element = make("div", { class: "pager" }, shown, previous, next);
  const update = (page, size, total) => {
    const first = page * size + 1;
    const last = Math.min(total, first + size - 1);
    const range = last < first ? "none" : `${counted(first)}–${counted(last)}`;
    say(shown, total === 0 ? "" : `${range} of ${counted(total)}`);
    previous.disabled = page === 0;
    next.disabled = last >= total;
  };
  return { element, update };
}

// Between the last key and the search (milliseconds).
const TYPING = 200;

/** A box to search in; `search` is told what is in it. */
export function searchBox(placeholder, search) {
  let timer = null;
  const typed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      // Somebody may have gone elsewhere meanwhile.
      if (element.isConnected) search(element.value.trim());
    }, TYPING);
  };
  const element = make("input", {
    type: "search", placeholder, autocomplete: "off", spellcheck: "false", input: typed,
  });
  // What is being typed is newer than the address.
  const update = (text) => {
    if (timer === null && element.value.trim() !== text) element.value = text;
  };
  return { element, update };
}

/** A choice among values, each with its text. */
export function choice(options, pick) {
  const listed = options.map(([value, text]) => make("option", { value }, text));
  const element = make("select", { change: () => pick(element.value) }, ...listed);
  return element;
}

/** A list of names and values. */
export function facts(pairs) {
  const list = make("dl", { class: "facts" });
  for (const [name, value] of pairs) {
    list.append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
  }
  return list;
}

/** A table of names and values of any kind. */
export function values(attributes) {
  const body = make("tbody");
  for (const [name, value] of Object.entries(attributes ?? {})) {
    body.append(make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, readable(value))));
  }
  return make("table", { class: "values" }, body);
}

// Texts as they are; those that hold JSON, indented.
function readable(value) {
  if (value instanceof Node) return value;
  if (value !== null && typeof value === "object") return longText(json(value));
  if (typeof value !== "string") return json(value);
  if (/^\s*[[{]/.test(value) && value.length < LARGEST_TEXT) {
    try {
      return longText(json(JSON.parse(value)));
    } catch {
      // It only looked like JSON.
    }
  }
  return value.includes("\n") || value.length > 200 ? longText(value) : value;
}
