// Where somebody is, as the part of the address after `#`: it can be shared, and Back works.

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function encoded(text) {
  try {
    return encodeURIComponent(text);
  } catch {
    return "";
  }
}

/** The name of the view, the id of what is looked at if any, and the rest. */
export function place(hash) {
  const [path, query = ""] = hash.replace(/^#?\/?/, "").split("?");
  const [name, id] = path.split("/");
  return {
    name: name || "rollouts",
    id: id ? decoded(id) : null,
    where: Object.fromEntries(new URLSearchParams(query)),
  };
}

/** The address of a place; what is empty is left out. */
export function address(name, id, where = {}) {
  const given = Object.entries(where).filter(([, value]) => value !== "" && value != null);
  const query = given.length ? `?${new URLSearchParams(given)}` : "";
  return `#/${name}${id ? `/${encoded(id)}` : ""}${query}`;
}

/** Go to a place; with `quietly`, Back skips the one before. */
export function go(hash, quietly = false) {
  if (hash === location.hash) return;
  if (quietly) history.replaceState(null, "", hash);
  else history.pushState(null, "", hash);
  window.dispatchEvent(new Event("agl-moved"));
}

/** Which page of a list the address names, from 0. */
export function pageOf(where) {
  const number = Number.parseInt(where.page ?? "1", 10);
  return number > 1 ? number - 1 : 0;
}
