// Text for the document: markup, in which whatever is put into a template is escaped, and numbers in words.

const ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"};
const LONGEST_NAME = 44;
const NOT_FINITE = {NaN, Infinity, "-Infinity": -Infinity};

// Text that may go into the document as it is.
class Markup {
  constructor(text) {
    this.text = text;
  }
}

function escaped(value) {
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(escaped).join("");
  if (value == null) return "";
  return String(value).replace(/[&<>"']/g, sign => ENTITIES[sign]);
}

// The tag of a template: markup`<p>${text}</p>`. Lists are joined, null is left out.
export function markup(strings, ...values) {
  return new Markup(strings.reduce((text, string, n) => text + escaped(values[n - 1]) + string));
}

// One element by its name; attributes that are null are left out.
export function element(name, attributes, content = null) {
  let text = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value != null) text += ` ${key}="${escaped(value)}"`;
  }
  return new Markup(`${text}>${escaped(content)}</${name}>`);
}

// JSON knows no NaN and no infinity: the graph writes them as text.
export function toNumber(value) {
  return typeof value === "string" ? NOT_FINITE[value] : value;
}

export function numberText(value) {
  const number = toNumber(value);
  if (number == null) return "–";
  if (Number.isNaN(number)) return "NaN";
  if (!Number.isFinite(number)) return number > 0 ? "inf" : "-inf";
  if (number === 0) return "0";
  const size = Math.abs(number);
  return size >= 1e-3 && size < 1e5 ? String(Number(number.toPrecision(4))) : number.toExponential(2);
}

export function bytesText(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 ** 2 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

export function secondsText(seconds) {
  if (seconds == null) return "–";
  if (seconds < 1e-3) return `${(seconds * 1e6).toFixed(1)} µs`;
  return seconds < 1 ? `${(seconds * 1e3).toFixed(2)} ms` : `${seconds.toFixed(2)} s`;
}

export function percentText(share) {
  return `${(100 * share).toFixed(1)} %`;
}

export function countText(count) {
  return count.toLocaleString("en");
}

export function shapeText(shape) {
  if (shape == null) return "";
  return shape.length ? shape.join("×") : "()";
}

export function shorten(text, longest = LONGEST_NAME) {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

// How many equal ones a box or frame stands for.
export function timesText(repeat) {
  return (repeat || 1) > 1 ? ` × ${repeat}` : "";
}
