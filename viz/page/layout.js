// Layered layout, one frame at a time: a frame's children are laid out as boxes, then the frame is a box in its parent.
// Sugiyama's four steps, each linear or nearly so, since graphs of 5,000 nodes must appear within seconds: ranks by
// longest path; dummies where an edge passes a rank; order by the median of the neighbours; x by least squares under
// the order. Leaves that one step reads hang to the left of it: the trunk stays straight.

import {assignRanks, orderedRows, placeColumns} from "./layers.js";

const RANK_GAP = 34;
const PADDING = 14;
const HEADLINE_HEIGHT = 32;
const HANG_GAP = 22;
const STACK_GAP = 8;

function readersByBox(links) {
  const readers = new Map();
  for (const {from, to} of links) {
    if (!readers.has(from)) readers.set(from, new Set());
    readers.get(from).add(to);
  }
  return readers;
}

// Leaves that are read by one step of the same frame become its `hung`, and it their `host`.
function hangLeaves(cells, links) {
  const readers = readersByBox(links);
  for (const cell of cells) {
    if (!cell.leaf || readers.get(cell)?.size !== 1) continue;
    const [host] = readers.get(cell);
    if (host.children || host.leaf) continue;
    host.hung.push(cell);
    cell.host = host;
  }
  for (const cell of cells.filter(each => each.hung.length)) {
    cell.left = Math.max(...cell.hung.map(leaf => leaf.width)) + HANG_GAP;
    cell.tall = cell.hung.reduce((height, leaf) => height + leaf.height + STACK_GAP, -STACK_GAP);
  }
}

function placeHung(host) {
  let y = host.y + host.height / 2 - host.tall / 2;
  for (const leaf of host.hung) {
    leaf.x = host.x - host.width / 2 - HANG_GAP - leaf.width / 2;
    leaf.y = y;
    y += leaf.height + STACK_GAP;
  }
}

// Links between the same two children go the same way: the first of them finds it, the others run beside it.
function distinctLinks(links) {
  const firsts = new Map();
  for (const link of links) {
    if (link.from.host) continue;
    const key = `${link.from.id}>${link.to.id}`;
    if (firsts.has(key)) {
      link.opposite = firsts.get(key);
      continue;
    }
    firsts.set(key, link);
    link.from.out.push(link);
    link.to.into.push(link);
  }
  return [...firsts.values()];
}

// Rows from top to bottom; returns where the last one ends.
function placeRows(rows, top) {
  let y = top;
  for (const row of rows) {
    const tallest = Math.max(0, ...row.map(cell => Math.max(cell.height, cell.tall || 0)));
    for (const cell of row) cell.y = y + (tallest - cell.height) / 2;
    y += tallest + RANK_GAP;
  }
  return y - RANK_GAP;
}

// The size of a frame follows from its cells, which move to be right of its padding.
function closeFrame(frame, rows, bottom) {
  const cells = rows.flat();
  // No Math.min(...cells): a long list does not fit into a call.
  let left = cells.length ? Infinity : 0;
  let right = -left;
  for (const cell of cells) {
    left = Math.min(left, cell.x - cell.width / 2 - cell.left);
    right = Math.max(right, cell.x + cell.width / 2 + (cell.spare || 0));
  }
  const isRoot = frame.id === "";
  const inner = Math.max(right - left, isRoot ? 0 : frame.headlineWidth - 2 * PADDING);
  const shift = PADDING - left + (inner - (right - left)) / 2;
  for (const cell of cells) {
    cell.x += shift;
    if (cell.hung) placeHung(cell);
  }
  frame.width = inner + 2 * PADDING;
  frame.height = Math.max(0, bottom) + (isRoot ? 0 : PADDING);
}

// Give the children of a frame their x (of the middle) and y (of the top) from its top left, and itself its size.
function layOutFrame(frame) {
  for (const cell of frame.children) {
    if (cell.children) layOutFrame(cell);
    Object.assign(cell, {left: 0, tall: 0, into: [], out: [], hung: [], host: null});
  }
  hangLeaves(frame.children, frame.links);
  const free = frame.children.filter(cell => !cell.host);
  const links = distinctLinks(frame.links);
  assignRanks(free);
  const rows = orderedRows(free, links);
  placeColumns(rows);
  const bottom = placeRows(rows, frame.id === "" ? 0 : HEADLINE_HEIGHT);
  closeFrame(frame, rows, bottom);
}

// From places in the frame to places in the picture: `middle` from left to right, and `top`.
function placeInPicture(frame, left, top) {
  for (const cell of frame.children) {
    cell.middle = left + cell.x;
    cell.top = top + cell.y;
    if (cell.children) placeInPicture(cell, cell.middle - cell.width / 2, cell.top);
  }
  for (const link of frame.links.filter(each => each.via)) {
    link.points = link.via.map(dummy => [left + dummy.x, top + dummy.y]);
  }
}

export function layOut(root) {
  layOutFrame(root);
  placeInPicture(root, 0, 0);
}
