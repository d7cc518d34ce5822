// Links between boxes that have their places, as SVG.

import {rounded} from "./draw.js";
import {element} from "./markup.js";

const DETOUR = 36; // how far from the boxes a line against the stream runs
const BESIDE = 7; // between two lines that go the same way
const FARTHEST_TIE = 14; // from the middle of a step, for the leaves that hang at it
const KIND_LABELS = {view: "view", inplace: "in place"};

function centreOf(box) {
  return box.top + box.height / 2;
}

// From a hung leaf to the step at its right; leaves above and below the middle meet the step there.
function hungLine(leaf, host, backwards) {
  const start = [leaf.middle + leaf.width / 2, centreOf(leaf)];
  const slant = (centreOf(leaf) - host.top - host.height / 2) / 3;
  const end = [host.middle - host.width / 2, centreOf(host) + Math.max(-FARTHEST_TIE, Math.min(FARTHEST_TIE, slant))];
  const half = (start[0] + end[0]) / 2;
  const [[x1, y1], [x2, y2]] = backwards ? [end, start] : [start, end];
  return {
    line: `M${x1} ${y1}C${half} ${y1} ${half} ${y2} ${x2} ${y2}`,
    label: [leaf.middle - leaf.width / 2 - 5, centreOf(leaf) + 4],
    anchor: "end",
  };
}

// Against the stream: round the right side.
function returningLine(source, target) {
  const from = [source.middle + source.width / 2, centreOf(source)];
  const to = [target.middle + target.width / 2, centreOf(target)];
  const x = Math.max(from[0], to[0]) + DETOUR;
  return {
    line: `M${from.join(" ")}C${x} ${from[1]} ${x} ${to[1]} ${to.join(" ")}`,
    label: [x, (source.top + target.top) / 2],
  };
}

function curveTo([x1, y1], [x2, y2]) {
  const half = rounded((y1 + y2) / 2);
  return `C${rounded(x1)} ${half} ${rounded(x2)} ${half} ${rounded(x2)} ${rounded(y2)}`;
}

// Between two of the points, about half way.
function halfWay(points) {
  const before = Math.floor((points.length - 1) / 2);
  const [x1, y1] = points[before];
  const [x2, y2] = points[before + 1];
  return [(x1 + x2) / 2, (y1 + y2) / 2];
}

// Down the stream: a smooth line through the places where it passes the ranks.
function streamLine(source, target, link, backwards) {
  const aside = link.opposite ? BESIDE : 0;
  const passed = (link.opposite || link).points || [];
  const points = [
    [source.middle, source.top + source.height],
    ...passed.map(([x, y]) => [x + aside, y]),
    [target.middle + aside, target.top],
  ];
  if (backwards) points.reverse();
  const curves = points.slice(1).map((point, n) => curveTo(points[n], point));
  const [x, y] = halfWay(points);
  return {line: `M${points[0].map(rounded).join(" ")}${curves.join("")}`, label: [x + 6, y + 3]};
}

function lineOf(link, boxes, backwards) {
  const source = boxes.get(link.source);
  const target = boxes.get(link.target);
  if (source.host === target) return hungLine(source, target, backwards);
  if (target.top <= source.top) return returningLine(source, target);
  return streamLine(source, target, link, backwards);
}

function labelOf(link) {
  if (link.label || KIND_LABELS[link.kind]) return link.label || KIND_LABELS[link.kind];
  if (link.arrows.length > 1) return `×${link.arrows.length}`;
  const repeats = link.arrows.reduce((count, arrow) => count + (arrow.repeat || 1), 0);
  return repeats > 1 && link.kind !== "data" ? `×${repeats}` : "";
}

function drawLine({line, label: [x, y], anchor}, classes, text) {
  const place = {"text-anchor": anchor, x: rounded(x), y: rounded(y)};
  const flow = classes.includes("flow") ? " flow" : "";
  return [
    element("path", {class: ["edge", ...classes].filter(Boolean).join(" "), d: line, "marker-end": "url(#tip)"}),
    text ? element("text", {class: `edgelabel${flow}`, ...place}, text) : null,
  ];
}

export function drawLink(link, boxes) {
  return drawLine(lineOf(link, boxes, false), [link.kind, link.change], labelOf(link));
}

// The gradient on its way from the target of a link back to its source.
export function drawFlow(link, boxes, text) {
  return drawLine(lineOf(link, boxes, true), [link.kind, link.change, "flow"], text);
}
