// Sugiyama's last step: the cells of a rank get places from left to right, near the middle of their neighbours.

import {median, sweep} from "./layering.js";

const GAP = 24;
const DUMMY_GAP = 10;
const COLUMN_SWEEPS = {few: 10, many: 4};

// Join the last two blocks while the earlier one would lie further right.
function pool(blocks) {
  const mean = block => block.sum / block.weight;
  while (blocks.length > 1 && mean(blocks.at(-2)) > mean(blocks.at(-1))) {
    const last = blocks.pop();
    const before = blocks.at(-1);
    before.sum += last.sum;
    before.weight += last.weight;
    before.count += last.count;
  }
}

// Places near the `wanted` ones, in order, with at least `apart[n]` between n - 1 and n: weighted least squares by
// pooling adjacent violators.
function spread(wanted, weights, apart) {
  const distances = [0];
  for (let n = 1; n < wanted.length; n++) distances.push(distances[n - 1] + apart[n]);
  const blocks = [];
  wanted.forEach((place, n) => {
    blocks.push({sum: (place - distances[n]) * weights[n], weight: weights[n], count: 1});
    pool(blocks);
  });
  const means = blocks.flatMap(block => Array(block.count).fill(block.sum / block.weight));
  return means.map((mean, n) => mean + distances[n]);
}

// Each row side by side, around 0.
function placeSideBySide(row) {
  let x = 0;
  row.forEach((cell, n) => {
    if (n) x += cell.left + cell.width / 2 + GAP + row[n - 1].width / 2;
    cell.x = x;
  });
  const middle = x / 2;
  for (const cell of row) cell.x -= middle;
}

function distanceTo(cell, previous) {
  const gap = cell.dummy && previous.dummy ? DUMMY_GAP : GAP;
  return previous.width / 2 + (previous.spare || 0) + cell.left + cell.width / 2 + gap;
}

function wantedPlace(cell, ties) {
  return ties.length ? median(ties.map(tie => tie.cell.x + tie.there - tie.here)) : cell.x;
}

// The last two turns listen to both sides.
function moveToNeighbours(row, turn, turns) {
  const sideOf = cell => (turn % 2 ? cell.below : cell.above);
  const tiesOf = turn >= turns - 2 ? cell => [...cell.above, ...cell.below] : sideOf;
  const places = spread(
    row.map(cell => wantedPlace(cell, tiesOf(cell))),
    row.map(cell => (cell.dummy ? 4 : 1 + cell.above.length + cell.below.length)),
    row.map((cell, n) => (n ? distanceTo(cell, row[n - 1]) : 0)),
  );
  row.forEach((cell, n) => {
    cell.x = places[n];
  });
}

export function placeColumns(rows) {
  rows.forEach(placeSideBySide);
  sweep(rows, COLUMN_SWEEPS, moveToNeighbours);
}
