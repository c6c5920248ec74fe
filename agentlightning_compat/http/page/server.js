// Asks the store server, and says what went wrong: nothing here knows what is shown.

const ROOT = "v1/agl/";
const KEPT = "agl-token";
// Without an answer for so long (milliseconds), the server counts as away.
const PATIENCE = 20000;

/** The server answered that it will not or cannot. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** Nobody answered. */
export class Away extends Error {}

/** The answer is not wanted any more. */
export class Dropped extends Error {}

let skew = 0;

/** The time of the server's clock, in seconds since 1970: this machine's may be wrong. */
export function now() {
  return Date.now() / 1000 + skew;
}

export function token() {
  return sessionStorage.getItem(KEPT);
}

export function keepToken(text) {
  sessionStorage.setItem(KEPT, text);
}

export function forgetToken() {
  sessionStorage.removeItem(KEPT);
}

/** What the server answers to a search (with a body) or a plain question (without). */
export async function ask(path, body, signal) {
  const limit = new AbortController();
  const stop = () => limit.abort();
  const timer = setTimeout(stop, PATIENCE);
  signal.addEventListener("abort", stop);
  try {
    if (signal.aborted) throw new Dropped();
    const answer = await answered(path, body, limit.signal);
    if (signal.aborted) throw new Dropped();
    return answer;
  } catch (error) {
    if (signal.aborted) throw new Dropped();
    if (error instanceof Refused) throw error;
    throw new Away(error.message);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

/**
 * The items that a search asks for, and how many match in all. A server may give fewer at a time
 * than it is asked for: then the rest is asked for, too.
 */
export async function search(path, fields, signal) {
  const items = [];
  for (;;) {
    const offset = (fields.offset ?? 0) + items.length;
    const asked = { ...fields, limit: fields.limit - items.length, offset };
    const plain = !path.endsWith("/search");
    const where = plain ? `${path}?${new URLSearchParams(asked)}` : path;
    const page = await ask(where, plain ? undefined : asked, signal);
    items.push(...page.items);
    const left = Math.min(fields.limit - items.length, page.total - offset - page.items.length);
    if (page.items.length === 0 || left <= 0) return { items, total: page.total };
  }
}

async function answered(path, body, signal) {
  const headers = { "agl-pages": "follows" }; // the rest is asked for, see `search`
  if (token() !== null) headers.authorization = `Bearer ${inBytes(token())}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(ROOT + path, {
    method: body === undefined ? "GET" : "POST",
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    signal,
  });
  const text = await answer.text();
  if (answer.ok) {
    compare(answer.headers.get("date"));
    return parsed(text);
  }
  if ([502, 503, 504].includes(answer.status)) throw new Error(`status ${answer.status}`);
  throw new Refused(answer.status, detail(text) || `status ${answer.status}`);
}

function compare(date) {
  const theirs = Date.parse(date ?? "") / 1000;
  const difference = theirs - Date.now() / 1000;
  // The header has whole seconds; clocks that agree stay as they are.
  if (Number.isFinite(difference)) skew = Math.abs(difference) > 2 ? difference : 0;
}

// A header holds bytes, and the server compares those of UTF-8.
function inBytes(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

function detail(text) {
  try {
    const said = JSON.parse(text).detail;
    return typeof said === "string" ? said : JSON.stringify(said);
  } catch {
    return text.slice(0, 300);
  }
}

const TEXT_OR_NO_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\bInfinity\b|\bNaN\b/g;

/** JSON as Python writes it: NaN and infinity become text, large integers stay exact. */
export function parsed(text) {
  const revive = /\d{16}/.test(text) ? exact : undefined;
  try {
    return JSON.parse(text, revive);
  } catch {
    const quoted = (found) => (found.startsWith('"') ? found : `"${found}"`);
    return JSON.parse(text.replace(TEXT_OR_NO_NUMBER, quoted), revive);
  }
}

function exact(key, value, context) {
  const source = context?.source;
  const rounded = typeof value === "number" && !Number.isSafeInteger(value);
  return rounded && /^-?\d+$/.test(source ?? "") ? BigInt(source) : value;
}
