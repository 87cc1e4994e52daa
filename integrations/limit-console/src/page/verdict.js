// The verdict in words: what is wrong with a limiter, and which limiters need somebody.

import { age, count, plural, rate } from './format.js';
import { holderInWords, isFull, isStuck, refusedInWords, refusedOf } from './limiter.js';
import { compareRanks, isOfKind } from './severity.js';

const LONG = 1; // s of waiting that are worth a word

/** Returns whether a limiter needs somebody. A queue that moves on does not. */
const isInNeed = row => isOfKind(row, 'refusing') || isStuck(row) || (row.waiting > 0 && (row.oldest_wait >= LONG || row.paused));

const waitInWords = waiting => (waiting === 1 ? '1 waits' : `${count(waiting)} wait`);

/** Returns the only key whose permits are all out; null if there is none, or more. */
const onlyFullKey = ({ full_keys: full, worst_key: worst }) => (full === 1 ? worst : null);

/** Says who waits; with keys, for which one. Empty if nobody does. */
function waitersInWords(row) {
  const { waiting, worst_key: worst } = row;
  if (waiting === 0) return '';
  if (onlyFullKey(row)) return waitInWords(worst.waiting);
  return worst === null ? waitInWords(waiting) : `${waitInWords(waiting)}, ${count(worst.waiting)} of them for ${worst.key}`;
}

function stateInWords(row) {
  if (row.closed) return 'is closed';
  if (row.paused) return 'is paused';
  if (row.adaptive?.held_off) return 'is held off by its backend';
  if (!isFull(row)) return '';
  if (row.full_keys > 1) return `is full for ${plural(row.full_keys, 'key')}`;
  return onlyFullKey(row) ? `is full for ${row.worst_key.key}` : 'is full';
}

/** Says what is wrong with a limiter: the end of a sentence that begins with its name. */
export function complaintOf(row) {
  const waiting = waitersInWords(row);
  const refused = refusedOf(row) > 0 ? refusedInWords(row) : '';
  const said = (state, ...reasons) => [state, reasons.filter(Boolean).join(', ')].filter(Boolean).join(': ');
  if (row.deadlock) return said('is in a deadlock', 'its calls wait for each other for ever');
  if (isStuck(row)) return said('is stuck', waiting, `nothing admitted for ${age(row.stalled)}`, holderInWords(row), refused);
  const state = stateInWords(row);
  if (refused) return said(state || 'refuses calls', waiting, refused);
  if (isOfKind(row, 'refusing')) return said(state || 'is well again', waiting, 'calls were refused a moment ago');
  return said(state || 'has a queue', waiting, row.oldest_wait >= LONG && `the oldest for ${age(row.oldest_wait)}`);
}

/** Returns the rows that need somebody most, the worst first, and how many need somebody at all. */
export function judge(rows, most) {
  const worst = [];
  let all = 0;
  for (const row of rows) {
    if (!isInNeed(row)) continue;
    all += 1;
    const at = worst.findIndex(other => compareRanks(row, other) < 0);
    if (at >= 0) worst.splice(at, 0, row);
    else if (worst.length < most) worst.push(row);
    if (worst.length > most) worst.pop();
  }
  return { worst, all };
}

/** Says how a program is in which no limiter needs anybody. */
export function wellInWords(waiting) {
  if (waiting === 0) return 'All is well: nobody waits.';
  return `All is well: ${plural(waiting, 'call')} ${waiting === 1 ? 'waits' : 'wait'}, not for long.`;
}

/** Says the figures of all limiters together. */
export function sumsInWords({ limiters, waiting, admitted, refused }) {
  return `${plural(limiters, 'limiter')} · ${count(waiting)} waiting · ${rate(admitted)} a second admitted · ${rate(refused)} refused`;
}
