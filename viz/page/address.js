// What the reader has chosen, in the page's address: a link shows the same again.

import {state, theme} from "./state.js";

const DELAY = 300; // milliseconds: browsers refuse a change at every step of the backward pass

let timer = 0;

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
