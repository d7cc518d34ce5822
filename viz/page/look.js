// What a box says of its item, in words, signs and colours.

import {list} from "./graph.js";
import {theme} from "./state.js";
import {bytesText, numberText, secondsText, shapeText, shorten, timesText, toNumber} from "./text.js";

const LONGEST_SUBTITLE = 52;
const NAME_FONT = "12px system-ui, Arial, sans-serif";
const SUBTITLE_FONT = "10px ui-monospace, Consolas, monospace";
const HEADLINE_FONT = "11px system-ui, Arial, sans-serif";
const LEAST_WIDTH = 64;
const HEIGHT = 40;
const SIGN_WIDTH = 18;

const CHANGE_SIGNS = {added: "✚", gone: "−", reshaped: "⤢", inside: "±"};
const CHANGE_COLOURS = {added: "new", gone: "gone"};
const PLAIN = "constant";
const KIND_COLOURS = {
  step: "step",
  group: "step",
  parameter: "parameter",
  leaf: "leaf",
  output: "output",
  error: "bad",
};

// What an overlay measures: the number that colours a box, and the text below its name.
const MEASURES = {
  gradient: {
    value: gradientNorm,
    text: item => (item.gradient ? `‖∂‖ ${numberText(gradientNorm(item))}` : "no gradient"),
  },
  forward: {value: item => item.forward || null, text: item => secondsText(item.forward)},
  backward: {value: item => item.backward || null, text: item => secondsText(item.backward)},
  held: {value: item => item.held || null, text: item => bytesText(item.held || 0)},
};

export function itemName(item) {
  const sign = item.kind === "parameter" ? "▣ " : "";
  return sign + shorten(item.name || item.op || item.kind) + timesText(item.repeat);
}

// NaN or infinity where the gradient holds one, whatever the norm of the rest.
export function gradientNorm(item) {
  if (!item.gradient) return null;
  if (item.gradient.nans) return NaN;
  return item.gradient.infs ? Infinity : toNumber(item.gradient.norm || 0);
}

function tensorText(item) {
  const before = item.before ? `${shapeText(item.before)} → ` : "";
  const results = list(item, "results");
  const shapes = results.length ? results.map(shapeText).join(", ") : shapeText(item.shape);
  const dtype = item.dtype && item.dtype !== "float32" ? ` ${item.dtype}` : "";
  const write = item.write && item.kind === "step" ? ` v${item.write[0]}→v${item.write[1]}` : "";
  return shorten(before + shapes + dtype + write, LONGEST_SUBTITLE);
}

export function subtitle(item, overlay) {
  if (MEASURES[overlay]) return MEASURES[overlay].text(item);
  if (item.kind === "group") return `${item.count} step${item.count === 1 ? "" : "s"}`;
  return tensorText(item);
}

export function changeSign(change) {
  return CHANGE_SIGNS[change] || change;
}

function changeColour(change) {
  return CHANGE_COLOURS[change] || "changed";
}

// Signs beside a box, each with its colour; they say in characters what colours say too.
export function signs(item) {
  const found = [];
  const levels = list(item, "marks").map(mark => mark.level);
  if (levels.includes("bad")) found.push(["⚠", "bad"]);
  else if (levels.includes("warn")) found.push(["▽", "warn"]);
  if (item.change) found.push([changeSign(item.change), changeColour(item.change)]);
  if ((item.uses || 1) > 1) found.push([`↗${item.uses}`, "dim"]);
  if (item.hooks) found.push([`⚑${item.hooks}`, "dim"]);
  return found;
}

const pen = document.createElement("canvas").getContext("2d");
const widths = new Map();

// Measuring is slow, and names come again and again.
function textWidth(text, font) {
  const key = font + text;
  if (!widths.has(key)) {
    pen.font = font;
    widths.set(key, pen.measureText(text).width);
  }
  return widths.get(key);
}

// The size of a box; `spare` is the place of the signs at its right.
export function boxSize(item) {
  const name = textWidth(itemName(item), NAME_FONT);
  const below = textWidth(subtitle(item, ""), SUBTITLE_FONT);
  return {width: Math.max(name, below, LEAST_WIDTH) + 22, height: HEIGHT, spare: signs(item).length * SIGN_WIDTH};
}

export function headlineWidth(headline) {
  return textWidth(headline, HEADLINE_FONT) + 44;
}

// Of the measured values, the share of the largest that each has: a function from value to 0 ... 1.
// Gradients differ by powers of ten; times and bytes are seen best by their square roots.
export function scaleOf(shown, overlay) {
  if (!MEASURES[overlay]) return null;
  const values = shown.map(MEASURES[overlay].value).filter(value => Number.isFinite(value) && value > 0);
  if (overlay !== "gradient") {
    const most = Math.max(...values, 1e-12);
    return value => Math.sqrt(value / most);
  }
  const logs = values.map(Math.log10);
  const low = Math.min(...logs);
  const high = Math.max(...logs);
  return value => {
    if (value <= 0) return 0;
    return high > low ? (Math.log10(value) - low) / (high - low) : 1;
  };
}

function colourPair(name) {
  return {fill: `var(--${name}-fill)`, stroke: `var(--${name})`};
}

function kindColours(item) {
  const bad = list(item, "marks").some(mark => mark.level === "bad");
  return colourPair(bad ? "bad" : KIND_COLOURS[item.kind] || PLAIN);
}

function measuredColours(value, scale) {
  if (value == null) return colourPair(PLAIN);
  if (!Number.isFinite(value)) return colourPair("bad");
  const share = scale(value);
  const lightness = theme() === "dark" ? 20 + 15 * share : 95 - 25 * share;
  return {fill: `hsl(${250 - 205 * share} ${45 + 30 * share}% ${lightness}%)`, stroke: `var(--${PLAIN})`};
}

export function boxColours(item, overlay, scale) {
  if (MEASURES[overlay]) return measuredColours(MEASURES[overlay].value(item), scale);
  if (item.change && item.change !== "inside") return colourPair(changeColour(item.change));
  return overlay === "change" ? colourPair(PLAIN) : kindColours(item);
}
