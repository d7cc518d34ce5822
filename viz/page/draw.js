"use strict";
// From boxes with places to SVG text. Nothing here knows of clicks.
const Draw = (() => {
  const esc = s =>
    String(s).replace(/[&<>"']/g, c => ({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})[c]);
  const {num, list} = Model;
  const pen = document.createElement("canvas").getContext("2d");
  const widths = new Map();
  function text(s, font = "12px system-ui, Arial, sans-serif") {
    const key = font + s;
    if (!widths.has(key)) {
      pen.font = font;
      widths.set(key, pen.measureText(s).width);
    }
    return widths.get(key);
  }
  const short = (s, n = 44) => (s.length > n ? s.slice(0, n - 1) + "…" : s);
  const shape = s => (s == null ? "" : s.length ? s.join("×") : "()");
  const number = v => {
    v = num(v);
    return v == null
      ? "–"
      : Number.isNaN(v)
        ? "NaN"
        : v === Infinity
          ? "inf"
          : v === -Infinity
            ? "-inf"
            : v === 0
              ? "0"
              : Math.abs(v) >= 1e-3 && Math.abs(v) < 1e5
                ? String(+v.toPrecision(4))
                : v.toExponential(2);
  };
  const bytes = b =>
    b < 1024 ? `${b} B` : b < 1048576 ? `${(b / 1024).toFixed(1)} KiB` : `${(b / 1048576).toFixed(1)} MiB`;
  const seconds = s =>
    s == null
      ? "–"
      : s < 1e-3
        ? `${(s * 1e6).toFixed(1)} µs`
        : s < 1
          ? `${(s * 1e3).toFixed(2)} ms`
          : `${s.toFixed(2)} s`;
  const name = i =>
    (i.kind === "parameter" ? "▣ " : "") +
    short(i.name || i.op || i.kind) +
    ((i.repeat || 1) > 1 ? ` × ${i.repeat}` : "");
  const norm = i =>
    i.gradient ? (i.gradient.nans ? NaN : i.gradient.infs ? Infinity : num(i.gradient.norm || 0)) : null;

  function sub(i, overlay) {
    if (overlay === "gradient") return i.gradient ? `‖∂‖ ${number(norm(i))}` : "no gradient";
    if (overlay === "forward" || overlay === "backward") return seconds(i[overlay]);
    if (overlay === "held") return bytes(i.held || 0);
    if (i.kind === "group") return `${i.count} step${i.count === 1 ? "" : "s"}`;
    const shapes = list(i, "results").length ? i.results.map(shape).join(", ") : shape(i.shape);
    const moved = i.before ? `${shape(i.before)} → ` : "",
      write = i.write && i.kind === "step" ? ` v${i.write[0]}→v${i.write[1]}` : "";
    return short(moved + shapes + (i.dtype && i.dtype !== "float32" ? ` ${i.dtype}` : "") + write, 52);
  }

  // Signs beside a box; they say in characters what colours say too.
  function signs(i) {
    const found = [],
      levels = list(i, "marks").map(m => m.level);
    if (levels.includes("bad")) found.push(["⚠", "bad"]);
    else if (levels.includes("warn")) found.push(["▽", "warn"]);
    if (i.change)
      found.push([
        {added: "✚", gone: "−", reshaped: "⤢", inside: "±"}[i.change] || i.change,
        {added: "new", gone: "gone"}[i.change] || "changed",
      ]);
    if ((i.uses || 1) > 1) found.push([`↗${i.uses}`, "dim"]);
    if (i.hooks) found.push([`⚑${i.hooks}`, "dim"]);
    return found;
  }

  const size = {
    text,
    box(i) {
      const wide = Math.max(text(name(i)), text(sub(i, ""), "10px ui-monospace, Consolas, monospace"), 64) + 22;
      return {w: wide, h: 40, spare: signs(i).length * 18};
    },
  };

  function paint(i, overlay, scale) {
    if (overlay === "kind" || overlay === "change") {
      if (i.change && i.change !== "inside") {
        const c = {added: "new", gone: "gone"}[i.change] || "changed";
        return [`var(--${c}bg)`, `var(--${c})`];
      }
      if (overlay === "change") return ["var(--const)", "var(--constb)"];
      if (list(i, "marks").some(m => m.level === "bad")) return ["var(--badbg)", "var(--bad)"];
      return (
        {
          step: ["var(--op)", "var(--opb)"],
          group: ["var(--op)", "var(--opb)"],
          parameter: ["var(--param)", "var(--paramb)"],
          leaf: ["var(--leaf)", "var(--paramb)"],
          output: ["var(--out)", "var(--outb)"],
          error: ["var(--badbg)", "var(--bad)"],
        }[i.kind] || ["var(--const)", "var(--constb)"]
      );
    }
    const v = overlay === "gradient" ? norm(i) : i[overlay];
    if (v == null || (overlay !== "gradient" && !v)) return ["var(--const)", "var(--constb)"];
    if (!Number.isFinite(v)) return ["var(--badbg)", "var(--bad)"];
    const t = overlay === "gradient" ? scale.log(v) : Math.sqrt(v / scale.most),
      dark = document.documentElement.dataset.theme === "dark";
    return [`hsl(${250 - 205 * t} ${45 + 30 * t}% ${dark ? 20 + 15 * t : 95 - 25 * t}%)`, "var(--constb)"];
  }

  function scaleOf(shown, overlay) {
    const values = shown
      .map(i => (overlay === "gradient" ? norm(i) : i[overlay]))
      .filter(v => Number.isFinite(v) && v > 0);
    const logs = values.map(Math.log10),
      low = Math.min(...logs),
      high = Math.max(...logs);
    return {
      most: Math.max(...values, 1e-12),
      log: v => (v > 0 && high > low ? (Math.log10(v) - low) / (high - low) : v > 0 ? 1 : 0),
    };
  }

  function body(b, fill, stroke) {
    const i = b.item,
      x = b.X - b.w / 2,
      at = (dx, dy, r, more = "") =>
        `<rect x="${(x + dx).toFixed(1)}" y="${(b.Y + dy).toFixed(1)}" width="${b.w.toFixed(1)}" height="${b.h}" rx="${r}" fill="${fill}" stroke="${stroke}"${more}/>`;
    const r = i.kind === "step" ? 9 : i.kind === "output" || i.kind === "constant" ? 20 : 2;
    let o = i.kind === "group" || (i.repeat || 1) > 1 ? at(4, 4, r, ' stroke-width="1"') : "";
    o += at(0, 0, r, ' class="body"');
    if (i.kind === "parameter" || i.kind === "group")
      o += `<rect x="${(x + 3).toFixed(1)}" y="${b.Y + 3}" width="${(b.w - 6).toFixed(1)}" height="${b.h - 6}" rx="1" fill="none" stroke="${stroke}" stroke-width=".8"/>`;
    return o;
  }

  function node(b, overlay, scale) {
    const i = b.item,
      [fill, stroke] = paint(i, overlay, scale),
      second = sub(i, overlay === "kind" || overlay === "change" ? "" : overlay);
    const marks = list(i, "marks")
        .filter(m => m.level !== "note")
        .map(m => m.text),
      label = [name(i), second, ...marks, ...(i.change ? [i.change] : [])].join(", ");
    let o = `<g class="box" data-id="${esc(i.id)}" tabindex="0" role="button" aria-label="${esc(label)}">${body(b, fill, stroke)}`;
    o += `<text x="${b.X.toFixed(1)}" y="${b.Y + 17}">${i.kind === "group" ? "▸ " : ""}${esc(name(i))}</text><text class="sub" x="${b.X.toFixed(1)}" y="${b.Y + 32}">${esc(second)}</text>`;
    signs(i).forEach(
      ([sign, colour], n) =>
        (o += `<text class="sign" x="${(b.X + b.w / 2 + 4 + (n > 1 ? 16 : 0)).toFixed(1)}" y="${b.Y + 14 + 15 * (n % 2)}" style="fill:var(--${colour})">${esc(sign)}</text>`),
    );
    return o + "</g>";
  }

  const frame = b =>
    `<g class="frame ${esc(b.group.kind || "module")}" data-frame="${esc(b.id)}"><rect x="${(b.X - b.w / 2).toFixed(1)}" y="${b.Y}" width="${b.w.toFixed(1)}" height="${b.h}" rx="10"/>` +
    `<text class="title" x="${(b.X - b.w / 2 + 12).toFixed(1)}" y="${b.Y + 17}" tabindex="0" role="button" aria-expanded="true" aria-label="fold ${esc(Model.label(b.group))}">▾ ${esc(Model.headline(b.group))}</text><title>${esc(Model.label(b.group))}</title></g>`;

  // A smooth line through the places where it passes the ranks.
  function path(link, box, backwards) {
    const s = box.get(link.source),
      t = box.get(link.target);
    if (s.host === t) {
      const [x1, y1, x2, y2] = [
        s.X + s.w / 2,
        s.Y + s.h / 2,
        t.X - t.w / 2,
        t.Y + t.h / 2 + Math.max(-14, Math.min(14, (s.Y + s.h / 2 - t.Y - t.h / 2) / 3)),
      ];
      const m = (x1 + x2) / 2;
      return {
        line: backwards
          ? `M${x2} ${y2}C${m} ${y2} ${m} ${y1} ${x1} ${y1}`
          : `M${x1} ${y1}C${m} ${y1} ${m} ${y2} ${x2} ${y2}`,
        middle: [s.X - s.w / 2 - 5, s.Y + s.h / 2 + 4],
        end: true,
      };
    }
    if (t.Y <= s.Y) {
      // against the stream: round the right side
      const x = Math.max(s.X + s.w / 2, t.X + t.w / 2) + 36;
      return {
        line: `M${s.X + s.w / 2} ${s.Y + s.h / 2}C${x} ${s.Y + s.h / 2} ${x} ${t.Y + t.h / 2} ${t.X + t.w / 2} ${t.Y + t.h / 2}`,
        middle: [x, (s.Y + t.Y) / 2],
      };
    }
    const via = (link.opposite || link).points || [],
      points = [
        [s.X, s.Y + s.h],
        ...via.map(p => [p[0] + (link.opposite ? 7 : 0), p[1]]),
        [t.X + (link.opposite ? 7 : 0), t.Y],
      ];
    if (backwards) points.reverse();
    let line = `M${points[0].map(v => v.toFixed(1)).join(" ")}`;
    for (let n = 1; n < points.length; n++) {
      const [a, b] = [points[n - 1], points[n]],
        m = (a[1] + b[1]) / 2;
      line += `C${a[0].toFixed(1)} ${m.toFixed(1)} ${b[0].toFixed(1)} ${m.toFixed(1)} ${b[0].toFixed(1)} ${b[1].toFixed(1)}`;
    }
    const k = (points.length - 1) / 2,
      low = points[Math.floor(k)],
      high = points[Math.ceil(k)] === low ? points[Math.floor(k) + 1] || low : points[Math.ceil(k)];
    return {line, middle: [(low[0] + high[0]) / 2 + 6, (low[1] + high[1]) / 2 + 3]};
  }

  function edge(link, box, flow) {
    const {line, middle, end} = path(link, box, flow),
      count = link.arrows.reduce((n, a) => n + (a.repeat || 1), 0);
    const label =
      flow ||
      link.label ||
      (link.kind === "view" ? "view" : link.kind === "inplace" ? "in place" : "") ||
      (link.arrows.length > 1 ? `×${link.arrows.length}` : count > 1 && link.kind !== "data" ? `×${count}` : "");
    return (
      `<path class="edge ${link.kind} ${link.change}${flow ? " flow" : ""}" d="${line}" marker-end="url(#tip)"/>` +
      (label
        ? `<text class="edgelabel ${flow ? "flow" : ""}"${end ? ' text-anchor="end"' : ""} x="${middle[0].toFixed(1)}" y="${middle[1].toFixed(1)}">${esc(label)}</text>`
        : "")
    );
  }

  return {esc, text, size, shape, number, bytes, seconds, name, norm, sub, node, frame, edge, scaleOf, short};
})();
