// Ranks limiters by how much they need somebody: a level, and a rank that does not change from second to second.

import { isFull, isStuck, loadOf, refusedOf } from './limiter.js';

/** The levels, from the least to the worst. */
export const LEVELS = ['idle', 'busy', 'waiting', 'refusing', 'stuck'];
const [IDLE, BUSY, WAITING, REFUSING, STUCK] = LEVELS.keys();

const HOLD = 30_000; // ms for which a row that is better keeps its rank
const RECENT = 10_000; // ms for which a state counts that has ended

export function levelOf(row) {
  if (isStuck(row)) return STUCK;
  if (refusedOf(row) > 0) return REFUSING;
  if (row.waiting > 0) return WAITING;
  return row.in_use > 0 ? BUSY : IDLE;
}

/** Returns how bad it is within its level, in large steps: four times as many calls, or half of the limit. */
function weightOf(row, level) {
  const step = calls => Math.floor(Math.log2(1 + calls) / 2);
  if (level === STUCK) return (row.deadlock ? 100 : 0) + step(row.waiting);
  if (level === REFUSING) return step(refusedOf(row));
  if (level === WAITING) return step(row.waiting);
  return level === BUSY ? Math.floor(2 * Math.min(loadOf(row), 1)) : 0;
}

/**
 * Returns the rank of a row at a time, in ms, given the rank before (or null). A rank rises at once. It falls when the
 * row has been better for half a minute. `since` is when it came to its rank, and `below` since when it has been better.
 * `full` and `refusing` are the times when it was so last.
 */
export function rankOf(row, before, now) {
  const level = levelOf(row);
  const weight = weightOf(row, level);
  const rank = before ?? { level, weight, since: now, below: null, full: -Infinity, refusing: -Infinity };
  if (isFull(row)) rank.full = now;
  if (refusedOf(row) > 0) rank.refusing = now;
  const move = () => Object.assign(rank, { level, weight, since: now, below: null });
  if (level > rank.level || (level === rank.level && weight > rank.weight)) move();
  else if (level === rank.level && weight === rank.weight) rank.below = null;
  else if (rank.below === null) rank.below = now;
  else if (now - rank.below >= HOLD) move();
  return rank;
}

/** Returns whether a rank can change while its row stays the same. */
export const isPassing = (rank, now) => rank.below !== null || now - rank.full <= RECENT || now - rank.refusing <= RECENT;

/** Compares two rows. The worse one comes first, and of equal ones the one that came to its rank earlier. */
export function compareRanks(a, b) {
  const [one, other] = [a.rank, b.rank];
  return other.level - one.level || other.weight - one.weight || one.since - other.since || (a.name < b.name ? -1 : 1);
}

/** The kinds of limiters that a reader can choose, in the order of the chips. `has` tells whether a row is of that kind now. */
export const KINDS = [
  { id: 'all', label: 'All', none: 'used yet', title: 'All limiters', has: () => true },
  { id: 'full', label: 'Full', none: 'full', title: 'All permits were out in the last ten seconds',
    has: ({ rank }, now) => now - rank.full <= RECENT },
  { id: 'refusing', label: 'Refusing', none: 'refusing calls', title: 'Calls were refused in the last ten seconds',
    has: ({ rank }, now) => now - rank.refusing <= RECENT },
  { id: 'stuck', label: 'Stuck', none: 'stuck', title: 'Calls wait, and none has been admitted for ten seconds', has: isStuck },
  { id: 'closed', label: 'Paused or closed', none: 'paused or closed', title: 'The limit is 0, or it lets nobody in any more',
    has: row => row.paused || row.closed },
  { id: 'shadow', label: 'Shadow', none: 'in shadow', title: 'The limit does not hold: in shadow, or off',
    has: row => row.shadow || !row.enabled },
];

/** Returns the kinds of a row at a time: a bit for each, in the order of the list. */
export const kindsOf = (row, now) => KINDS.reduce((kinds, { has }, at) => kinds | (has(row, now) ? 1 << at : 0), 0);

const BITS = Object.fromEntries(KINDS.map(({ id }, at) => [id, 1 << at]));

/** Returns whether a row was of a kind when it was looked at last. */
export const isOfKind = (row, id) => (row.kinds & BITS[id]) !== 0;
