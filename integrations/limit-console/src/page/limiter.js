// A limiter's row in words: its use, its refusals and its unusual states.

import { adaptiveBadges, adaptsInShort, adaptsInWords } from './adaptive.js';
import { html } from './elements.js';
import { REASONS, SOURCES, age, count, percent, plural, rate, sum, words } from './format.js';

const STUCK = 10; // s without an admission, while calls wait

/** The calls refused each second. A row keeps the sum, because it is asked for often. */
export const refusedOf = row => (row.refused ??= sum(row.rejected));

/** The part of the calls of the last second that was refused, from 0 to 1. */
export function refusedShare(row) {
  const refused = refusedOf(row);
  return refused === 0 ? 0 : refused / (refused + row.admitted);
}

/** Returns whether the limit holds. */
const isEnforced = row => row.enabled && !row.shadow;

const part = (used, limit) => (used === 0 ? 0 : used / Math.max(limit, 0.5));

/** The part of `total` that is in use; null without a total. */
export const totalLoad = row => (row.total === null ? null : part(row.in_use, row.total));

/** The part of the limit that is in use; with keys, of the limit of the worst key. */
export function limitLoad(row) {
  if (row.keys === null) return part(row.in_use, row.capacity ?? row.limit);
  return row.worst_key === null ? 0 : part(row.worst_key.in_use, row.worst_key.limit);
}

export const loadOf = row => Math.max(limitLoad(row), totalLoad(row) ?? 0);

/** Returns whether all its permits are out: those of a key, or of all keys together. A paused limiter has none. */
export function isFull(row) {
  if (!isEnforced(row) || row.adaptive?.held_off) return false;
  // Keys with limits of their own go on.
  if (row.paused) return row.full_keys > 0;
  return row.full_keys > 0 || loadOf(row) >= 1;
}

/**
 * Returns whether calls wait, and nothing goes on. Whoever pauses a limiter wants that: `stalled` is null then, unless
 * there are keys that go on, by limits of their own.
 */
export const isStuck = row => row.deadlock || (row.waiting > 0 && row.stalled !== null && row.stalled >= STUCK);

/** Says how much of a limit is in use. More can be in use than the limit, as when it was lowered. */
export const of = (used, limit) => (used > limit ? `${count(used)} in use, limit ${count(limit)}` : `${count(used)} / ${count(limit)}`);

/** Says the use of the key that is worst off. Empty without one. */
function worstKey({ worst_key: worst }) {
  if (worst === null) return '';
  const waits = worst.waiting > 0 ? `, ${count(worst.waiting)} waiting` : '';
  return `${worst.key} ${count(worst.in_use)}/${count(worst.limit)}${waits}`;
}

/** Says how much is in use: of the limiter, and then of its worst key or over its fleet, if there is such a thing. */
export function usageParts(row) {
  const all = row.keys === null ? of(row.in_use, row.capacity ?? row.limit) : `${count(row.in_use)} in use`;
  return [all, worstKey(row), fleetUsage(row)].filter(Boolean);
}

export const usage = row => usageParts(row).join(' · ') + adaptsInShort(row);

export const usageInWords = row => [plainUsage(row), rampInWords(row), adaptsInWords(row)].filter(Boolean).join('; ');

/** Says how many permits are let in, while a ramp withholds others. Empty otherwise. */
function rampInWords({ withheld, keys, limit, capacity, total }) {
  if (withheld === 0) return '';
  const all = (keys === null ? capacity : total) ?? limit;
  return `${count(Math.max(all - withheld, 0))} of ${count(all)} let in: warming up`;
}

function plainUsage(row) {
  if (row.keys !== null) {
    const total = row.total === null ? '' : ` and ${count(row.total)} together`;
    const worst = worstKey(row);
    return `${plural(row.in_use, 'permit')} in use by ${plural(row.keys, 'key')}, at most ${count(row.limit)} for each${total}`
      + (worst && `; the worst key is ${worst}`);
  }
  const all = `${count(row.in_use)} of ${plural(row.capacity ?? row.limit, 'permit')} in use`;
  if (row.scope === 'fleet') return `${all} here`;
  return row.runtimes > 1 && row.scope === 'runtime' ? `${all}, ${count(row.limit)} for each of ${row.runtimes} runtimes` : all;
}

