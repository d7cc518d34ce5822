"use strict";
// What the reader does: fold, select, search, move, watch the gradient flow.
(() => {
  const {data, items, groups, shut, list, visible, frames, folded} = Model;
  const $ = id => document.getElementById(id),
    steps = list(data, "backward"),
    svg = $("graph"),
    world = $("world");
  const state = {chosen: "", step: 0, overlay: "kind", query: "", table: false, timer: null, moved: false};
  const view = {k: 1, x: 0, y: 0};
  const FEW = 1500; // up to so many boxes all are in the document; beyond, those in sight
  let scene,
    drawn = "";

  // ---------------------------------------------------------------- layout and drawing
  function arrange() {
    scene = Model.boxes(Draw.size);
    Layout.run(scene.root);
    scene.nodes = [...scene.box.values()].filter(b => b.item);
    scene.frames = [...scene.box.values()].filter(b => b.frame);
    scene.scale = Draw.scaleOf(
      scene.nodes.map(b => b.item),
      state.overlay,
    );
    draw(true);
  }
  const current = () => (state.step ? steps[state.step - 1] : null);
  const near = (b, r) => b.X + b.w / 2 > r.left && b.X - b.w / 2 < r.right && b.Y + b.h > r.top && b.Y < r.bottom;
  function sight() {
    const r = svg.getBoundingClientRect(),
      m = 300 / view.k;
    return {
      left: -view.x / view.k - m,
      right: (r.width - view.x) / view.k + m,
      top: -view.y / view.k - m,
      bottom: (r.height - view.y) / view.k + m,
    };
  }
  function matches(i) {
    if (!state.query) return true;
    const s = i.source,
      text = [
        i.name,
        i.op,
        i.id,
        i.kind,
        i.group && groups.get(i.group) ? Model.label(groups.get(i.group)) : "",
        s ? `${s.file}:${s.line} ${s.text || ""}` : "",
      ]
        .join(" ")
        .toLowerCase();
    return state.query.split(/\s+/).every(word => text.includes(word));
  }
  const hit = b =>
    b.item.kind === "group" ? Model.all(groups.get(b.id)).some(matches) || matches(b.item) : matches(b.item);

  // The whole picture anew, or where there are too many boxes those in sight; then what depends on choice and step.
  function draw(anew) {
    const few = scene.nodes.length <= FEW,
      r = few ? null : sight();
    if (!anew && few) return restyle();
    let o = "";
    for (const f of scene.frames) if (few || near(f, r)) o += Draw.frame(f);
    for (const l of scene.links)
      if (few || near(scene.box.get(l.source), r) || near(scene.box.get(l.target), r)) o += Draw.edge(l, scene.box, "");
    for (const b of scene.nodes) if (few || near(b, r)) o += Draw.node(b, state.overlay, scene.scale);
    if (anew || o !== drawn) {
      const focus = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.id : null;
      world.innerHTML = drawn = o;
      if (focus) refocus(focus);
    }
    return restyle();
  }
  function restyle() {
    const now = current(),
      here = now ? visible(now.item) : "",
      chosen = visible(state.chosen),
      done = new Set(steps.slice(0, state.step).map(s => visible(s.item)));
    for (const e of world.querySelectorAll(".box")) {
      const id = e.dataset.id,
        b = scene.box.get(id),
        on = hit(b) && (!state.step || done.has(id) || b.leaf || b.item.kind === "output");
      const name = `box${id === chosen ? " chosen" : ""}${id === here ? " now" : ""}${on ? "" : " off"}`;
      if (e.getAttribute("class") !== name) e.setAttribute("class", name);
    }
    world.classList.toggle("stepping", !!state.step);
    let o = "";
    const sent = new Map(now ? list(now, "sent").map(s => [`${visible(s.target)} ${here}`, s]) : []);
    if (now)
      for (const l of scene.links) {
        const s = sent.get(`${l.source} ${l.target}`);
        if (s) o += Draw.edge(l, scene.box, `∂ ${Draw.number(s.norm)}`);
      }
    $("flow").innerHTML = o;
    transform();
  }
  function refocus(id) {
    const e = world.querySelector(`[data-id="${CSS.escape(id)}"]`);
    if (e) e.focus({preventScroll: true});
  }
  function transform() {
    $("camera").setAttribute(
      "transform",
      `translate(${view.x.toFixed(2)} ${view.y.toFixed(2)}) scale(${view.k.toFixed(4)})`,
    );
    $("camera").setAttribute("class", view.k < 0.16 ? "far veryfar" : view.k < 0.4 ? "far" : "");
  }
  let waiting = 0;
  function moved() {
    state.moved = true;
    transform();
    if (scene.nodes.length > FEW && !waiting)
      waiting = requestAnimationFrame(() => {
        waiting = 0;
        draw(false);
      });
  }
  function fit() {
    const r = svg.getBoundingClientRect(),
      w = scene.root.w + 40,
      h = scene.root.h;
    view.k = Math.max(0.02, Math.min(1.4, (r.width - 30) / w, (r.height - 80) / Math.max(h, 1)));
    if (view.k < 0.25 && h > w) view.k = Math.min(0.8, (r.width - 30) / w); // a long chain: show its end, not a hair
    view.x = r.width / 2 - (scene.root.w / 2) * view.k;
    view.y = h * view.k > r.height - 60 ? r.height - 60 - h * view.k : Math.max(16, (r.height - 50 - h * view.k) / 2);
    draw(false);
  }
  function center(id) {
    const b = scene.box.get(visible(id)),
      r = svg.getBoundingClientRect();
    if (!b) return;
    const x = b.X * view.k + view.x,
      y = (b.Y + b.h / 2) * view.k + view.y;
    if (x > 40 && x < r.width - 40 && y > 30 && y < r.height - 50) return;
    state.moved = true;
    view.k = Math.max(view.k, 0.5);
    view.x = r.width / 2 - b.X * view.k;
    view.y = r.height / 2 - (b.Y + b.h / 2) * view.k;
  }

  // ---------------------------------------------------------------- what the reader does
  function choose(id, move) {
    state.chosen = id;
    state.table = false;
    if (move) center(id);
    draw(false);
    panel();
    hash();
  }
  function panel() {
    $("details").innerHTML = state.table ? Details.table() : Details.of(state.chosen);
  }
  function toggle(id) {
    const anchor = scene.box.get(id),
      before = anchor && [anchor.X, anchor.Y];
    if (shut.has(id)) shut.delete(id);
    else shut.add(id);
    arrange();
    keep(id, before);
    panel();
    hash();
  }
  function keep(id, before) {
    // the frame stays where the eye is
    const b = scene.box.get(id);
    if (b && before) {
      view.x += (before[0] - b.X) * view.k;
      view.y += (before[1] - b.Y) * view.k;
    }
    draw(false);
  }
  function every(close) {
    shut.clear();
    if (close) for (const g of groups.values()) shut.add(g.id);
    arrange();
    fit();
    panel();
    hash();
  }
  function theme(dark) {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    draw(true);
    hash();
  }
  function overlay(name) {
    state.overlay = name;
    scene.scale = Draw.scaleOf(
      scene.nodes.map(b => b.item),
      name,
    );
    $("overlay").value = name;
    draw(true);
    hash();
  }
  function go(to) {
    state.step = Math.max(0, Math.min(steps.length, to));
    if (state.step) {
      state.chosen = current().item;
      center(state.chosen);
    }
    $("at").value = state.step;
    draw(false);
    panel();
    say();
    hash();
  }
  function say() {
    const s = current();
    if (!s) {
      $("say").textContent = steps.length ? "Forward graph. Press play to watch the gradient flow back." : "";
      return;
    }
    const it = items.get(s.item),
      sent = list(s, "sent").map(
        t =>
          `${items.has(t.target) ? Draw.name(items.get(t.target)) : t.target} ${Draw.number(t.norm)}${t.finite === false ? " ⚠" : ""}`,
      );
    const shape = typeof s.shape === "object" ? Draw.shape(s.shape) : `${s.shape} results`;
    $("say").textContent =
      `${state.step}/${steps.length}  ${it ? Draw.name(it) : s.item} received ‖∂‖ ${Draw.number(s.norm)} (${shape})${s.finite === false ? " ⚠ not finite" : ""}, sent ${sent.join(", ") || "nothing"}`;
  }
  function play() {
    if (state.timer) {
      clearInterval(state.timer);
      state.timer = null;
    } else if (steps.length) {
      if (state.step === steps.length) go(0);
      state.timer = setInterval(
        () => {
          go(state.step + 1);
          if (state.step >= steps.length) play();
        },
        Math.max(60, Math.min(900, 30000 / steps.length)),
      );
    }
    $("play").textContent = state.timer ? "❚❚ pause" : "▶ backward";
  }
  function along(map, end) {
    const a = (map.get(state.chosen) || []).find(x => x.kind !== "carry");
    if (a) {
      choose(a[end], true);
      refocus(visible(a[end]));
    }
  }
  function search(text) {
    state.query = text.trim().toLowerCase();
    const found = state.query ? [...items.values()].filter(matches) : [];
    $("found").textContent = state.query ? `${found.length} found` : "";
    draw(false);
    return found;
  }
  let at = -1;
  function next(back) {
    const found = search($("search").value);
    if (!found.length) return;
    at = (at + (back ? -1 : 1) + found.length) % found.length;
    choose(found[at].id, true);
  }

  // ---------------------------------------------------------------- events
  function pick(target) {
    const box = target.closest("[data-id]"),
      title = target.closest(".title"),
      item = box && box.dataset.id;
    if (title) return toggle(title.parentNode.dataset.frame);
    if (!item) return null;
    return groups.has(item) ? toggle(item) : choose(item, false);
  }
  let drag = null;
  svg.addEventListener("pointerdown", e => {
    drag = {x: e.clientX - view.x, y: e.clientY - view.y, far: false, sx: e.clientX, sy: e.clientY};
  });
  addEventListener("pointermove", e => {
    if (!drag || !e.buttons) return;
    if (Math.hypot(e.clientX - drag.sx, e.clientY - drag.sy) > 4) {
      drag.far = true;
      svg.classList.add("dragged");
    }
    if (drag.far) {
      view.x = e.clientX - drag.x;
      view.y = e.clientY - drag.y;
      moved();
    }
  });
  addEventListener("pointerup", () => {
    svg.classList.remove("dragged");
    setTimeout(() => (drag = null));
  });
  svg.addEventListener("click", e => {
    if (!drag || !drag.far) pick(e.target);
  });
  svg.addEventListener(
    "wheel",
    e => {
      e.preventDefault();
      const f = Math.exp(-e.deltaY / 500),
        r = svg.getBoundingClientRect(),
        mx = e.clientX - r.left,
        my = e.clientY - r.top,
        k = Math.max(0.02, Math.min(4, view.k * f));
      view.x = mx - ((mx - view.x) * k) / view.k;
      view.y = my - ((my - view.y) * k) / view.k;
      view.k = k;
      moved();
    },
    {passive: false},
  );
  $("details").addEventListener("click", e => {
    const j = e.target.closest("[data-jump]"),
      f = e.target.closest("[data-fold]");
    if (j) {
      for (const g of groups.has(j.dataset.jump) ? [] : frames(j.dataset.jump)) shut.delete(g);
      arrange();
      choose(j.dataset.jump, true);
    } else if (f) toggle(f.dataset.fold);
  });
  const click = {
    fold: () => every(true),
    open: () => every(false),
    fit,
    theme: () => theme(document.documentElement.dataset.theme !== "dark"),
    play,
    back: () => go(state.step - 1),
    forth: () => go(state.step + 1),
  };
  for (const [id, f] of Object.entries(click)) $(id).addEventListener("click", f);
  $("overlay").addEventListener("change", e => overlay(e.target.value));
  $("at").addEventListener("input", e => go(+e.target.value));
  $("search").addEventListener("input", e => {
    at = -1;
    search(e.target.value);
  });
  $("search").addEventListener("keydown", e => {
    if (e.key === "Enter") next(e.shiftKey);
    if (e.key === "Escape") {
      e.target.value = "";
      search("");
      e.target.blur();
    }
  });
  const keys = {
    "/": () => $("search").focus(),
    ArrowRight: () => go(state.step + 1),
    ArrowLeft: () => go(state.step - 1),
    " ": play,
    f: fit,
    c: () => every(true),
    e: () => every(false),
    d: click.theme,
    t: () => {
      state.table = !state.table;
      panel();
    },
    ArrowUp: () => along(Model.ins, "source"),
    ArrowDown: () => along(Model.outs, "target"),
    Escape: () => {
      state.chosen = "";
      state.table = false;
      draw(false);
      panel();
    },
    Enter: () => pick(document.activeElement),
  };
  addEventListener("keydown", e => {
    if (
      ["INPUT", "SELECT"].includes(e.target.tagName) ||
      e.ctrlKey ||
      e.metaKey ||
      e.altKey ||
      !keys[e.key] ||
      (["Enter", " "].includes(e.key) && e.target.tagName === "BUTTON")
    )
      return;
    e.preventDefault();
    keys[e.key]();
  });
  addEventListener("resize", () => (state.moved ? draw(false) : fit()));

  // ---------------------------------------------------------------- state in the address, and the start
  let late = 0;
  function hash() {
    clearTimeout(late);
    late = setTimeout(address, 300);
  } // browsers refuse a change at every step
  function address() {
    const h = new URLSearchParams();
    if (state.chosen) h.set("at", state.chosen);
    if (state.step) h.set("step", state.step);
    if (state.overlay !== "kind") h.set("overlay", state.overlay);
    if (document.documentElement.dataset.theme) h.set("theme", document.documentElement.dataset.theme);
    try {
      history.replaceState(null, "", `#${h}`);
    } catch {
      /* inside a notebook's frame there is no address to change */
    }
  }
  function title() {
    const s = data.summary || {},
      text = `${(s.steps || 0).toLocaleString("en")} steps, ${s.shown == null ? items.size : s.shown} boxes${s.parameters ? `, ${s.parameters.toLocaleString("en")} parameters` : ""}${s.saved_bytes ? `, ${Draw.bytes(s.saved_bytes)} held` : ""}${s.marks ? `, ${s.marks} to look at` : ""}`;
    $("sum").textContent = text;
    $("tt").textContent = `Computation graph: ${data.title || "unnamed"}`;
    $("dd").textContent = text;
    $("name").textContent = data.title || "graph";
    document.title = `${data.title || "graph"} · rushlight`;
    $("notes").textContent = list(data, "notes").join(" · ");
  }
  const h = new URLSearchParams(location.hash.slice(1));
  document.documentElement.dataset.theme =
    h.get("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  title();
  for (const o of [...$("overlay").options])
    if (
      o.value === "change"
        ? ![...items.values()].some(i => i.change)
        : o.value !== "kind" && ![...items.values()].some(i => i[o.value] != null)
    )
      o.remove();
  $("player").hidden = !steps.length;
  $("at").max = steps.length;
  for (const id of ["fold", "open"]) $(id).hidden = !groups.size;
  Model.shutUntil(220);
  if ([...$("overlay").options].some(o => o.value === h.get("overlay")))
    state.overlay = $("overlay").value = h.get("overlay");
  panel();
  say();
  arrange();
  fit();
  if (items.has(h.get("at"))) choose(h.get("at"), true);
  if (+h.get("step")) go(+h.get("step"));
  document.documentElement.dataset.ready = "yes";
})();
