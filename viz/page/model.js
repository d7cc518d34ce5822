"use strict";
// The graph as the page sees it: items and frames by id, which frames are open, and the boxes and links that follow.
const Model = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const list = (o, name) => o[name] || [];
  const items = new Map(list(data, "items").map(i => [i.id, i])),
    groups = new Map(list(data, "groups").map(g => [g.id, g]));
  const arrows = list(data, "arrows"),
    shut = new Set(),
    inside = new Map(),
    ins = new Map(),
    outs = new Map();
  for (const g of groups.values()) {
    g.kids = [];
    g.items = [];
  }
  for (const g of groups.values()) if (groups.has(g.parent)) groups.get(g.parent).kids.push(g);
  for (const i of items.values()) if (groups.has(i.group)) groups.get(i.group).items.push(i);
  for (const a of arrows) {
    push(ins, a.target, a);
    push(outs, a.source, a);
  }

  function push(map, key, value) {
    if (map.has(key)) map.get(key).push(value);
    else map.set(key, [value]);
  }
  const num = v => (v === "NaN" ? NaN : v === "Infinity" ? Infinity : v === "-Infinity" ? -Infinity : v);

  // The frames around an item or frame, outermost first.
  function frames(id) {
    const found = [],
      start = items.get(id) || groups.get(id) || {};
    for (let g = groups.get(items.has(id) ? start.group : start.parent); g; g = groups.get(g.parent))
      found.unshift(g.id);
    return found;
  }
  // What stands for an item now: itself, or the outermost shut frame around it.
  function visible(id) {
    const start = items.get(id) || groups.get(id) || {};
    let found = id;
    for (let g = groups.get(items.has(id) ? start.group : start.parent); g; g = groups.get(g.parent))
      if (shut.has(g.id)) found = g.id;
    return found;
  }
  function all(group) {
    if (!inside.has(group)) inside.set(group, [...group.items, ...group.kids.flatMap(all)]);
    return inside.get(group);
  }

  // What a shut frame says of the items in it, in the words of an item.
  function folded(group) {
    const those = all(group),
      steps = those.filter(i => i.kind === "step"),
      sum = key => steps.reduce((n, i) => n + (i[key] || 0), 0);
    const grads = those.filter(i => i.gradient).map(i => i.gradient);
    const level = those.flatMap(i => list(i, "marks")).filter(m => m.level !== "note");
    const norms = grads.map(g => num(g.norm || 0));
    return {
      id: group.id,
      kind: "group",
      name: label(group),
      group: group.parent,
      held: sum("held"),
      forward: sum("forward"),
      backward: sum("backward"),
      count: steps.reduce((n, i) => n + (i.repeat || 1), 0),
      repeat: group.repeat || 1,
      marks: level.slice(0, 20),
      gradient: grads.length
        ? {
            norm: Math.hypot(...norms),
            nans: grads.reduce((n, g) => n + (g.nans || 0), 0),
            infs: grads.reduce((n, g) => n + (g.infs || 0), 0),
          }
        : null,
      change:
        those.length && those.every(i => i.change && i.change === those[0].change)
          ? those[0].change
          : those.some(i => i.change)
            ? "inside"
            : "",
    };
  }
  const label = g =>
    (g.name && g.title ? `${g.name}: ${g.title}` : g.name || g.title || g.kind || "frame") +
    ((g.call || 1) > 1 ? `, call ${g.call}` : "");

  const headline = g => {
    const text = label(g);
    return (text.length > 48 ? text.slice(0, 47) + "…" : text) + ((g.repeat || 1) > 1 ? ` × ${g.repeat}` : "");
  };

  // Boxes with children for the open frames, and in each frame the links between its children.
  function boxes(size) {
    const root = {id: "", children: [], links: [], depth: 0},
      box = new Map([["", root]]);
    const open = (parent, group) => {
      const into = box.get(parent);
      if (shut.has(group.id)) return add(into, folded(group));
      const made = {
        id: group.id,
        group,
        children: [],
        links: [],
        frame: true,
        title: size.text(headline(group), "11px system-ui, Arial, sans-serif") + 44,
      };
      box.set(group.id, made);
      into.children.push(made);
      return fill(group.id, group.items, group.kids);
    };
    const add = (into, item) => {
      const made = {id: item.id, item, leaf: ["parameter", "leaf", "constant"].includes(item.kind), ...size.box(item)};
      box.set(item.id, made);
      into.children.push(made);
    };
    function fill(id, its, kids) {
      for (const i of its) add(box.get(id), i);
      for (const k of kids) open(id, k);
    }
    fill(
      "",
      [...items.values()].filter(i => !groups.has(i.group)),
      [...groups.values()].filter(g => !groups.has(g.parent)),
    );
    const links = link(box, root);
    return {root, box, links};
  }

  // Each arrow, or bundle of equal ones, becomes a link in the innermost frame that holds both ends.
  function link(box, root) {
    const bundles = new Map();
    for (const a of arrows) {
      const s = visible(a.source),
        t = visible(a.target);
      if (s === t || !box.has(s) || !box.has(t)) continue;
      const kind = a.kind || "data",
        key = `${s} ${t} ${kind} ${a.change || ""}`;
      if (!bundles.has(key))
        bundles.set(key, {source: s, target: t, kind, change: a.change || "", label: a.label || "", arrows: []});
      bundles.get(key).arrows.push(a);
    }
    for (const b of bundles.values()) {
      const up = [...frames(b.source), b.source],
        down = [...frames(b.target), b.target];
      let n = 0;
      while (up[n] === down[n]) n++;
      const into = n ? box.get(up[n - 1]) : root;
      b.from = box.get(up[n]);
      b.to = box.get(down[n]);
      b.id = `${b.source}>${b.target}`;
      b.deep = n;
      if (b.kind !== "carry") into.links.push(b);
    }
    return [...bundles.values()];
  }

  // Shut frames from the inside out until about `most` boxes are left.
  function shutUntil(most) {
    const depth = g => frames(g.id).length,
      order = [...groups.values()].sort((a, b) => depth(b) - depth(a));
    let shown = items.size;
    for (const g of order) {
      if (shown <= most) return;
      const hidden = all(g).filter(i => visible(i.id) === i.id || frames(i.id).every(f => !shut.has(f)));
      if (hidden.length < 2) continue;
      shown -= hidden.length - 1;
      shut.add(g.id);
    }
  }

  return {
    data,
    items,
    groups,
    arrows,
    ins,
    outs,
    shut,
    num,
    list,
    frames,
    visible,
    all,
    folded,
    label,
    headline,
    boxes,
    shutUntil,
  };
})();
