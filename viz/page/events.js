// Which pointer, wheel and key does what.

import {
  choose,
  chooseFound,
  chooseNeighbour,
  chooseNothing,
  foldFrames,
  jumpTo,
  openFrames,
  search,
  setOverlay,
  toggleFrame,
  toggleTable,
  toggleTheme,
} from "./actions.js";
import {pan, zoom} from "./camera.js";
import {arrowsFrom, arrowsInto, groups} from "./graph.js";
import {fit, fitUnlessMoved, pictureMoved} from "./picture.js";
import {goToStep, stepBack, stepForth, togglePlay} from "./player.js";
import {byId, state} from "./state.js";

const CLICK_RADIUS = 4; // a pointer that moves further drags, and then a click is none
const WHEEL_PACE = 500;

const BUTTON_ACTIONS = {
  fold: foldFrames,
  open: openFrames,
  fit,
  theme: toggleTheme,
  play: togglePlay,
  back: stepBack,
  forth: stepForth,
};

const KEY_ACTIONS = {
  "/": () => byId("search").focus(),
  ArrowRight: stepForth,
  ArrowLeft: stepBack,
  " ": togglePlay,
  f: fit,
  c: foldFrames,
  e: openFrames,
  d: toggleTheme,
  t: toggleTable,
  ArrowUp: () => chooseNeighbour(arrowsInto.get(state.chosen), "source"),
  ArrowDown: () => chooseNeighbour(arrowsFrom.get(state.chosen), "target"),
  Escape: chooseNothing,
  Enter: () => pick(document.activeElement),
};

// Items are chosen, frames fold and open.
function pick(target) {
  const title = target.closest(".title");
  const id = target.closest("[data-id]")?.dataset.id;
  if (title) toggleFrame(title.parentNode.dataset.frame);
  else if (groups.has(id)) toggleFrame(id);
  else if (id) choose(id);
}

function isTaken(event) {
  const {tagName} = event.target;
  if (["INPUT", "SELECT"].includes(tagName)) return true;
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  return tagName === "BUTTON" && ["Enter", " "].includes(event.key);
}

function onKey(event) {
  if (!KEY_ACTIONS[event.key] || isTaken(event)) return;
  event.preventDefault();
  KEY_ACTIONS[event.key]();
}

function onSearchKey(event) {
  if (event.key === "Enter") chooseFound(event.shiftKey ? -1 : 1);
  if (event.key === "Escape") {
    event.target.value = "";
    search("");
    event.target.blur();
  }
}

function onWheel(event) {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / WHEEL_PACE), event.clientX, event.clientY);
  pictureMoved();
}

function onPanelClick(event) {
  const toJump = event.target.closest("[data-jump]");
  const toFold = event.target.closest("[data-fold]");
  if (toJump) jumpTo(toJump.dataset.jump);
  else if (toFold) toggleFrame(toFold.dataset.fold);
}

function listenToPointer(picture) {
  let drag = null;
  picture.addEventListener("pointerdown", ({clientX, clientY}) => {
    drag = {start: [clientX, clientY], last: [clientX, clientY], far: false};
  });
  addEventListener("pointermove", ({clientX, clientY, buttons}) => {
    if (!drag || !buttons) return;
    if (Math.hypot(clientX - drag.start[0], clientY - drag.start[1]) > CLICK_RADIUS) {
      drag.far = true;
      picture.classList.add("dragged");
    }
    if (!drag.far) return;
    pan(clientX - drag.last[0], clientY - drag.last[1]);
    drag.last = [clientX, clientY];
    pictureMoved();
  });
  addEventListener("pointerup", () => {
    picture.classList.remove("dragged");
    // Only after the click that ends it, which asks whether it was a drag.
    setTimeout(() => {
      drag = null;
    });
  });
  picture.addEventListener("click", event => {
    if (!drag?.far) pick(event.target);
  });
}

export function listen() {
  for (const [id, action] of Object.entries(BUTTON_ACTIONS)) byId(id).addEventListener("click", () => action());
  listenToPointer(byId("graph"));
  byId("graph").addEventListener("wheel", onWheel, {passive: false});
  byId("details").addEventListener("click", onPanelClick);
  byId("overlay").addEventListener("change", event => setOverlay(event.target.value));
  byId("at").addEventListener("input", event => goToStep(Number(event.target.value)));
  byId("search").addEventListener("input", event => search(event.target.value));
  byId("search").addEventListener("keydown", onSearchKey);
  addEventListener("keydown", onKey);
  addEventListener("resize", fitUnlessMoved);
}
