// What the reader has chosen, and the elements of the page by id.

import {backwardSteps} from "./graph.js";

export const state = {
  chosen: "", // id of an item or a group
  step: 0, // of the backward pass; 0 is before the first
  overlay: "kind",
  query: "",
  table: false, // whether the panel shows all boxes
};

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
