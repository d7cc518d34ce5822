// What the reader can do: choose a box, fold frames, search, change colours.

import {remember} from "./address.js";
import {openAll, openAround, shutAll, standIn, toggleShut} from "./folding.js";
import {groups, items} from "./graph.js";
import {itemPanel} from "./item.js";
import {markup} from "./markup.js";
import {groupPanel, overviewPanel, tablePanel} from "./overview.js";
import {arrange, arrangeAround, center, fit, focusBox, redraw, refresh, rescale} from "./picture.js";
import {foundItems} from "./search.js";
import {byId, setTheme, state, theme} from "./state.js";

let foundPlace = -1;

function currentPanel() {
  if (state.table) return tablePanel();
  if (items.has(state.chosen)) return itemPanel(items.get(state.chosen));
  return groups.has(state.chosen) ? groupPanel(groups.get(state.chosen)) : overviewPanel();
}

export function showPanel() {
  byId("details").innerHTML = markup`${currentPanel()}`.text;
}

export function choose(id) {
  state.chosen = id;
  state.table = false;
  refresh();
  showPanel();
  remember();
}

// Choose an item or a group and bring its box into sight.
export function chooseInSight(id) {
  center(id);
  choose(id);
}

// The same for what may lie in shut frames: they are opened.
export function jumpTo(id) {
  if (!groups.has(id)) openAround(id);
  arrange();
  chooseInSight(id);
}

// Go along the first of these arrows to the item at its `end`.
export function chooseNeighbour(arrows, end) {
  const arrow = (arrows || []).find(each => each.kind !== "carry");
  if (!arrow) return;
  chooseInSight(arrow[end]);
  focusBox(standIn(arrow[end]));
}

export function chooseNothing() {
  state.chosen = "";
  state.table = false;
  refresh();
  showPanel();
}

export function toggleTable() {
  state.table = !state.table;
  showPanel();
}

export function toggleFrame(id) {
  arrangeAround(id, () => toggleShut(id));
  showPanel();
  remember();
}

function arrangeAll() {
  arrange();
  fit();
  showPanel();
  remember();
}

export function foldFrames() {
  shutAll();
  arrangeAll();
}

export function openFrames() {
  openAll();
  arrangeAll();
}

export function toggleTheme() {
  setTheme(theme() === "dark" ? "light" : "dark");
  redraw();
  remember();
}

export function setOverlay(name) {
  state.overlay = name;
  rescale();
  redraw();
  remember();
}

function showFound() {
  const found = foundItems();
  byId("found").textContent = state.query ? `${found.length} found` : "";
  refresh();
  return found;
}

export function search(text) {
  state.query = text.trim().toLowerCase();
  foundPlace = -1;
  showFound();
}

// Choose the next of the found items, or with -1 the one before.
export function chooseFound(direction) {
  const found = showFound();
  if (!found.length) return;
  foundPlace = (foundPlace + direction + found.length) % found.length;
  chooseInSight(found[foundPlace].id);
}
