// The graph that the page shows, by id. What the file leaves out has its default: docs/graph-schema.md.

import {shorten, timesText} from "./format.js";

const LONGEST_HEADLINE = 48;

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
