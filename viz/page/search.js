// Which items the reader's words mean.

import {groupName, groups, items} from "./graph.js";
import {itemsWithin} from "./folding.js";
import {state} from "./state.js";

function searchText(item) {
  const {name, op, id, kind, source} = item;
  const group = groups.has(item.group) ? groupName(groups.get(item.group)) : "";
  const line = source ? `${source.file}:${source.line} ${source.text || ""}` : "";
  return [name, op, id, kind, group, line].join(" ").toLowerCase();
}

function isMeant(item) {
  if (!state.query) return true;
  const text = searchText(item);
  return state.query.split(/\s+/).every(word => text.includes(word));
}

// Whether the item of a box is meant, or one of those in a shut frame.
export function isFound(box) {
  return (groups.has(box.id) && itemsWithin(groups.get(box.id)).some(isMeant)) || isMeant(box.item);
}

export function foundItems() {
  return state.query ? [...items.values()].filter(isMeant) : [];
}
