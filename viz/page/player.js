// The backward pass, step by step.

import {showPanel} from "./actions.js";
import {remember} from "./address.js";
import {numberText, shapeText} from "./format.js";
import {backwardSteps, items, list} from "./graph.js";
import {itemName} from "./look.js";
import {center, refresh} from "./picture.js";
import {byId, currentStep, state} from "./state.js";

const ALL_STEPS = 30000; // milliseconds for the whole pass, between these for one step
const FASTEST = 60;
const SLOWEST = 900;

let playTimer = null;

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
