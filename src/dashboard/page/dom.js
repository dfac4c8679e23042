// The page's elements. Whatever a client chose enters as text, never as markup: nothing here takes HTML.

/** The element of this id. */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`The page has no #${id}.`);
  return element;
}

/** Makes an element: attributes by name, `class` among them; children are elements or text. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}

/** Sets an element's text where it differs, so that a screen reader hears of changes alone. */
export function setText(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

/** `3 min ago`, `in 20 s`. */
export function relative(atMs, nowMs) {
  const words = span(Math.abs(atMs - nowMs));
  if (words === "0 s") return "now";
  return atMs > nowMs ? `in ${words}` : `${words} ago`;
}

/** `45 s`, `3 min`, `2 h 5 min`, `3 d`. */
export function span(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} d`;
}

/** `14:03:07`, with the day where it is another than today's. */
export function clock(atMs, nowMs = Date.now()) {
  const at = new Date(atMs);
  const time = at.toLocaleTimeString("en-GB");
  return at.toDateString() === new Date(nowMs).toDateString() ? time : `${at.toLocaleDateString("en-CA")} ${time}`;
}

/** `$0.0123` */
export function dollars(amount) {
  return `$${amount.toFixed(amount >= 1 || amount === 0 ? 2 : 4)}`;
}

/** `12,345` */
export function count(number) {
  return number.toLocaleString("en-US");
}

/** `1.2k`, `3.4M`: for axes. */
export function short(number) {
  if (Math.abs(number) >= 1e6) return `${+(number / 1e6).toFixed(1)}M`;
  if (Math.abs(number) >= 1e3) return `${+(number / 1e3).toFixed(1)}k`;
  return `${+number.toFixed(3)}`;
}
