// Which pointer, wheel and key does what, and the start of the page.

import {
  choose,
  chooseFound,
  chooseInSight,
  chooseNeighbour,
  chooseNothing,
  foldFrames,
  goToStep,
  jumpTo,
  openFrames,
  sayStep,
  search,
  setOverlay,
  showPanel,
  stepBack,
  stepForth,
  toggleFrame,
  togglePlay,
  toggleTable,
  toggleTheme,
} from "./actions.js";
import {arrowsFrom, arrowsInto, backwardSteps, data, groups, items, list, shutUntil, summary} from "./graph.js";
import {arrange, fit, fitUnlessMoved, pan, pictureMoved, zoom} from "./picture.js";
import {byId, remembered, setTheme, state} from "./state.js";
import {bytesText, countText} from "./text.js";

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
const MOST_BOXES = 220; // at the start; where there are more, frames are shut

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

function listen() {
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

function summaryText() {
  const {steps, shown, parameters, saved_bytes: saved, marks} = summary;
  const told = [`${countText(steps || 0)} steps`, `${shown ?? items.size} boxes`];
  if (parameters) told.push(`${countText(parameters)} parameters`);
  if (saved) told.push(`${bytesText(saved)} held`);
  if (marks) told.push(`${marks} to look at`);
  return told.join(", ");
}

function showTexts() {
  const name = data.title || "graph";
  document.title = `${name} · rushlight`;
  byId("name").textContent = name;
  byId("sum").textContent = summaryText();
  byId("tt").textContent = `Computation graph: ${data.title || "unnamed"}`;
  byId("dd").textContent = summaryText();
  byId("notes").textContent = list(data, "notes").join(" · ");
}

// An overlay of what no item has would be one colour.
function isOfUse(overlay) {
  if (overlay === "kind") return true;
  const all = [...items.values()];
  return overlay === "change" ? all.some(item => item.change) : all.some(item => item[overlay] != null);
}

function leaveOutControls() {
  for (const option of [...byId("overlay").options]) {
    if (!isOfUse(option.value)) option.remove();
  }
  byId("player").hidden = !backwardSteps.length;
  byId("at").max = backwardSteps.length;
  byId("fold").hidden = !groups.size;
  byId("open").hidden = !groups.size;
}

function rememberedOverlay(name) {
  return [...byId("overlay").options].some(option => option.value === name) ? name : "kind";
}

function startPage() {
  const address = remembered();
  setTheme(address.get("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  showTexts();
  leaveOutControls();
  state.overlay = rememberedOverlay(address.get("overlay"));
  byId("overlay").value = state.overlay;
  listen();
  shutUntil(MOST_BOXES);
  showPanel();
  sayStep();
  arrange();
  fit();
  if (items.has(address.get("at"))) chooseInSight(address.get("at"));
  if (Number(address.get("step"))) goToStep(Number(address.get("step")));
  document.documentElement.dataset.ready = "yes";
}

startPage();
