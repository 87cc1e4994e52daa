// The history of the limiter that is open.

import { REASONS } from './format.js';

export const WINDOW = 600_000; // of history, in ms

export const noHistory = () => ({ time: [], in_use: [], capacity: [], waiting: [], p50: [], p99: [], admitted: [],
  rejected: Object.fromEntries(REASONS.map(reason => [reason, []])) });

/** Forgets all that was after a time. */
export function forget(history, time) {
  const from = history.time.findIndex(each => each > time);
  if (from >= 0) cut(history, from);
}

/** Appends what came since the last answer, and drops what is too old. */
export function extend(history, more, now) {
  append(history, more);
  const old = history.time.findIndex(time => time > now - WINDOW);
  if (old > 0) drop(history, old);
}

function append(history, more) {
  for (const [name, values] of Object.entries(history)) {
    if (Array.isArray(values)) values.push(...more[name]);
    else append(values, more[name]);
  }
}

function drop(history, length) {
  for (const values of Object.values(history)) {
    if (Array.isArray(values)) values.splice(0, length);
    else drop(values, length);
  }
}

function cut(history, length) {
  for (const values of Object.values(history)) {
    if (Array.isArray(values)) values.length = length;
    else cut(values, length);
  }
}
