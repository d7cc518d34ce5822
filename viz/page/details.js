// What the panel says of one item, of a group, of the whole graph, and the table of all boxes.

import {
  alarms,
  arrowsFrom,
  arrowsInto,
  data,
  foldedItem,
  groupName,
  items,
  itemsWithin,
  list,
  rules,
  shut,
  summary,
} from "./graph.js";
import {changeSign, gradientNorm, itemName} from "./look.js";
import {alarm, jump, markSign, marksOf, normBars, section, separated, statisticsOf, terms} from "./panel.js";
import {bytesText, countText, markup, numberText, secondsText, shapeText, toNumber} from "./text.js";

const KINDS = {
  parameter: "parameter, requires grad",
  leaf: "leaf, requires grad",
  constant: "does not require grad",
};
const WITHOUT_GRADIENT = ["constant", "error"];
const SAVED_FROM = {result: "this step's result", constant: "a constant", packed: "packed by a hook"};
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

function heading(item) {
  const op = item.op ? `${item.op}, ` : "";
  const group = item.group ? markup` in ${jump(item.group)}` : null;
  return markup`<h2>${itemName(item)}</h2><p class="dim">${op}${KINDS[item.kind] || item.kind}${group}</p>`;
}

function shapesOf(item) {
  if (item.before) return `${shapeText(item.before)} → ${shapeText(item.shape)}`;
  return shapeText(item.shape) || list(item, "results").map(shapeText).join(", ");
}

function tensorOf(item) {
  return terms([
    ["shape", shapesOf(item)],
    ["dtype", item.dtype],
    ["bytes", item.bytes ? bytesText(item.bytes) : ""],
    ["memory", item.view ? "a view: looks into its first input" : ""],
    ["versions", item.write ? item.write.join(" → ") : ""],
    ["uses", (item.uses || 1) > 1 ? `↗ shared, drawn at each of ${item.uses} uses` : ""],
    ["repeats", (item.repeat || 1) > 1 ? `stands for ${item.repeat} equal ones` : ""],
    ["change", item.change],
  ]);
}

function gradientOf(item) {
  if (item.gradient) return statisticsOf(item.gradient);
  if (WITHOUT_GRADIENT.includes(item.kind)) return null;
  return markup`<p>None yet: backward was not run, or nothing arrived here.</p>`;
}

// The boxes at the other `end` of arrows; `nameOf` names those that carry plain data.
function neighbours(arrows, end, nameOf) {
  return terms(
    (arrows || []).map(arrow => [
      arrow.kind && arrow.kind !== "data" ? arrow.kind : nameOf(arrow),
      markup`${jump(arrow[end])} ${shapeText(arrow.shape)}`,
    ]),
  );
}

function originOf(saved) {
  if (!saved.owner) return SAVED_FROM[saved.of] || "an input";
  return items.has(saved.owner) ? markup`result of ${jump(saved.owner)}` : "a leaf's value";
}

function staleness(saved) {
  const then = saved.version || 0;
  if (saved.now == null || saved.now === then) return null;
  const writer = saved.writer ? `, written by ${saved.writer}` : "";
  return markup`<br>${alarm(`version ${then} when saved, ${saved.now} now${writer}`)}`;
}

function savedTensor(saved) {
  const held = saved.adds ? "" : ", held anyway";
  const tensor = `${shapeText(saved.shape)} ${saved.dtype || ""}, ${bytesText(saved.bytes || 0)}${held}`;
  return [saved.name, markup`${tensor}<br>${originOf(saved)}${staleness(saved)}`];
}

function savedBy(item) {
  const saved = list(item, "saved");
  if (!saved.length) return null;
  const frees = item.frees ? "Backward frees it, unless retain_graph=True." : "";
  const freed = item.freed ? "Freed by backward." : frees;
  return [terms(saved.map(savedTensor)), markup`<p>${freed} Adds ${bytesText(item.held || 0)}.</p>`];
}

function sourceOf(item) {
  if (!item.source) return null;
  const {file, line, function: name, text} = item.source;
  return markup`<pre>${file}:${line}${name ? ` in ${name}` : ""}${text ? `\n${text}` : ""}</pre>`;
}

function timesOf(item) {
  return terms([
    ["forward", item.forward == null ? "" : secondsText(item.forward)],
    ["backward", item.backward == null ? "" : secondsText(item.backward)],
  ]);
}

function hooksOf(item) {
  return item.hooks ? markup`<p>⚑ ${item.hooks} user hook${item.hooks > 1 ? "s" : ""}</p>` : null;
}

export function itemPanel(item) {
  return [
    heading(item),
    marksOf(item),
    section("Tensor", tensorOf(item)),
    section("Arguments", terms(list(item, "attributes"))),
    section("Value", statisticsOf(item.value)),
    section("Gradient", gradientOf(item)),
    section("Gradient norm of each repeat", normBars(list(item, "norms").map(toNumber))),
    section(
      "Inputs",
      neighbours(arrowsInto.get(item.id), "source", arrow => `input ${arrow.slot || 0}`),
    ),
    section(
      "Used by",
      neighbours(arrowsFrom.get(item.id), "target", () => "to"),
    ),
    section("Saved for backward", savedBy(item)),
    section("Made at", sourceOf(item)),
    section("Time", timesOf(item)),
    section("Hooks", hooksOf(item)),
  ];
}

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
