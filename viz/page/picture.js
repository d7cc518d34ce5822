// The picture in the document: which part of it is seen, what is drawn and when, and how it shows what is chosen.

import {drawBox, drawFlow, drawFrame, drawLink} from "./draw.js";
import {backwardSteps, list, standIn} from "./graph.js";
import {layOut} from "./layout.js";
import {scaleOf} from "./look.js";
import {currentScene} from "./scene.js";
import {byId, currentStep, isFound, state} from "./state.js";
import {markup, numberText} from "./text.js";

const SCALES = {least: 0.02, most: 4, mostToFit: 1.4, mostOfChain: 0.8, leastToRead: 0.5};
const FAR = 0.4; // below this scale small text is left out
const VERY_FAR = 0.16; // and below this one all text
const CHAIN = 0.25; // what would be smaller than this and is higher than wide shows its end
const MARGIN = 300; // pixels around the window that count as seen: room to move before all is drawn anew

const camera = {scale: 1, x: 0, y: 0};
const FEW = 1500; // up to so many boxes all are in the document; beyond, those in sight
let scene = null;
let drawn = "";
let frameRequest = 0;
let moved = false; // whether the reader has moved the picture: a new size of the window leaves it there then

function windowSize() {
  return byId("graph").getBoundingClientRect();
}

function aim() {
  const {scale, x, y} = camera;
  const far = scale < FAR ? "far" : "";
  const shift = `translate(${x.toFixed(2)} ${y.toFixed(2)})`;
  byId("camera").setAttribute("transform", `${shift} scale(${scale.toFixed(4)})`);
  byId("camera").setAttribute("class", scale < VERY_FAR ? "far veryfar" : far);
}

// A function that tells whether a box is near enough to be drawn.
function sight() {
  const {width, height} = windowSize();
  const {scale, x, y} = camera;
  const margin = MARGIN / scale;
  const left = -x / scale - margin;
  const right = (width - x) / scale + margin;
  const top = -y / scale - margin;
  const bottom = (height - y) / scale + margin;
  return box =>
    box.middle + box.width / 2 > left &&
    box.middle - box.width / 2 < right &&
    box.top + box.height > top &&
    box.top < bottom;
}

// Show the whole picture; of a long chain its end, rather than a hair.
function showAll(root) {
  const {width, height} = windowSize();
  const wide = (width - 30) / (root.width + 40);
  const high = (height - 80) / Math.max(root.height, 1);
  camera.scale = Math.max(SCALES.least, Math.min(SCALES.mostToFit, wide, high));
  if (camera.scale < CHAIN && root.height > root.width + 40) camera.scale = Math.min(SCALES.mostOfChain, wide);
  const tall = root.height * camera.scale;
  camera.x = width / 2 - (root.width / 2) * camera.scale;
  camera.y = tall > height - 60 ? height - 60 - tall : Math.max(16, (height - 50 - tall) / 2);
}

// Move a box into the middle unless it is in sight; returns whether it moved.
function bringIntoSight(box) {
  const {width, height} = windowSize();
  const middle = box.top + box.height / 2;
  const x = box.middle * camera.scale + camera.x;
  const y = middle * camera.scale + camera.y;
  if (x > 40 && x < width - 40 && y > 30 && y < height - 50) return false;
  camera.scale = Math.max(camera.scale, SCALES.leastToRead);
  camera.x = width / 2 - box.middle * camera.scale;
  camera.y = height / 2 - middle * camera.scale;
  return true;
}

// Make up for a box that went elsewhere in the picture, so that it stays where the eye is.
function follow(before, after) {
  camera.x += (before.middle - after.middle) * camera.scale;
  camera.y += (before.top - after.top) * camera.scale;
}

// Zoom by a factor around a point of the screen, which stays.
export function zoom(factor, clientX, clientY) {
  const {left, top} = windowSize();
  const x = clientX - left;
  const y = clientY - top;
  const scale = Math.max(SCALES.least, Math.min(SCALES.most, camera.scale * factor));
  camera.x = x - ((x - camera.x) * scale) / camera.scale;
  camera.y = y - ((y - camera.y) * scale) / camera.scale;
  camera.scale = scale;
}

export function pan(right, down) {
  camera.x += right;
  camera.y += down;
}

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
