// Numbers, sizes and shapes in the words of the page.

const LONGEST_NAME = 44;
const NOT_FINITE = {NaN, Infinity, "-Infinity": -Infinity};

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
