"use strict";
// The panel at the right: what is known of one box, or of the whole graph.
const Details = (() => {
  const {data, items, groups, ins, outs, num, list, all, folded, label} = Model;
  const {esc, shape, number, bytes, seconds, name} = Draw;
  const rows = pairs => {
    const kept = pairs.filter(([, v]) => v !== "" && v != null);
    return kept.length ? `<dl>${kept.map(([k, v]) => `<dt>${esc(k)}</dt><dd>${v}</dd>`).join("")}</dl>` : "";
  };
  const jump = id => {
    const it = items.get(id) || groups.get(id);
    return it
      ? `<button class="jump" data-jump="${esc(id)}">${esc(items.has(id) ? name(it) : label(it))}</button>`
      : esc(id);
  };
  const section = (title, inner) => (inner ? `<h3>${esc(title)}</h3>${inner}` : "");

  function histogram(s) {
    const bins = list(s, "bins"),
      most = Math.max(...bins, 1),
      w = 300 / Math.max(bins.length, 1);
    if (!bins.length) return "";
    const bars = bins
      .map(
        (n, k) =>
          `<rect x="${(k * w).toFixed(1)}" y="${(50 - (50 * n) / most).toFixed(1)}" width="${(w - 1.5).toFixed(1)}" height="${((50 * n) / most).toFixed(1)}"/>`,
      )
      .join("");
    return `<svg class="hist" width="300" height="50" role="img" aria-label="histogram from ${number(s.low ?? 0)} to ${number(s.high ?? 0)}">${bars}</svg><div style="display:flex;width:300px;justify-content:space-between;color:var(--dim);font-size:11px"><span>${number(s.low ?? 0)}</span><span>${number(s.high ?? 0)}</span></div>`;
  }
  function statistics(s) {
    if (!s) return "";
    const values = list(s, "values");
    return (
      rows([
        ["values", values.length ? esc(values.map(number).join(", ")) : ""],
        ["mean ± std", values.length === 1 ? "" : `${number(s.mean || 0)} ± ${number(s.std || 0)}`],
        ["norm", number(s.norm || 0)],
        ["NaN", s.nans ? `<b style="color:var(--bad)">⚠ ${s.nans} of ${s.count}</b>` : ""],
        ["inf", s.infs ? `<b style="color:var(--bad)">⚠ ${s.infs} of ${s.count}</b>` : ""],
        ["zeros", s.zeros ? `${(100 * s.zeros).toFixed(1)} %` : ""],
        ["dead units", s.dead ? `${(100 * s.dead).toFixed(1)} %` : ""],
      ]) + histogram(s)
    );
  }
  const marks = i =>
    list(i, "marks")
      .map(
        m =>
          `<div class="mark ${esc(m.level)}">${m.level === "bad" ? "⚠ " : m.level === "warn" ? "▽ " : ""}${esc(m.text)}${(data.rules || {})[m.kind] ? `<br><small>Rule: ${esc(data.rules[m.kind])}.</small>` : ""}</div>`,
      )
      .join("");
  const source = s =>
    s
      ? `<pre>${esc(s.file)}:${s.line}${s.function ? ` in ${esc(s.function)}` : ""}${s.text ? `\n${esc(s.text)}` : ""}</pre>`
      : "";
  const saved = i =>
    list(i, "saved")
      .map(s => {
        const of = s.owner
          ? items.has(s.owner)
            ? `result of ${jump(s.owner)}`
            : "a leaf's value"
          : {result: "this step's result", constant: "a constant", packed: "packed by a hook"}[s.of] || "an input";
        const version =
          s.now != null && s.now !== (s.version || 0)
            ? `<br><b style="color:var(--bad)">⚠ version ${s.version || 0} when saved, ${s.now} now${s.writer ? `, written by ${esc(s.writer)}` : ""}</b>`
            : "";
        return `<dt>${esc(s.name)}</dt><dd>${shape(s.shape)} ${esc(s.dtype || "")}, ${bytes(s.bytes || 0)}${s.adds ? "" : ", held anyway"}<br>${of}${version}</dd>`;
      })
      .join("");
  const norms = i => {
    const v = list(i, "norms").map(num);
    if (v.length < 2) return "";
    const most = Math.max(...v.filter(Number.isFinite), 1e-300),
      w = 300 / v.length;
    return `<svg class="hist" width="300" height="40" role="img" aria-label="gradient norm of each repeat">${v.map((n, k) => `<rect x="${(k * w).toFixed(2)}" y="${Number.isFinite(n) ? (40 - (40 * n) / most).toFixed(1) : 0}" width="${Math.max(w - 0.5, 0.5).toFixed(2)}" height="${Number.isFinite(n) ? ((40 * n) / most).toFixed(1) : 40}"${Number.isFinite(n) ? "" : ' style="fill:var(--bad)"'}/>`).join("")}</svg>`;
  };

  function item(i) {
    const input = (ins.get(i.id) || [])
      .map(
        a =>
          `<dt>${esc(a.kind && a.kind !== "data" ? a.kind : `input ${a.slot || 0}`)}</dt><dd>${jump(a.source)} ${shape(a.shape)}</dd>`,
      )
      .join("");
    const output = (outs.get(i.id) || [])
      .map(
        a => `<dt>${esc(a.kind && a.kind !== "data" ? a.kind : "to")}</dt><dd>${jump(a.target)} ${shape(a.shape)}</dd>`,
      )
      .join("");
    const kind =
      {
        step: "step",
        parameter: "parameter, requires grad",
        leaf: "leaf, requires grad",
        constant: "does not require grad",
        output: "output",
        error: "error",
      }[i.kind] || i.kind;
    return (
      `<h2>${esc(name(i))}</h2><p style="color:var(--dim)">${esc(i.op ? `${i.op}` : "")}${i.op ? ", " : ""}${esc(kind)}${i.group ? ` in ${jump(i.group)}` : ""}</p>${marks(i)}` +
      section(
        "Tensor",
        rows([
          [
            "shape",
            i.before
              ? `${shape(i.before)} → ${shape(i.shape)}`
              : shape(i.shape) || list(i, "results").map(shape).join(", "),
          ],
          ["dtype", esc(i.dtype || "")],
          ["bytes", i.bytes ? bytes(i.bytes) : ""],
          ["memory", i.view ? "a view: looks into its first input" : ""],
          ["versions", i.write ? `${i.write[0]} → ${i.write[1]}` : ""],
          ["uses", (i.uses || 1) > 1 ? `↗ shared, drawn at each of ${i.uses} uses` : ""],
          ["repeats", (i.repeat || 1) > 1 ? `stands for ${i.repeat} equal ones` : ""],
          ["change", esc(i.change || "")],
        ]),
      ) +
      section("Arguments", rows(list(i, "attributes").map(([k, v]) => [k, esc(v)]))) +
      section("Value", statistics(i.value)) +
      section(
        "Gradient",
        i.gradient
          ? statistics(i.gradient)
          : i.kind === "constant" || i.kind === "error"
            ? ""
            : "<p>None yet: backward was not run, or nothing arrived here.</p>",
      ) +
      section("Gradient norm of each repeat", norms(i)) +
      section("Inputs", input && `<dl>${input}</dl>`) +
      section("Used by", output && `<dl>${output}</dl>`) +
      section(
        "Saved for backward",
        saved(i) &&
          `<dl>${saved(i)}</dl><p>${i.freed ? "Freed by backward." : i.frees ? "Backward frees it, unless retain_graph=True." : ""} Adds ${bytes(i.held || 0)}.</p>`,
      ) +
      section("Made at", source(i.source)) +
      section(
        "Time",
        rows([
          ["forward", i.forward == null ? "" : seconds(i.forward)],
          ["backward", i.backward == null ? "" : seconds(i.backward)],
        ]),
      ) +
      section("Hooks", i.hooks ? `<p>⚑ ${i.hooks} user hook${i.hooks > 1 ? "s" : ""}</p>` : "")
    );
  }

  function group(g) {
    const f = folded(g),
      steps = all(g).filter(i => i.kind === "step");
    return (
      `<h2>${esc(label(g))}</h2><p style="color:var(--dim)">${esc(g.kind || "module")}${g.parent ? ` in ${jump(g.parent)}` : ""}</p>${marks(f)}` +
      rows([
        ["steps", f.count],
        ["repeats", (g.repeat || 1) > 1 ? `stands for ${g.repeat} equal ones (${esc(g.fold || "")})` : ""],
        ["held for backward", bytes(f.held)],
        ["gradient norm", f.gradient ? number(Draw.norm(f)) : ""],
        ["forward", f.forward ? seconds(f.forward) : ""],
        ["backward", f.backward ? seconds(f.backward) : ""],
      ]) +
      section(
        "Inside",
        `<p>${steps
          .slice(0, 60)
          .map(i => jump(i.id))
          .join(", ")}${steps.length > 60 ? " …" : ""}</p>`,
      ) +
      `<p><button data-fold="${esc(g.id)}">${Model.shut.has(g.id) ? "Open this frame" : "Fold this frame"}</button></p>`
    );
  }

  function overview() {
    const s = data.summary || {},
      marked = [...items.values()].filter(i => list(i, "marks").some(m => m.level !== "note"));
    const gone = [...items.values()].filter(i => i.change);
    return (
      `<h2>${esc(data.title || "Computation graph")}</h2>` +
      rows([
        ["steps", s.steps],
        ["boxes", s.shown],
        [
          "parameters",
          s.parameter_tensors
            ? `${(s.parameters || 0).toLocaleString("en")} in ${s.parameter_tensors} tensors, ${bytes(s.parameter_bytes || 0)}`
            : "",
        ],
        ["held for backward", s.saved_bytes ? bytes(s.saved_bytes) : ""],
      ]) +
      section(
        "To look at",
        marked
          .slice(0, 50)
          .map(
            i =>
              `<p>${jump(i.id)} ${list(i, "marks")
                .filter(m => m.level !== "note")
                .map(m => `${m.level === "bad" ? "⚠" : "▽"} ${esc(m.text)}`)
                .join("; ")}</p>`,
          )
          .join(""),
      ) +
      section(
        "Changes",
        gone
          .slice(0, 80)
          .map(i => `<p>${{added: "✚", gone: "−", reshaped: "⤢"}[i.change] || ""} ${jump(i.id)} ${esc(i.change)}</p>`)
          .join(""),
      ) +
      section(
        "Rules",
        Object.entries(data.rules || {})
          .map(([k, v]) => `<p><b>${esc(k)}</b>: ${esc(v)}.</p>`)
          .join(""),
      ) +
      section(
        "Keys",
        rows([
          ["/", "search"],
          ["← →", "backward step by step"],
          ["space", "play, pause"],
          ["↑ ↓", "to the first input, to the first user"],
          ["f", "fit"],
          ["c, e", "fold, open all frames"],
          ["d", "dark or light"],
          ["t", "table of all boxes"],
          ["Esc", "this overview"],
        ]),
      )
    );
  }

  const table = () =>
    `<h2>All boxes</h2><table><thead><tr><th>name</th><th>kind</th><th>shape</th><th>‖∂‖</th></tr></thead><tbody>${[
      ...items.values(),
    ]
      .slice(0, 3000)
      .map(
        i =>
          `<tr><td>${jump(i.id)}</td><td>${esc(i.kind)}</td><td>${shape(i.shape)}</td><td>${i.gradient ? number(Draw.norm(i)) : ""}</td></tr>`,
      )
      .join("")}</tbody></table>${items.size > 3000 ? `<p>The first 3,000 of ${items.size}.</p>` : ""}`;

  return {of: id => (items.has(id) ? item(items.get(id)) : groups.has(id) ? group(groups.get(id)) : overview()), table};
})();
