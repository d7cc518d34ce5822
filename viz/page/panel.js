// Parts of the panel at the right: lists, sections, charts, and buttons that lead to boxes.

import {groupName, groups, items, list, rules} from "./graph.js";
import {itemName} from "./look.js";
import {element, markup, numberText, percentText} from "./text.js";

const CHART_WIDTH = 300;
const MARK_SIGNS = {bad: "⚠ ", warn: "▽ "};

export function section(title, content) {
  const inside = markup`${content}`;
  return inside.text ? markup`<h3>${title}</h3>${inside}` : null;
}

// Pairs of a term and what is said of it; pairs of which nothing is said are left out.
export function terms(pairs) {
  const told = pairs.filter(([, text]) => text != null && text !== "");
  return told.length ? markup`<dl>${told.map(([term, text]) => markup`<dt>${term}</dt><dd>${text}</dd>`)}</dl>` : null;
}

// A button that leads to the box of an item or a group.
export function jump(id) {
  if (!items.has(id) && !groups.has(id)) return id;
  const name = items.has(id) ? itemName(items.get(id)) : groupName(groups.get(id));
  return markup`<button class="jump" data-jump="${id}">${name}</button>`;
}

// A list with something between its elements.
export function separated(parts, separator) {
  return parts.flatMap((part, n) => (n ? [separator, part] : [part]));
}

export function alarm(text) {
  return markup`<b class="alarm">⚠ ${text}</b>`;
}

export function markSign(mark) {
  return MARK_SIGNS[mark.level] || "";
}

export function marksOf(item) {
  return list(item, "marks").map(mark => {
    const rule = rules[mark.kind] ? markup`<br><small>Rule: ${rules[mark.kind]}.</small>` : null;
    return markup`<div class="mark ${mark.level}">${markSign(mark)}${mark.text}${rule}</div>`;
  });
}

// Bars side by side, as high as their share of the largest; what is not finite is a full bar of its own colour.
function bars(values, {least, height, gap, digits, label}) {
  const most = Math.max(...values.filter(Number.isFinite), least);
  const slot = CHART_WIDTH / values.length;
  const drawn = values.map((value, n) => {
    const finite = Number.isFinite(value);
    const tall = finite ? (height * value) / most : height;
    return element("rect", {
      class: finite ? null : "alarm",
      x: (n * slot).toFixed(digits),
      y: (height - tall).toFixed(1),
      width: Math.max(slot - gap, 0.5).toFixed(digits),
      height: tall.toFixed(1),
    });
  });
  return element("svg", {class: "bars", width: CHART_WIDTH, height, role: "img", "aria-label": label}, drawn);
}

function histogram(statistics) {
  const bins = list(statistics, "bins");
  if (!bins.length) return null;
  const low = numberText(statistics.low ?? 0);
  const high = numberText(statistics.high ?? 0);
  return [
    bars(bins, {least: 1, height: 50, gap: 1.5, digits: 1, label: `histogram from ${low} to ${high}`}),
    markup`<div class="range"><span>${low}</span><span>${high}</span></div>`,
  ];
}

export function normBars(norms) {
  if (norms.length < 2) return null;
  return bars(norms, {least: 1e-300, height: 40, gap: 0.5, digits: 2, label: "gradient norm of each repeat"});
}

export function statisticsOf(statistics) {
  if (!statistics) return null;
  const {nans, infs, zeros, dead, count, mean, std, norm} = statistics;
  const values = list(statistics, "values");
  return [
    terms([
      ["values", values.map(numberText).join(", ")],
      ["mean ± std", values.length === 1 ? "" : `${numberText(mean || 0)} ± ${numberText(std || 0)}`],
      ["norm", numberText(norm || 0)],
      ["NaN", nans ? alarm(`${nans} of ${count}`) : ""],
      ["inf", infs ? alarm(`${infs} of ${count}`) : ""],
      ["zeros", zeros ? percentText(zeros) : ""],
      ["dead units", dead ? percentText(dead) : ""],
    ]),
    histogram(statistics),
  ];
}
