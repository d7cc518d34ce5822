// The panels of more than one item: of a group, of the whole graph, and the table of all boxes.

import {bytesText, countText, numberText, secondsText, shapeText} from "./format.js";
import {foldedItem, itemsWithin, shut} from "./folding.js";
import {alarms, data, groupName, items, rules, summary} from "./graph.js";
import {changeSign, gradientNorm} from "./look.js";
import {markup} from "./markup.js";
import {jump, markSign, marksOf, section, separated, terms} from "./panel.js";

const MOST = {inside: 60, marked: 50, changed: 80, rows: 3000};
const KEYS = [
  ["/", "search"],
  ["← →", "backward step by step"],
  ["space", "play, pause"],
  ["↑ ↓", "to the first input, to the first user"],
  ["f", "fit"],
  ["c, e", "fold, open all frames"],
  ["d", "dark or light"],
  ["t", "table of all boxes"],
  ["Esc", "this overview"],
];

function groupTerms(group, folded) {
  const repeats = `stands for ${group.repeat} equal ones (${group.fold || ""})`;
  return terms([
    ["steps", folded.count],
    ["repeats", folded.repeat > 1 ? repeats : ""],
    ["held for backward", bytesText(folded.held)],
    ["gradient norm", folded.gradient ? numberText(gradientNorm(folded)) : ""],
    ["forward", folded.forward ? secondsText(folded.forward) : ""],
    ["backward", folded.backward ? secondsText(folded.backward) : ""],
  ]);
}

export function groupPanel(group) {
  const folded = foldedItem(group);
  const steps = itemsWithin(group).filter(item => item.kind === "step");
  const shown = steps.slice(0, MOST.inside).map(item => jump(item.id));
  const more = steps.length > MOST.inside ? " …" : "";
  const parent = group.parent ? markup` in ${jump(group.parent)}` : null;
  const action = shut.has(group.id) ? "Open this frame" : "Fold this frame";
  return [
    markup`<h2>${groupName(group)}</h2><p class="dim">${group.kind || "module"}${parent}</p>`,
    marksOf(folded),
    groupTerms(group, folded),
    section("Inside", markup`<p>${separated(shown, ", ")}${more}</p>`),
    markup`<p><button data-fold="${group.id}">${action}</button></p>`,
  ];
}

function totals() {
  const {steps, shown, parameters, parameter_tensors: tensors, parameter_bytes: bytes, saved_bytes: saved} = summary;
  const total = `${countText(parameters || 0)} in ${tensors} tensors, ${bytesText(bytes || 0)}`;
  return terms([
    ["steps", steps],
    ["boxes", shown],
    ["parameters", tensors ? total : ""],
    ["held for backward", saved ? bytesText(saved) : ""],
  ]);
}

function markedItem(item) {
  const texts = alarms(item).map(mark => markSign(mark) + mark.text);
  return markup`<p>${jump(item.id)} ${texts.join("; ")}</p>`;
}

function changedItem(item) {
  return markup`<p>${changeSign(item.change)} ${jump(item.id)} ${item.change}</p>`;
}

export function overviewPanel() {
  const all = [...items.values()];
  const marked = all.filter(item => alarms(item).length);
  const changed = all.filter(item => item.change);
  return [
    markup`<h2>${data.title || "Computation graph"}</h2>`,
    totals(),
    section("To look at", marked.slice(0, MOST.marked).map(markedItem)),
    section("Changes", changed.slice(0, MOST.changed).map(changedItem)),
    section(
      "Rules",
      Object.entries(rules).map(([kind, rule]) => markup`<p><b>${kind}</b>: ${rule}.</p>`),
    ),
    section("Keys", terms(KEYS)),
  ];
}

function tableRow(item) {
  const norm = item.gradient ? numberText(gradientNorm(item)) : "";
  const cells = [jump(item.id), item.kind, shapeText(item.shape), norm];
  return markup`<tr>${cells.map(cell => markup`<td>${cell}</td>`)}</tr>`;
}

export function tablePanel() {
  const titles = ["name", "kind", "shape", "‖∂‖"].map(title => markup`<th>${title}</th>`);
  const rows = [...items.values()].slice(0, MOST.rows).map(tableRow);
  const cut = `The first ${countText(MOST.rows)} of ${items.size}.`;
  return [
    markup`<h2>All boxes</h2><table><thead><tr>${titles}</tr></thead><tbody>${rows}</tbody></table>`,
    items.size > MOST.rows ? markup`<p>${cut}</p>` : null,
  ];
}
