// What is to be drawn now: a box for each item in open frames, one for each shut frame, and the links between them.

import {arrows, foldedItem, groupHeadline, groupsAround, groupsIn, itemsIn, shut, standIn} from "./graph.js";
import {boxSize, headlineWidth} from "./look.js";

const LEAVES = ["parameter", "leaf", "constant"];

function leafOrStep(item) {
  return {id: item.id, item, leaf: LEAVES.includes(item.kind), ...boxSize(item)};
}

function openFrame(group) {
  return {id: group.id, group, children: [], links: [], headlineWidth: headlineWidth(groupHeadline(group))};
}

// Boxes by id; a frame has its boxes as `children`, and the root, whose id is "", is the frame around all.
function boxesById() {
  const root = {id: "", children: [], links: []};
  const boxes = new Map([["", root]]);
  const add = (parent, box) => {
    boxes.set(box.id, box);
    parent.children.push(box);
  };
  const fill = parent => {
    for (const item of itemsIn(parent.id)) add(parent, leafOrStep(item));
    for (const group of groupsIn(parent.id)) {
      const frame = shut.has(group.id) ? leafOrStep(foldedItem(group)) : openFrame(group);
      add(parent, frame);
      if (frame.children) fill(frame);
    }
  };
  fill(root);
  return boxes;
}

// Arrows between the same two boxes that would look alike are drawn as one.
function bundled(boxes) {
  const bundles = new Map();
  for (const arrow of arrows) {
    const source = standIn(arrow.source);
    const target = standIn(arrow.target);
    if (source === target || !boxes.has(source) || !boxes.has(target)) continue;
    const kind = arrow.kind || "data";
    const change = arrow.change || "";
    const key = `${source} ${target} ${kind} ${change}`;
    if (!bundles.has(key)) bundles.set(key, {source, target, kind, change, label: arrow.label || "", arrows: []});
    bundles.get(key).arrows.push(arrow);
  }
  return [...bundles.values()];
}

function pathTo(id) {
  return [
    "",
    ...groupsAround(id)
      .map(group => group.id)
      .reverse(),
    id,
  ];
}

// A link belongs to the innermost frame around both ends, and runs there between two of its children.
// What is carried from turn to turn runs against the stream: it is drawn, but does not count for the layout.
function addLink(link, boxes) {
  const down = pathTo(link.target);
  const up = pathTo(link.source);
  const parting = up.findIndex((id, depth) => id !== down[depth]);
  link.from = boxes.get(up[parting]);
  link.to = boxes.get(down[parting]);
  if (link.kind !== "carry") boxes.get(up[parting - 1]).links.push(link);
}

export function currentScene() {
  const boxes = boxesById();
  const links = bundled(boxes);
  for (const link of links) addLink(link, boxes);
  const all = [...boxes.values()];
  return {
    root: boxes.get(""),
    boxes,
    links,
    nodes: all.filter(box => box.item),
    frames: all.filter(box => box.group),
  };
}
