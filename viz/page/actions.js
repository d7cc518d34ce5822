// What the reader can do: choose a box, fold frames, search, change colours, play the backward pass.

import {groupPanel, itemPanel, overviewPanel, tablePanel} from "./details.js";
import {backwardSteps, groups, items, list, openAll, openAround, shutAll, standIn, toggleShut} from "./graph.js";
import {itemName} from "./look.js";
import {arrange, arrangeAround, center, fit, focusBox, redraw, refresh, rescale} from "./picture.js";
import {byId, currentStep, foundItems, remember, setTheme, state, theme} from "./state.js";
import {markup, numberText, shapeText} from "./text.js";

let foundPlace = -1;
const ALL_STEPS = 30000; // milliseconds for the whole pass, between these for one step
const FASTEST = 60;
const SLOWEST = 900;
let playTimer = null;

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

function nameOf(id) {
  return items.has(id) ? itemName(items.get(id)) : id;
}

function sentText(sent) {
  const warning = sent.finite === false ? " ⚠" : "";
  return `${nameOf(sent.target)} ${numberText(sent.norm)}${warning}`;
}

function stepText(step) {
  const shape = typeof step.shape === "object" ? shapeText(step.shape) : `${step.shape} results`;
  const warning = step.finite === false ? " ⚠ not finite" : "";
  const received = `${nameOf(step.item)} received ‖∂‖ ${numberText(step.norm)} (${shape})${warning}`;
  const sent = list(step, "sent").map(sentText).join(", ") || "nothing";
  return `${state.step}/${backwardSteps.length}  ${received}, sent ${sent}`;
}

export function sayStep() {
  const forward = backwardSteps.length ? "Forward graph. Press play to watch the gradient flow back." : "";
  byId("say").textContent = state.step ? stepText(currentStep()) : forward;
}

export function goToStep(number) {
  state.step = Math.max(0, Math.min(backwardSteps.length, number));
  if (state.step) {
    state.chosen = currentStep().item;
    center(state.chosen);
  }
  byId("at").value = state.step;
  refresh();
  showPanel();
  sayStep();
  remember();
}

export function stepBack() {
  goToStep(state.step - 1);
}

export function stepForth() {
  goToStep(state.step + 1);
}

function pause() {
  clearInterval(playTimer);
  playTimer = null;
}

function start() {
  if (state.step === backwardSteps.length) goToStep(0);
  const pace = Math.max(FASTEST, Math.min(SLOWEST, ALL_STEPS / backwardSteps.length));
  playTimer = setInterval(() => {
    stepForth();
    if (state.step >= backwardSteps.length) togglePlay();
  }, pace);
}

export function togglePlay() {
  if (playTimer) pause();
  else if (backwardSteps.length) start();
  byId("play").textContent = playTimer ? "❚❚ pause" : "▶ backward";
}