/** Says how much of the limit over the fleet is in use. Empty for other limiters. */
function fleetUsage({ scope, fleet }) {
  if (scope !== 'fleet') return '';
  if (fleet === null) return 'no fleet';
  if (fleet.nodes === 0) return 'fleet – / –';
  const keys = fleet.keys === null ? '' : ` in ${plural(fleet.keys, 'key')}`;
  return `fleet ${count(fleet.in_use)} / ${count(fleet.limit)}${keys}`;
}

export function fleetInWords({ scope, fleet }) {
  if (scope !== 'fleet') return '';
  if (fleet === null) return 'no fleet was started: the limit holds for this process alone';
  if (fleet.nodes === 0) return 'nothing heard of the fleet yet';
  const keys = fleet.keys === null ? '' : `, of ${plural(fleet.keys, 'key')} together`;
  const all = `over the fleet ${count(fleet.in_use)} of ${plural(fleet.limit, 'permit')} in use${keys}`;
  return `${all}, by ${plural(fleet.nodes, 'process', 'processes')}`;
}

export function reasonsInWords(rejected) {
  const given = REASONS.filter(reason => rejected[reason] > 0);
  return given.map(reason => `${words(reason)}\u00a0${rate(rejected[reason])}`).join(', ');
}

/** Says the file and the line of a place, without its folders. */
export const shortPlace = place => place.replace(/^.*[/\\]/, '').replace(/^([^:]*:\d+):\d+$/, '$1');

/** Says since when the oldest holder has its permit, and where it took it. Empty if that is not known. */
export function holderInWords({ oldest_holder: holder }) {
  return holder === null ? '' : `oldest holder ${age(holder.age)} at ${shortPlace(holder.place)}`;
}

/** Says the same in few words. */
export const holderInShort = ({ oldest_holder: holder }) =>
  (holder === null ? '' : `held ${age(holder.age)} at ${shortPlace(holder.place)}`);

/** Says who waits while the limit is 0. */
export const pausedInWords = row => (row.keys === null ? 'everybody waits' : 'everybody waits whose key has no limit of its own');

/** Says what holds a stuck limiter up. */
export function stuckInWords(row) {
  const still = row.deadlock ? 'calls wait for each other' : `nothing admitted for ${age(row.stalled)}`;
  return [still, holderInWords(row)].filter(Boolean).join(', ');
}

/** Says how many calls are refused, and their part of all calls. */
export const refusedInWords = row => `${rate(refusedOf(row))} a second refused (${percent(refusedShare(row))})`;

/**
 * Lists the unusual states of a limiter: a text, a class that makes it stand out, its meaning, and more text if there is room.
 * The worst comes first.
 */
export function badgesOf(row) {
  const badges = [];
  if (row.deadlock) badges.push(['deadlock', 'bad', 'Calls wait for each other, and none of them can go on']);
  else if (isStuck(row)) badges.push(['stuck', 'bad', `Calls wait, and none is admitted: ${stuckInWords(row)}`, age(row.stalled)]);
  if (row.paused) badges.push(['paused', 'strong', `The limit is 0: ${pausedInWords(row)}`]);
  if (row.closed) badges.push(['closed', 'strong', 'It lets nobody in any more']);
  if (!row.enabled) badges.push(['off', 'strong', 'The limit does not hold: every call is admitted']);
  if (row.shadow) badges.push(['shadow', 'strong', 'It admits every call, and counts what it would have done']);
  if (row.withheld > 0) badges.push(['warming up', '', rampInWords(row)]);
  badges.push(...adaptiveBadges(row));
  if (row.warnings > 0) badges.push([plural(row.warnings, 'warning'), 'strong', 'Something in its configuration looks wrong']);
  if (row.scope === 'fleet') badges.push(['fleet', '', 'One limit over all processes of a fleet']);
  if (row.adaptive?.frozen && row.source === 'live') return badges;
  if (row.source === 'live') badges.push(['set live', '', 'The limit was set while running']);
  else if (row.source !== 'attribute') badges.push([`set by ${SOURCES[row.source]}`, '', 'The source of the limit']);
  return badges;
}

export function badgeNodes(row) {
  return badgesOf(row).map(([text, look, title, more]) =>
    html('span', { class: `badge ${look}`.trim(), title }, text, ...(more ? [html('span', { class: 'more' }, ` ${more}`)] : [])));
}
