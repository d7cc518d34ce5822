// Boxes, frames and links that have their places, as SVG.

import {alarms, groupHeadline, groupName} from "./graph.js";
import {boxColours, itemName, signs, subtitle} from "./look.js";
import {element} from "./text.js";

const CORNER_RADII = {step: 9, output: 20, constant: 20};
const FRAME_RADIUS = 10;
const SIGN_LINE = 15;
const NEXT_SIGNS = 16;
const DETOUR = 36; // how far from the boxes a line against the stream runs
const BESIDE = 7; // between two lines that go the same way
const FARTHEST_TIE = 14; // from the middle of a step, for the leaves that hang at it
const KIND_LABELS = {view: "view", inplace: "in place"};

function rounded(number) {
  return number.toFixed(1);
}

// The rectangle of a box, or one that is moved from it or lies `inset` within it.
function rectangle(box, {move = 0, inset = 0, ...attributes}) {
  return element("rect", {
    x: rounded(box.middle - box.width / 2 + move + inset),
    y: box.top + move + inset,
    width: rounded(box.width - 2 * inset),
    height: box.height - 2 * inset,
    ...attributes,
  });
}

// What stands for several has a second card behind it; parameters and shut frames have a double line.
function boxBody(box, colours) {
  const {kind, repeat} = box.item;
  const rx = CORNER_RADII[kind] || 2;
  const several = kind === "group" || (repeat || 1) > 1;
  const doubled = kind === "group" || kind === "parameter";
  return [
    several ? rectangle(box, {move: 4, rx, ...colours, "stroke-width": 1}) : null,
    rectangle(box, {rx, ...colours, class: "body"}),
    doubled ? rectangle(box, {inset: 3, rx: 1, ...colours, fill: "none", "stroke-width": 0.8}) : null,
  ];
}

// Two lines of signs at the right of a box, later ones beside the first two.
function drawSign(box, [sign, colour], n) {
  const x = rounded(box.middle + box.width / 2 + 4 + (n > 1 ? NEXT_SIGNS : 0));
  const y = box.top + 14 + SIGN_LINE * (n % 2);
  return element("text", {class: "sign", x, y, style: `fill:var(--${colour})`}, sign);
}

export function drawBox(box, overlay, scale) {
  const {item} = box;
  const name = itemName(item);
  const below = subtitle(item, overlay);
  const label = [name, below, ...alarms(item).map(mark => mark.text)];
  if (item.change) label.push(item.change);
  const x = rounded(box.middle);
  return element("g", {class: "box", "data-id": item.id, tabindex: 0, role: "button", "aria-label": label.join(", ")}, [
    boxBody(box, boxColours(item, overlay, scale)),
    element("text", {x, y: box.top + 17}, (item.kind === "group" ? "▸ " : "") + name),
    element("text", {class: "sub", x, y: box.top + 32}, below),
    signs(item).map((sign, n) => drawSign(box, sign, n)),
  ]);
}

export function drawFrame(frame) {
  const name = groupName(frame.group);
  const headline = {
    class: "title",
    x: rounded(frame.middle - frame.width / 2 + 12),
    y: frame.top + 17,
    tabindex: 0,
    role: "button",
    "aria-expanded": true,
    "aria-label": `fold ${name}`,
  };
  return element("g", {class: `frame ${frame.group.kind || "module"}`, "data-frame": frame.id}, [
    rectangle(frame, {rx: FRAME_RADIUS}),
    element("text", headline, `▾ ${groupHeadline(frame.group)}`),
    element("title", {}, name),
  ]);
}

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
