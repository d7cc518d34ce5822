"use strict";
// Layered layout, one frame at a time: a frame's children are laid out as boxes, then the frame is a box in its parent.
// Sugiyama's four steps, each linear or nearly so, since graphs of 5,000 nodes must appear within seconds:
// ranks by longest path; dummies where an edge passes a rank; order by the median of the neighbours; x by least squares
// under the order (pool adjacent violators). Leaves that one step reads hang to the left of it: the trunk stays straight.
const Layout = (() => {
  const GAP = 24,
    RANK = 34,
    PAD = 14,
    HEAD = 26,
    HANG = 22,
    STACK = 8;

  // Positions near `wanted` (weighted least squares), in order, `apart[i]` between i - 1 and i.
  function spread(wanted, weight, apart) {
    const at = [],
      sums = [],
      weights = [],
      counts = [];
    let shift = 0;
    const shifts = wanted.map((w, i) => (shift += i ? apart[i] : 0));
    for (let i = 0; i < wanted.length; i++) {
      sums.push((wanted[i] - shifts[i]) * weight[i]);
      weights.push(weight[i]);
      counts.push(1);
      while (sums.length > 1 && sums.at(-2) / weights.at(-2) > sums.at(-1) / weights.at(-1)) {
        const s = sums.pop(),
          w = weights.pop(),
          c = counts.pop();
        sums[sums.length - 1] += s;
        weights[weights.length - 1] += w;
        counts[counts.length - 1] += c;
      }
    }
    for (let b = 0; b < sums.length; b++)
      for (let k = 0; k < counts[b]; k++) at.push(sums[b] / weights[b] + shifts[at.length]);
    return at;
  }

  const median = list => {
    list.sort((a, b) => a - b);
    const m = list.length >> 1;
    return list.length % 2 ? list[m] : (list[m - 1] + list[m]) / 2;
  };

  // Longest path from the sources; then each source moves down to just above what reads it first. Frames that call each
  // other in turn make circles: there the cell that comes first in the program goes first.
  function ranks(cells) {
    const waits = new Map(cells.map(c => [c, c.into.length])),
      queue = cells.filter(c => !c.into.length),
      placed = new Set(queue);
    let next = 0;
    for (const c of cells) c.rank = 0;
    for (let i = 0; i < cells.length; i++) {
      if (i === queue.length) {
        while (placed.has(cells[next])) next++;
        placed.add(cells[next]);
        queue.push(cells[next]);
      }
      for (const e of queue[i].out) {
        if (placed.has(e.to)) continue;
        e.to.rank = Math.max(e.to.rank, queue[i].rank + 1);
        waits.set(e.to, waits.get(e.to) - 1);
        if (!waits.get(e.to)) {
          placed.add(e.to);
          queue.push(e.to);
        }
      }
    }
    for (const c of cells)
      if (!c.into.length && c.out.length) c.rank = Math.max(0, Math.min(...c.out.map(e => e.to.rank)) - 1);
  }

  // How far right of its middle a cell is met by a link that ends in the box `id` within it.
  function port(cell, id) {
    if (cell.id === id || !cell.children) return 0;
    for (const c of cell.children) {
      if (c.id === id || (c.children && holds(c, id))) return c.x - cell.w / 2 + port(c, id);
    }
    return 0;
  }
  const holds = (cell, id) => cell.children.some(c => c.id === id || (c.children && holds(c, id)));

  // One cell a rank where an edge passes; its `via` lists them from source to target. Cells that are joined know each
  // other, and where on themselves (`mine`) and on the other (`its`) the link is tied.
  function dummies(cells, links) {
    const all = [...cells];
    const join = (from, to, a, b) => {
      from.chain.push({cell: to, mine: a, its: b});
      to.back.push({cell: from, mine: b, its: a});
    };
    for (const link of links) {
      let from = link.from,
        tied = port(link.from, link.source);
      link.via = [];
      for (let rank = link.from.rank + 1; rank < link.to.rank; rank++) {
        const dummy = {w: 6, h: 0, left: 0, rank, dummy: true, chain: [], back: []};
        join(from, dummy, tied, 0);
        link.via.push(dummy);
        all.push(dummy);
        from = dummy;
        tied = 0;
      }
      join(from, link.to, tied, port(link.to, link.target));
    }
    return all;
  }

  function layers(cells, links) {
    for (const c of cells) {
      c.chain = [];
      c.back = [];
    }
    const all = dummies(cells, links),
      rows = [];
    for (const c of all) (rows[c.rank] = rows[c.rank] || []).push(c);
    const number = row => row.forEach((c, i) => (c.at = i));
    const kept = rows.filter(Boolean);
    kept.forEach(number);
    const sweeps = all.length > 4000 ? 3 : 8;
    for (let s = 0; s < sweeps; s++) {
      const down = s % 2 === 0;
      for (const row of down ? kept : [...kept].reverse()) {
        if (row.length < 2) continue;
        for (const c of row) {
          const near = down ? c.back : c.chain;
          c.key = near.length ? median(near.map(o => o.cell.at + 0.4 * Math.sign(o.its))) : c.at;
        }
        row.sort((a, b) => a.key - b.key || a.at - b.at);
        number(row);
      }
    }
    return kept;
  }

  function columns(rows) {
    const size = rows.reduce((n, row) => n + row.length, 0),
      sweeps = size > 4000 ? 4 : 10;
    for (const row of rows) {
      let x = 0;
      row.forEach((c, i) => {
        x += i ? c.left + c.w / 2 + GAP + row[i - 1].w / 2 : 0;
        c.x = x;
      });
      const middle = x / 2;
      for (const c of row) c.x -= middle;
    }
    for (let s = 0; s < sweeps; s++) {
      const down = s % 2 === 0,
        both = s >= sweeps - 2;
      for (const row of down ? rows : [...rows].reverse()) {
        const apart = row.map((c, i) =>
          i
            ? row[i - 1].w / 2 + (row[i - 1].spare || 0) + c.left + c.w / 2 + (c.dummy && row[i - 1].dummy ? 10 : GAP)
            : 0,
        );
        const wanted = row.map(c => {
          const near = both ? [...c.back, ...c.chain] : down ? c.back : c.chain;
          return near.length ? median(near.map(o => o.cell.x + o.its - o.mine)) : c.x;
        });
        spread(
          wanted,
          row.map(c => (c.dummy ? 4 : 1 + c.back.length + c.chain.length)),
          apart,
        ).forEach((x, i) => (row[i].x = x));
      }
    }
  }

  // Leaves that are read by one step of the same frame, drawn at its left.
  function hang(cells, links) {
    const readers = new Map();
    for (const l of links) readers.set(l.from, (readers.get(l.from) || new Set()).add(l.to));
    for (const c of cells) {
      const to = readers.get(c);
      if (!c.leaf || !to || to.size !== 1) continue;
      const [host] = to;
      if (host.frame || host.leaf || host.dummy) continue;
      (host.hung = host.hung || []).push(c);
      c.host = host;
    }
    for (const c of cells)
      if (c.hung) {
        const tall = c.hung.reduce((n, l) => n + l.h + STACK, -STACK),
          wide = Math.max(...c.hung.map(l => l.w));
        c.left = wide + HANG;
        c.tall = tall;
      }
  }

  // Place the children of `frame`; sets w, h of the frame, and x, y of each child relative to the frame's top left.
  function frame(box) {
    const cells = box.children;
    for (const c of cells) {
      if (c.children) frame(c);
      c.left = 0;
      c.tall = 0;
      c.into = [];
      c.out = [];
      c.hung = null;
      c.host = null;
    }
    hang(cells, box.links);
    const free = cells.filter(c => !c.host),
      seen = new Map();
    for (const l of box.links) {
      if (l.from.host || l.from === l.to) continue;
      const key = l.from.id + ">" + l.to.id;
      if (seen.has(key)) {
        l.opposite = seen.get(key);
        continue;
      }
      seen.set(key, l);
      l.from.out.push(l);
      l.to.into.push(l);
    }
    ranks(free);
    const links = [...seen.values()],
      rows = layers(free, links);
    columns(rows);
    let y = box.root ? 0 : HEAD + 6;
    for (const row of rows) {
      const h = Math.max(0, ...row.map(c => Math.max(c.h, c.tall || 0)));
      for (const c of row) c.y = y + (h - c.h) / 2;
      y += h + RANK;
    }
    finish(box, rows, y - RANK);
  }

  function finish(box, rows, bottom) {
    let low = Infinity,
      high = -Infinity;
    for (const row of rows)
      for (const c of row) {
        low = Math.min(low, c.x - c.w / 2 - c.left);
        high = Math.max(high, c.x + c.w / 2 + (c.spare || 0));
      }
    if (low > high) low = high = 0;
    const wide = Math.max(high - low, box.root ? 0 : box.title - 2 * PAD),
      extra = (wide - (high - low)) / 2;
    const move = PAD - low + extra;
    for (const row of rows)
      for (const c of row) {
        c.x += move;
        if (!c.hung) continue;
        let top = c.y + c.h / 2 - c.tall / 2;
        for (const l of c.hung) {
          l.x = c.x - c.w / 2 - HANG - l.w / 2;
          l.y = top;
          top += l.h + STACK;
        }
      }
    box.w = wide + 2 * PAD;
    box.h = Math.max(0, bottom) + (box.root ? 0 : PAD);
  }

  // Absolute coordinates: x is the middle, y the top.
  function absolute(box, left, top) {
    for (const c of box.children) {
      c.X = left + c.x;
      c.Y = top + c.y;
      if (c.children) absolute(c, c.X - c.w / 2, c.Y);
    }
    for (const l of box.links) if (l.via) l.points = l.via.map(d => [left + d.x, top + d.y]);
  }

  return {
    run(root) {
      root.root = true;
      frame(root);
      absolute(root, 0, 0);
      return root;
    },
    spread,
    HEAD,
  };
})();
