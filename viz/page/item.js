// The panel of one item: its tensor, values, gradient, neighbours, and what it saves for backward.

import {bytesText, secondsText, shapeText, toNumber} from "./format.js";
import {arrowsFrom, arrowsInto, items, list} from "./graph.js";
import {itemName} from "./look.js";
import {markup} from "./markup.js";
import {alarm, jump, marksOf, normBars, section, statisticsOf, terms} from "./panel.js";

const KINDS = {
  parameter: "parameter, requires grad",
  leaf: "leaf, requires grad",
  constant: "does not require grad",
};
const WITHOUT_GRADIENT = ["constant", "error"];
const SAVED_FROM = {result: "this step's result", constant: "a constant", packed: "packed by a hook"};

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
