// Shows the view that the address names, and keeps it fresh while somebody looks.

import { go, place } from "./places.js";
import { resourcesList, resourcesPage } from "./resources.js";
import { rolloutPage } from "./rollout.js";
import { rolloutList } from "./rollouts.js";
import { Away, Dropped, forgetToken, keepToken, Refused, token } from "./server.js";
import { make, say, set } from "./show.js";
import { clock } from "./times.js";
import { workerList } from "./workers.js";

// Between an answer and the next question (milliseconds).
const PAUSE = 2000;
const VIEWS = {
  rollouts: { list: rolloutList, one: rolloutPage },
  workers: { list: workerList, one: workerList },
  resources: { list: resourcesList, one: resourcesPage },
};

const root = document.getElementById("view");
const connection = document.getElementById("connection");
const pause = document.getElementById("pause");
const form = document.getElementById("token");
const refused = document.getElementById("refused");
const given = document.getElementById("given");

let shown = { kind: null, id: null, view: null };
let asking = new AbortController();
let timer;
let paused = false;
let away = null;
let locked = false;
const scrolled = new Map();
let address = null;

function arrive(event) {
  const { name, id, where } = place(location.hash);
  const kind = (VIEWS[name] ?? VIEWS.rollouts)[id === null ? "list" : "one"];
  if (address !== null) scrolled.set(address, window.scrollY);
  const other = shown.kind !== kind || shown.id !== id;
  address = location.hash;
  if (other) {
    root.replaceChildren();
    shown = { kind, id, view: kind(root), fresh: true, back: event?.type === "popstate" };
    shown.moved = event !== undefined;
  }
  shown.view.go(id, where);
  for (const link of document.querySelectorAll("nav a")) {
    set(link, "aria-current", link.dataset.view === name ? "page" : null);
  }
  turn();
}

/** Ask for what is shown, and again after a while; what was asked before is dropped. */
async function turn() {
  clearTimeout(timer);
  asking.abort();
  const mine = new AbortController();
  asking = mine;
  if (document.visibilityState === "hidden" || locked) return;
  try {
    const draw = await shown.view.load(mine.signal);
    if (mine.signal.aborted) return;
    draw();
    settle();
    reached();
  } catch (error) {
    if (error instanceof Dropped || mine.signal.aborted) return;
    failed(error);
  }
  if (!paused || away !== null) timer = setTimeout(turn, PAUSE);
}

// The first time a view has something to show.
function settle() {
  document.title = shown.view.title;
  root.querySelector(".problem.whole")?.remove();
  if (!shown.fresh) return;
  shown.fresh = false;
  window.scrollTo(0, shown.back ? (scrolled.get(address) ?? 0) : 0);
  // Who came here by a link goes on reading, or listening, from the title.
  if (shown.moved) root.querySelector("h1")?.focus({ preventScroll: true });
}

function reached() {
  away = null;
  set(connection, "data-state", paused ? "paused" : "live");
  say(connection, paused ? "Paused" : "Live");
  set(connection, "title", `as of ${clock(Date.now() / 1000)}`);
}

function failed(error) {
  if (error instanceof Refused && error.status === 401) lock();
  else if (error instanceof Away) {
    away ??= Date.now() / 1000;
    set(connection, "data-state", "away");
    say(connection, `Not reachable since ${clock(away)}; trying again`);
  } else {
    reached();
    const text = error instanceof Refused ? `The server says: ${error.message}` : `This page failed: ${error.message}`;
    let problem = root.querySelector(".problem.whole");
    if (problem === null) {
      problem = make("p", { class: "problem whole", role: "alert" });
      root.prepend(problem);
    }
    say(problem, text);
    if (!(error instanceof Refused)) console.error(error);
  }
}

function lock() {
  locked = true;
  refused.hidden = token() === null;
  say(refused, "The server does not know this token.");
  forgetToken();
  form.hidden = false;
  root.hidden = true;
  set(connection, "data-state", "locked");
  say(connection, "Waiting for a token");
  given.value = "";
  given.focus();
}

// Links within the page: so that only Back and Forward, and no click, come as `popstate`.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#/"]');
  const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (!link || !plain || event.defaultPrevented) return;
  event.preventDefault();
  if (link.getAttribute("href") === location.hash) turn();
  else go(link.getAttribute("href"));
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  keepToken(given.value.trim());
  locked = false;
  form.hidden = true;
  root.hidden = false;
  await turn();
});

pause.addEventListener("click", () => {
  paused = !paused;
  set(pause, "aria-pressed", paused);
  if (!paused) turn();
  else if (away === null) {
    clearTimeout(timer);
    reached();
  }
});

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && !paused) turn();
});
window.addEventListener("popstate", arrive);
window.addEventListener("agl-moved", arrive);
window.addEventListener("agl-ask", () => turn());
// A view is scrolled back to where it was once it has its rows again.
history.scrollRestoration = "manual";
arrive();
