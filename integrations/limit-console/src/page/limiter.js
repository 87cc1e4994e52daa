// A limiter's row in words: its use, its refusals and its unusual states.

import { html } from './elements.js';
import { REASONS, SOURCES, count, plural, rate, sum, words } from './format.js';

export const refusedOf = row => sum(row.rejected);

/** The number of all permits; with keys, of the permits of keys that are in use. */
export const capacityOf = row => row.capacity ?? row.limit * Math.max(row.keys ?? 0, 1);
export const loadOf = row => (row.in_use === 0 ? 0 : row.in_use / Math.max(capacityOf(row), 0.5));

export function usage(row) {
  if (row.keys === 0) return `${count(row.in_use)} / ${count(row.limit)} a key`;
  if (row.keys !== null) return `${count(row.in_use)} / ${count(row.limit)} × ${plural(row.keys, 'key')}`;
  return `${count(row.in_use)} / ${count(row.capacity ?? row.limit)}`;
}

export function usageInWords(row) {
  if (row.keys !== null) {
    return `${plural(row.in_use, 'permit')} in use by ${plural(row.keys, 'key')}, at most ${count(row.limit)} for each`;
  }
  const all = `${count(row.in_use)} of ${plural(row.capacity ?? row.limit, 'permit')} in use`;
  if (row.scope === 'fleet') return `${all} here`;
  return row.runtimes > 1 && row.scope === 'runtime' ? `${all}, ${count(row.limit)} for each of ${row.runtimes} runtimes` : all;
}

/** Says how much of the limit over the fleet is in use. Empty for other limiters. */
export function fleetUsage({ scope, fleet }) {
  if (scope !== 'fleet') return '';
  if (fleet === null) return 'no fleet';
  if (fleet.nodes === 0) return 'fleet – / –';
  const of = fleet.keys === null ? '' : ` in ${plural(fleet.keys, 'key')}`;
  return `fleet ${count(fleet.in_use)} / ${count(fleet.limit)}${of}`;
}

export function fleetInWords({ scope, fleet }) {
  if (scope !== 'fleet') return '';
  if (fleet === null) return 'no fleet was started: the limit holds for this process alone';
  if (fleet.nodes === 0) return 'nothing heard of the fleet yet';
  const of = fleet.keys === null ? '' : `, of ${plural(fleet.keys, 'key')} together`;
  const all = `over the fleet ${count(fleet.in_use)} of ${plural(fleet.limit, 'permit')} in use${of}`;
  return `${all}, by ${plural(fleet.nodes, 'process', 'processes')}`;
}

export function reasonsInWords(rejected) {
  const given = REASONS.filter(reason => rejected[reason] > 0);
  return given.map(reason => `${words(reason)}\u00a0${rate(rejected[reason])}`).join(', ');
}

/** Lists the unusual states of a limiter: a text, a class that makes it stand out, and its meaning. The worst comes first. */
export function badgesOf(row) {
  const badges = [];
  if (row.deadlock) badges.push(['deadlock', 'bad', 'Calls wait for each other, and none of them can go on']);
  if (row.scope === 'fleet') badges.push(['fleet', '', 'One limit over all processes of a fleet']);
  if (row.paused) badges.push(['paused', 'strong', 'The limit is 0: everybody waits']);
  if (row.closed) badges.push(['closed', 'strong', 'It lets nobody in any more']);
  if (!row.enabled) badges.push(['off', 'strong', 'The limit does not hold: every call is admitted']);
  if (row.shadow) badges.push(['shadow', 'strong', 'It admits every call, and counts what it would have done']);
  if (row.warnings > 0) badges.push([plural(row.warnings, 'warning'), 'strong', 'Something in its configuration looks wrong']);
  if (row.source === 'live') badges.push(['set live', '', 'The limit was set while running']);
  else if (row.source !== 'attribute') badges.push([`set by ${SOURCES[row.source]}`, '', 'Who set the limit']);
  return badges;
}

export function badgeNodes(row) {
  return badgesOf(row).map(([text, look, title]) => html('span', { class: `badge ${look}`.trim(), title }, text));
}
