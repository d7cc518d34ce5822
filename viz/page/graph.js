// The graph that the page shows, by id, and which of its frames are shut.
// What the file leaves out has its default: docs/graph-schema.md.

import {shorten, timesText, toNumber} from "./text.js";

const LONGEST_HEADLINE = 48;
const MOST_MARKS = 20;

export const data = JSON.parse(document.getElementById("data").textContent);
export const summary = data.summary || {};
export const rules = data.rules || {};
export const backwardSteps = list(data, "backward");
export const items = indexed(list(data, "items"));
export const groups = indexed(list(data, "groups"));
export const arrows = list(data, "arrows");
export const arrowsInto = grouped(arrows, arrow => arrow.target);
export const arrowsFrom = grouped(arrows, arrow => arrow.source);

// "" stands for the whole graph, around all groups.
const itemsByGroup = grouped([...items.values()], item => known(item.group));
const groupsByParent = grouped([...groups.values()], group => known(group.parent));

export function list(object, name) {
  return object[name] || [];
}

function indexed(things) {
  return new Map(things.map(thing => [thing.id, thing]));
}

function grouped(things, keyOf) {
  const found = new Map();
  for (const thing of things) {
    const key = keyOf(thing);
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(thing);
  }
  return found;
}

function known(group) {
  return groups.has(group) ? group : "";
}

export function itemsIn(group) {
  return itemsByGroup.get(group) || [];
}

export function groupsIn(group) {
  return groupsByParent.get(group) || [];
}

// The groups around an item or a group, from the inside out.
export function groupsAround(id) {
  const inner = items.has(id) ? items.get(id).group : groups.get(id)?.parent;
  const found = [];
  for (let group = groups.get(inner); group; group = groups.get(group.parent)) found.push(group);
  return found;
}

export function groupName(group) {
  const name = group.name && group.title ? `${group.name}: ${group.title}` : group.name || group.title;
  const call = (group.call || 1) > 1 ? `, call ${group.call}` : "";
  return (name || group.kind || "frame") + call;
}

export function groupHeadline(group) {
  return shorten(groupName(group), LONGEST_HEADLINE) + timesText(group.repeat);
}

// Marks that ask for a look; a note does not.
export function alarms(item) {
  return list(item, "marks").filter(mark => mark.level !== "note");
}

export const shut = new Set();
const itemsWithinGroup = new Map();

// What stands for an item or a group now: itself, or the outermost shut frame around it.
export function standIn(id) {
  const outermost = groupsAround(id).findLast(group => shut.has(group.id));
  return outermost ? outermost.id : id;
}

// All items of a group, at any depth.
export function itemsWithin(group) {
  if (!itemsWithinGroup.has(group)) {
    itemsWithinGroup.set(group, [...itemsIn(group.id), ...groupsIn(group.id).flatMap(itemsWithin)]);
  }
  return itemsWithinGroup.get(group);
}

function sum(things, name, missing = 0) {
  return things.reduce((total, thing) => total + (thing[name] || missing), 0);
}

function commonGradient(inside) {
  const gradients = inside.filter(item => item.gradient).map(item => item.gradient);
  if (!gradients.length) return null;
  return {
    norm: Math.hypot(...gradients.map(gradient => toNumber(gradient.norm || 0))),
    nans: sum(gradients, "nans"),
    infs: sum(gradients, "infs"),
  };
}

function commonChange(inside) {
  const changes = new Set(inside.map(item => item.change || ""));
  if (changes.size > 1) return "inside";
  return [...changes].join("");
}

// What a shut frame says of the items in it, in the words of an item.
export function foldedItem(group) {
  const inside = itemsWithin(group);
  const steps = inside.filter(item => item.kind === "step");
  return {
    id: group.id,
    kind: "group",
    name: groupName(group),
    group: group.parent,
    held: sum(steps, "held"),
    forward: sum(steps, "forward"),
    backward: sum(steps, "backward"),
    count: sum(steps, "repeat", 1),
    repeat: group.repeat || 1,
    marks: inside.flatMap(alarms).slice(0, MOST_MARKS),
    gradient: commonGradient(inside),
    change: commonChange(inside),
  };
}

// Shut frames from the inside out until about `most` boxes are left.
export function shutUntil(most) {
  const depths = new Map([...groups.keys()].map(id => [id, groupsAround(id).length]));
  const innerFirst = [...groups.values()].sort((a, b) => depths.get(b.id) - depths.get(a.id));
  let shown = items.size;
  for (const group of innerFirst) {
    if (shown <= most) return;
    const hidden = itemsWithin(group).filter(item => standIn(item.id) === item.id).length;
    if (hidden < 2) continue;
    shown -= hidden - 1;
    shut.add(group.id);
  }
}

export function toggleShut(id) {
  if (!shut.delete(id)) shut.add(id);
}

export function shutAll() {
  for (const id of groups.keys()) shut.add(id);
}

export function openAll() {
  shut.clear();
}

// Open every frame around an item or a group.
export function openAround(id) {
  for (const group of groupsAround(id)) shut.delete(group.id);
}
