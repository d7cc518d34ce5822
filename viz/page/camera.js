// Which part of the picture is seen, and how large: a point of the picture is at point · scale + (x, y) in the window.

import {byId} from "./state.js";

const SCALES = {least: 0.02, most: 4, mostToFit: 1.4, mostOfChain: 0.8, leastToRead: 0.5};
const FAR = 0.4; // below this scale small text is left out
const VERY_FAR = 0.16; // and below this one all text
const CHAIN = 0.25; // what would be smaller than this and is higher than wide shows its end
const MARGIN = 300; // pixels around the window that count as seen: room to move before all is drawn anew

const camera = {scale: 1, x: 0, y: 0};

function windowSize() {
  return byId("graph").getBoundingClientRect();
}

export function aim() {
  const {scale, x, y} = camera;
  const far = scale < FAR ? "far" : "";
  const shift = `translate(${x.toFixed(2)} ${y.toFixed(2)})`;
  byId("camera").setAttribute("transform", `${shift} scale(${scale.toFixed(4)})`);
  byId("camera").setAttribute("class", scale < VERY_FAR ? "far veryfar" : far);
}

// A function that tells whether a box is near enough to be drawn.
export function sight() {
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
export function showAll(root) {
  const {width, height} = windowSize();
  const wide = (width - 30) / (root.width + 40);
  const high = (height - 80) / Math.max(root.height, 1);
  camera.scale = Math.max(SCALES.least, Math.min(SCALES.mostToFit, wide, high));
  if (camera.scale < CHAIN && root.height > root.width + 40) camera.scale = Math.min(SCALES.mostOfChain, wide);
  const drawn = root.height * camera.scale;
  camera.x = width / 2 - (root.width / 2) * camera.scale;
  camera.y = drawn > height - 60 ? height - 60 - drawn : Math.max(16, (height - 50 - drawn) / 2);
}

// Move a box into the middle unless it is in sight; returns whether it moved.
export function bringIntoSight(box) {
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
export function follow(before, after) {
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
