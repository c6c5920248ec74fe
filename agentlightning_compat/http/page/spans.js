// What the spans of an attempt say together: their tree and the reward.

/** A list in the order of the tree: each span with its depth and the number of its children. */
export function tree(spans) {
  const known = new Map(spans.map((span) => [span.span_id, span]));
  const below = new Map();
  const roots = [];
  for (const span of [...spans].sort(earlier)) {
    const parent = span.parent_id === null ? undefined : known.get(span.parent_id);
    if (parent === undefined || parent === span) roots.push(span);
    else if (below.has(parent.span_id)) below.get(parent.span_id).push(span);
    else below.set(parent.span_id, [span]);
  }
  const rows = [];
  const seen = new Set();
  walk(roots, below, seen, rows);
  // What is left goes in circles: each is entered at its earliest span.
  if (rows.length < known.size) {
    for (const span of [...known.values()].sort(earlier)) {
      if (!seen.has(span.span_id)) walk([span], below, seen, rows);
    }
  }
  return rows;
}

// Without recursion: a trace may be deeper than the stack.
function walk(roots, below, seen, rows) {
  const ahead = roots.map((span) => ({ span, depth: 0, parent: null })).reverse();
  while (ahead.length > 0) {
    const { span, depth, parent } = ahead.pop();
    if (seen.has(span.span_id)) continue;
    seen.add(span.span_id);
    const children = (below.get(span.span_id) ?? []).filter((one) => !seen.has(one.span_id));
    rows.push({ span, depth, parent, children: children.length });
    for (let at = children.length - 1; at >= 0; at -= 1) {
      ahead.push({ span: children[at], depth: depth + 1, parent: span.span_id });
    }
  }
}

function earlier(one, other) {
  const first = number(one.start_time) ?? Infinity;
  const second = number(other.start_time) ?? Infinity;
  if (first !== second) return first < second ? -1 : 1;
  return one.sequence_id - other.sequence_id;
}

/** Which rows are to be seen: not those below closed ones, nor those that do not match. */
export function visible(rows, closed, words) {
  const wanted = words.trim().toLowerCase();
  const kept = wanted === "" ? null : matching(rows, wanted);
  const hidden = new Set();
  return rows.filter(({ span, parent }) => {
    if (parent !== null && (hidden.has(parent) || closed.has(parent))) {
      hidden.add(span.span_id);
      return false;
    }
    return kept === null || kept.has(span.span_id);
  });
}

// Those whose name has the words in it, and what they stand below.
function matching(rows, wanted) {
  const kept = new Set();
  for (let at = rows.length - 1; at >= 0; at -= 1) {
    const { span, parent } = rows[at];
    if (kept.has(span.span_id) || span.name.toLowerCase().includes(wanted)) {
      kept.add(span.span_id);
      if (parent !== null) kept.add(parent);
    }
  }
  return kept;
}

/** From when to when (seconds) the timeline goes: the attempt, and spans that leave it. */
export function range(attempt, spans, now) {
  let from = number(attempt.start_time) ?? Infinity;
  let to = number(attempt.end_time) ?? -Infinity;
  let open = false;
  for (const span of spans) {
    const start = number(span.start_time);
    const end = number(span.end_time);
    if (start !== null) from = Math.min(from, start);
    to = Math.max(to, end ?? start ?? -Infinity);
    open ||= start !== null && end === null;
  }
  const runs = number(attempt.end_time) === null && ["preparing", "running"].includes(attempt.status);
  if (runs || (open && to === -Infinity)) to = Math.max(to, now);
  return Number.isFinite(from) && to > from ? { from, to } : { from: from || 0, to: from || 0 };
}

/** Where the bar of a span is on the timeline, as shares of it; null without a start. */
export function bar(span, { from, to }) {
  const start = number(span.start_time);
  const length = to - from;
  if (start === null || !(length > 0)) return null;
  const end = number(span.end_time) ?? to;
  return { left: (start - from) / length, width: Math.max(0, end - start) / length };
}

function number(value) {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

const REWARD = "agentlightning.reward.";
const OF_AGENTOPS = ["agentops.task.output", "agentops.entity.output"];

/** The reward that a span holds, in whichever form; null for other spans. */
export function reward(span) {
  const attributes = span.attributes ?? {};
  const primary = attributes[`${REWARD}0.value`];
  if (primary !== undefined) return amount(primary);
  for (const key of OF_AGENTOPS) {
    const said = object(attributes[key]);
    if (said?.type === "reward" && amount(said.value) !== null) return amount(said.value);
  }
  return span.name === "agentlightning.annotation" ? amount(attributes.reward) : null;
}

/** The last reward there is; null without any. */
export function finalReward(spans) {
  let last = null;
  for (const span of spans) {
    if (reward(span) === null) continue;
    if (last === null || span.sequence_id >= last.sequence_id) last = span;
  }
  return last === null ? null : reward(last);
}

function amount(value) {
  if (typeof value === "boolean") return Number(value);
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : null;
}

function object(text) {
  if (typeof text !== "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
