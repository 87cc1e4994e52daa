// The rows that the reader wants to see, in their order. Rows do not change place every second, and not at all while the reader
// is in the table.

import { choices, compare, wanted } from './choices.js';
import { known } from './known.js';

const REST = 5_000; // ms from one sorting to the next, by the program's clock, unless the reader wants it sooner

/** The names of the rows, in order; what they were sorted for and when; and the version that has been looked through for new rows. */
const order = { names: [], places: new Map(), chosen: -1, version: -1, sorted: -Infinity, seen: -1 };

/** Returns the row of a name. A row that is gone stays until the rows are sorted again. */
export const rowOf = name => known.rows.get(name) ?? known.gone.get(name);

/** Puts the rows in order, unless they are held. Returns their names. */
export function arrange(held) {
  const chosen = order.chosen !== choices.version;
  const moved = order.version !== known.version || choices.sort !== null;
  const rested = known.time - order.sorted >= REST || known.time < order.sorted;
  if (chosen || (!held && moved && rested)) sort();
  else if (order.seen !== known.version) append();
  return order.names;
}

function sort() {
  known.gone.clear();
  const rows = [...known.rows.values()].filter(wanted());
  put(rows.sort(compare).map(row => row.name));
  Object.assign(order, { chosen: choices.version, version: known.version, sorted: known.time });
}

/** Appends the rows that are new. The other ones stay where they are. */
function append() {
  order.seen = known.version;
  const isWanted = wanted();
  const more = [];
  for (const row of known.rows.values()) if (!order.places.has(row.name) && isWanted(row)) more.push(row);
  if (more.length > 0) put(order.names.concat(more.sort(compare).map(row => row.name)));
}

function put(names) {
  Object.assign(order, { names, places: new Map(names.map((name, at) => [name, at])) });
}

/** Returns the place of a name; undefined if the table has no such row. */
export const placeOf = name => order.places.get(name);
