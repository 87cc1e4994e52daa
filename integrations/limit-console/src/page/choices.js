// The reader's choices for the table: the kind of limiters, the column that sorts, and a part of the name. The address has them.

import { addressWith, parameter } from './address.js';
import { loadOf, refusedOf } from './limiter.js';
import { KINDS, compareRanks, isOfKind } from './severity.js';

const compareNames = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** The figures by which the columns sort. The greatest figure comes first at first, and the first name. */
const COLUMNS = {
  name: null, load: loadOf, waiting: row => row.waiting, refused: refusedOf, p99: row => row.p99 ?? -1, admitted: row => row.admitted,
};

/** `sort` is null for the worst first. `version` changes with each choice. */
export const choices = { kind: 'all', sort: null, descending: true, filter: '', version: 0 };

/** Reads the choices from the address. What is not known there is left out. */
export function readChoices() {
  const [kind, sort] = [parameter('kind'), parameter('sort') ?? ''];
  const column = sort.replace(/^-/, '');
  Object.assign(choices, {
    kind: KINDS.some(({ id }) => id === kind) ? kind : 'all', sort: Object.hasOwn(COLUMNS, column) ? column : null,
    descending: sort.startsWith('-'), filter: parameter('filter') ?? '', version: choices.version + 1,
  });
}

/** Makes choices, and puts them into the address. */
export function choose(wanted) {
  Object.assign(choices, wanted, { version: choices.version + 1 });
  const { kind, sort, descending, filter } = choices;
  const address = addressWith({ kind: kind === 'all' ? null : kind, sort: sort && `${descending ? '-' : ''}${sort}`, filter });
  history.replaceState(history.state, '', address);
}

/** Sorts by a column: first in its own direction, then in the other one, and then the worst come first again. */
export function sortBy(column) {
  const own = column !== 'name';
  if (choices.sort !== column) choose({ sort: column, descending: own });
  else if (choices.descending === own) choose({ descending: !own });
  else choose({ sort: null });
}

/** Returns a test for whether the reader wants to see a row. */
export function wanted() {
  const { kind, filter } = choices;
  const part = filter.toLowerCase();
  return row => isOfKind(row, kind) && row.found.includes(part);
}

/** Compares two rows as the reader wants it. */
export function compare(a, b) {
  const { sort, descending } = choices;
  if (sort === null) return compareRanks(a, b);
  const direction = descending ? -1 : 1;
  if (sort === 'name') return direction * compareNames(a, b);
  const figure = COLUMNS[sort];
  return direction * (figure(a) - figure(b)) || compareRanks(a, b);
}
