// Sugiyama's steps: boxes get a rank each, the boxes of a rank an order, and each its place from left to right.
// Cells are boxes, or dummies where a link passes a rank. A cell knows its neighbours `above` and `below` by ties:
// the other `cell`, and how far right of their middles the link is tied `here` and `there`.

const DUMMY_WIDTH = 6;
const MANY_CELLS = 4000;
const ORDER_SWEEPS = {few: 8, many: 3};
const GAP = 24;
const DUMMY_GAP = 10;
const COLUMN_SWEEPS = {few: 10, many: 4};

function median(numbers) {
  numbers.sort((a, b) => a - b);
  const middle = numbers.length >> 1;
  return numbers.length % 2 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2;
}

// Visit the rows down and up in turn, `visit(row, turn)`, so that each end hears of the other; even turns go down.
function sweep(rows, {few, many}, visit) {
  const cells = rows.reduce((count, row) => count + row.length, 0);
  const turns = cells > MANY_CELLS ? many : few;
  const upwards = [...rows].reverse();
  for (let turn = 0; turn < turns; turn++) {
    for (const row of turn % 2 ? upwards : rows) visit(row, turn, turns);
  }
}

// A rank is the longest path from the sources. Frames that call each other in turn make circles: there the cell that
// comes first in the program goes first.
function rankByLongestPath(cells) {
  const waiting = new Map(cells.map(cell => [cell, cell.into.length]));
  const queue = cells.filter(cell => !cell.into.length);
  const queued = new Set(queue);
  const enqueue = cell => {
    queued.add(cell);
    queue.push(cell);
  };
  let first = 0;
  for (const cell of cells) cell.rank = 0;
  for (let n = 0; n < cells.length; n++) {
    if (n === queue.length) {
      while (queued.has(cells[first])) first++;
      enqueue(cells[first]);
    }
    for (const {to} of queue[n].out) {
      if (queued.has(to)) continue;
      to.rank = Math.max(to.rank, queue[n].rank + 1);
      waiting.set(to, waiting.get(to) - 1);
      if (!waiting.get(to)) enqueue(to);
    }
  }
}

export function assignRanks(cells) {
  rankByLongestPath(cells);
  // A source stands just above what reads it first, not at the top of all.
  for (const cell of cells) {
    if (cell.into.length || !cell.out.length) continue;
    cell.rank = Math.max(0, Math.min(...cell.out.map(link => link.to.rank)) - 1);
  }
}

function holds(cell, id) {
  return cell.id === id || Boolean(cell.children?.some(child => holds(child, id)));
}

// How far right of its middle a cell is met by a link that ends in the box `id` within it.
function port(cell, id) {
  if (cell.id === id || !cell.children) return 0;
  const child = cell.children.find(each => holds(each, id));
  return child ? child.x - cell.width / 2 + port(child, id) : 0;
}

function tie(from, to, here, there) {
  from.below.push({cell: to, here, there});
  to.above.push({cell: from, here: there, there: here});
}

// Tie the ends of a link by way of one dummy for each rank that it passes, its `via`; returns them.
function tieLink(link) {
  let from = link.from;
  let here = port(from, link.source);
  link.via = [];
  for (let rank = from.rank + 1; rank < link.to.rank; rank++) {
    const dummy = {width: DUMMY_WIDTH, height: 0, left: 0, rank, dummy: true, below: [], above: []};
    tie(from, dummy, here, 0);
    link.via.push(dummy);
    from = dummy;
    here = 0;
  }
  tie(from, link.to, here, port(link.to, link.target));
  return link.via;
}

function numberCells(row) {
  row.forEach((cell, place) => {
    cell.place = place;
  });
}

function sortByMedian(row, turn) {
  if (row.length < 2) return;
  for (const cell of row) {
    const ties = turn % 2 ? cell.below : cell.above;
    // Links to one frame are kept apart by where in it they end.
    const places = ties.map(({cell: other, there}) => other.place + 0.4 * Math.sign(there));
    cell.key = places.length ? median(places) : cell.place;
  }
  row.sort((a, b) => a.key - b.key || a.place - b.place);
  numberCells(row);
}

// Rows of cells from top to bottom, each in an order in which few links cross.
export function orderedRows(cells, links) {
  for (const cell of cells) {
    cell.below = [];
    cell.above = [];
  }
  const rows = [];
  for (const cell of [...cells, ...links.flatMap(tieLink)]) {
    if (!rows[cell.rank]) rows[cell.rank] = [];
    rows[cell.rank].push(cell);
  }
  const kept = rows.filter(Boolean);
  kept.forEach(numberCells);
  sweep(kept, ORDER_SWEEPS, sortByMedian);
  return kept;
}

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
  return ties.length ? median(ties.map(({cell: other, here, there}) => other.x + there - here)) : cell.x;
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
