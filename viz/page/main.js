// The start: what the page says at once, and what its address remembers.

import {chooseInSight, showPanel} from "./actions.js";
import {remembered} from "./address.js";
import {listen} from "./events.js";
import {shutUntil} from "./folding.js";
import {bytesText, countText} from "./format.js";
import {backwardSteps, data, groups, items, list, summary} from "./graph.js";
import {arrange, fit} from "./picture.js";
import {goToStep, sayStep} from "./player.js";
import {byId, setTheme, state} from "./state.js";

const MOST_BOXES = 220; // at the start; where there are more, frames are shut

function summaryText() {
  const {steps, shown, parameters, saved_bytes: saved, marks} = summary;
  const told = [`${countText(steps || 0)} steps`, `${shown ?? items.size} boxes`];
  if (parameters) told.push(`${countText(parameters)} parameters`);
  if (saved) told.push(`${bytesText(saved)} held`);
  if (marks) told.push(`${marks} to look at`);
  return told.join(", ");
}

function showTexts() {
  const name = data.title || "graph";
  document.title = `${name} · rushlight`;
  byId("name").textContent = name;
  byId("sum").textContent = summaryText();
  byId("tt").textContent = `Computation graph: ${data.title || "unnamed"}`;
  byId("dd").textContent = summaryText();
  byId("notes").textContent = list(data, "notes").join(" · ");
}

// An overlay of what no item has would be one colour.
function isOfUse(overlay) {
  if (overlay === "kind") return true;
  const all = [...items.values()];
  return overlay === "change" ? all.some(item => item.change) : all.some(item => item[overlay] != null);
}

function leaveOutControls() {
  for (const option of [...byId("overlay").options]) {
    if (!isOfUse(option.value)) option.remove();
  }
  byId("player").hidden = !backwardSteps.length;
  byId("at").max = backwardSteps.length;
  byId("fold").hidden = !groups.size;
  byId("open").hidden = !groups.size;
}

function rememberedOverlay(name) {
  return [...byId("overlay").options].some(option => option.value === name) ? name : "kind";
}

function startPage() {
  const address = remembered();
  setTheme(address.get("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  showTexts();
  leaveOutControls();
  state.overlay = rememberedOverlay(address.get("overlay"));
  byId("overlay").value = state.overlay;
  listen();
  shutUntil(MOST_BOXES);
  showPanel();
  sayStep();
  arrange();
  fit();
  if (items.has(address.get("at"))) chooseInSight(address.get("at"));
  if (Number(address.get("step"))) goToStep(Number(address.get("step")));
  document.documentElement.dataset.ready = "yes";
}

startPage();
