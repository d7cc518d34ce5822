// Two of Sugiyama's steps: boxes get a rank each, and the boxes of a rank an order.
// Cells are boxes, or dummies where a link passes a rank. A cell knows its neighbours `above` and `below` by ties:
// the other `cell`, and how far right of their middles the link is tied `here` and `there`.

const DUMMY_WIDTH = 6;
const MANY_CELLS = 4000;
const ORDER_SWEEPS = {few: 8, many: 3};

export function median(numbers) {
  numbers.sort((a, b) => a - b);
  const middle = numbers.length >> 1;
  return numbers.length % 2 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2;
}

// Visit the rows down and up in turn, `visit(row, turn)`, so that each end hears of the other; even turns go down.
export function sweep(rows, {few, many}, visit) {
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
