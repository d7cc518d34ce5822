// Boxes and frames that have their places, as SVG.

import {alarms, groupHeadline, groupName} from "./graph.js";
import {boxColours, itemName, signs, subtitle} from "./look.js";
import {element} from "./markup.js";

const CORNER_RADII = {step: 9, output: 20, constant: 20};
const FRAME_RADIUS = 10;
const SIGN_LINE = 15;
const NEXT_SIGNS = 16;

export function rounded(number) {
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
