// What the reader has chosen and searches, and how the page's address remembers it.

import {backwardSteps, groupName, groups, items, itemsWithin} from "./graph.js";

export const state = {
  chosen: "", // id of an item or a group
  step: 0, // of the backward pass; 0 is before the first
  overlay: "kind",
  query: "",
  table: false, // whether the panel shows all boxes
};
const DELAY = 300; // milliseconds: browsers refuse a change at every step of the backward pass
let timer = 0;

export function byId(id) {
  return document.getElementById(id);
}

export function currentStep() {
  return state.step ? backwardSteps[state.step - 1] : null;
}

export function theme() {
  return document.documentElement.dataset.theme;
}

export function setTheme(name) {
  document.documentElement.dataset.theme = name;
}

function searchText(item) {
  const {name, op, id, kind, source} = item;
  const group = groups.has(item.group) ? groupName(groups.get(item.group)) : "";
  const line = source ? `${source.file}:${source.line} ${source.text || ""}` : "";
  return [name, op, id, kind, group, line].join(" ").toLowerCase();
}

function isMeant(item) {
  if (!state.query) return true;
  const text = searchText(item);
  return state.query.split(/\s+/).every(word => text.includes(word));
}

// Whether the item of a box is meant, or one of those in a shut frame.
export function isFound(box) {
  return (groups.has(box.id) && itemsWithin(groups.get(box.id)).some(isMeant)) || isMeant(box.item);
}

export function foundItems() {
  return state.query ? [...items.values()].filter(isMeant) : [];
}

function writeAddress() {
  const chosen = new URLSearchParams();
  if (state.chosen) chosen.set("at", state.chosen);
  if (state.step) chosen.set("step", state.step);
  if (state.overlay !== "kind") chosen.set("overlay", state.overlay);
  chosen.set("theme", theme());
  try {
    history.replaceState(null, "", `#${chosen}`);
  } catch {
    // Inside a notebook's frame there is no address to change.
  }
}

export function remember() {
  clearTimeout(timer);
  timer = setTimeout(writeAddress, DELAY);
}

export function remembered() {
  return new URLSearchParams(location.hash.slice(1));
}
