// The picture in the document: what is laid out and drawn, when, and how it shows the choice, the step and the query.

import {aim, bringIntoSight, follow, showAll, sight} from "./camera.js";
import {drawBox, drawFrame} from "./draw.js";
import {drawFlow, drawLink} from "./edges.js";
import {standIn} from "./folding.js";
import {numberText} from "./format.js";
import {backwardSteps, list} from "./graph.js";
import {layOut} from "./layout.js";
import {scaleOf} from "./look.js";
import {markup} from "./markup.js";
import {currentScene} from "./scene.js";
import {isFound} from "./search.js";
import {byId, currentStep, state} from "./state.js";

const FEW = 1500; // up to so many boxes all are in the document; beyond, those in sight

let scene = null;
let drawn = "";
let frameRequest = 0;
let moved = false; // whether the reader has moved the picture: a new size of the window leaves it there then

function hasFew() {
  return scene.nodes.length <= FEW;
}

function sceneMarkup() {
  const near = hasFew() ? () => true : sight();
  const isNear = id => near(scene.boxes.get(id));
  const links = scene.links.filter(link => isNear(link.source) || isNear(link.target));
  return markup`${[
    scene.frames.filter(near).map(drawFrame),
    links.map(link => drawLink(link, scene.boxes)),
    scene.nodes.filter(near).map(box => drawBox(box, state.overlay, scene.scale)),
  ]}`;
}

export function focusBox(id) {
  byId("world")
    .querySelector(`[data-id="${CSS.escape(id)}"]`)
    ?.focus({preventScroll: true});
}

// Elements that are drawn anew lose the keyboard's focus: a box gets it back.
function fillWorld(text) {
  const focused = document.activeElement?.dataset?.id;
  drawn = text;
  byId("world").innerHTML = text;
  if (focused) focusBox(focused);
}

function styleBoxes() {
  const step = currentStep();
  const now = step ? standIn(step.item) : "";
  const chosen = standIn(state.chosen);
  const done = new Set(backwardSteps.slice(0, state.step).map(each => standIn(each.item)));
  const isReached = box => !state.step || done.has(box.id) || box.leaf || box.item.kind === "output";
  for (const shape of byId("world").querySelectorAll(".box")) {
    const box = scene.boxes.get(shape.dataset.id);
    shape.classList.toggle("chosen", box.id === chosen);
    shape.classList.toggle("now", box.id === now);
    shape.classList.toggle("off", !isFound(box) || !isReached(box));
  }
  byId("world").classList.toggle("stepping", state.step > 0);
}

// The gradient that the current step sends, on the links that it takes.
function drawFlows() {
  const step = currentStep();
  if (!step) return markup``;
  const now = standIn(step.item);
  const sent = new Map(list(step, "sent").map(each => [standIn(each.target), each]));
  const links = scene.links.filter(link => link.target === now && sent.has(link.source));
  return markup`${links.map(link => drawFlow(link, scene.boxes, `∂ ${numberText(sent.get(link.source).norm)}`))}`;
}

function restyle() {
  styleBoxes();
  byId("flow").innerHTML = drawFlows().text;
  aim();
}

// After a change of layout, overlay or theme.
export function redraw() {
  fillWorld(sceneMarkup().text);
  restyle();
}

// After a change of anything else: the boxes are the same, if not all of them were in sight.
export function refresh() {
  if (!hasFew()) {
    const {text} = sceneMarkup();
    if (text !== drawn) fillWorld(text);
  }
  restyle();
}

export function rescale() {
  scene.scale = scaleOf(
    scene.nodes.map(box => box.item),
    state.overlay,
  );
}

// After a change of what is folded.
export function arrange() {
  scene = currentScene();
  layOut(scene.root);
  rescale();
  redraw();
}

// Lay out anew after `change`, a change of what is folded, and leave the frame `id` where the eye is.
export function arrangeAround(id, change) {
  const before = scene.boxes.get(id);
  change();
  arrange();
  const after = scene.boxes.get(id);
  if (before && after) follow(before, after);
  refresh();
}

// Show all of it.
export function fit() {
  showAll(scene.root);
  refresh();
}

export function fitUnlessMoved() {
  if (moved) refresh();
  else fit();
}

// Move the box of an item into sight; the next refresh shows it.
export function center(id) {
  const box = scene.boxes.get(standIn(id));
  if (box && bringIntoSight(box)) moved = true;
}

// While the reader moves the picture: at once, and where not all is in the document, the rest with the next frame.
export function pictureMoved() {
  moved = true;
  aim();
  if (hasFew() || frameRequest) return;
  frameRequest = requestAnimationFrame(() => {
    frameRequest = 0;
    refresh();
  });
}
