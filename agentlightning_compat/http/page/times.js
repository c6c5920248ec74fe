// Times and durations as people read them. All of them are in seconds.

const two = (number) => String(number).padStart(2, "0");

function dated(seconds) {
  const date = typeof seconds === "number" ? new Date(seconds * 1000) : null;
  return date !== null && Number.isFinite(date.getTime()) ? date : null;
}

/** A moment in local time. */
export function local(seconds) {
  const date = dated(seconds);
  if (date === null) return "–";
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${clock(seconds)}`;
}

/** The time of day in local time. */
export function clock(seconds) {
  const date = dated(seconds);
  if (date === null) return "–";
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** A moment as ISO 8601 in UTC; empty for none. */
export function iso(seconds) {
  return dated(seconds)?.toISOString() ?? "";
}

/** How long something took. */
export function duration(seconds) {
  if (typeof seconds !== "number" || !Number.isFinite(seconds)) return "–";
  if (seconds < 0) return `−${duration(-seconds)}`;
  if (seconds < 0.0005) return seconds === 0 ? "0 ms" : "<1 ms";
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/** How long something has taken so far, in whole seconds: it is still counting. */
export function counting(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return whole < 60 ? `${whole} s` : duration(whole);
}

/** How long ago something was. A moment that is still to come is one of a clock that is ahead. */
export function ago(seconds, now) {
  return dated(seconds) === null ? "never" : `${counting(now - seconds)} ago`;
}

/** A moment in local time; the day only when it is another one. */
export function recent(seconds, now) {
  const text = local(seconds);
  return text.slice(0, 10) === local(now).slice(0, 10) ? clock(seconds) : text;
}
