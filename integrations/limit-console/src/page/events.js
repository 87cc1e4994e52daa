// The events of the limiter that is open.

import { fillTable, filled, tableRow } from './cards.js';
import { followEventsOf } from './connection.js';
import { byId } from './elements.js';
import { clock, count, words } from './format.js';
import { opened } from './opened.js';

const EVENTS = 100; // that are kept in view

let following = false;

export function unfollowEvents() {
  const before = following;
  following = false;
  byId('follow').checked = false;
  fillTable('events', [], 'Not followed.');
  if (before) followEventsOf(null);
}

function followEvents() {
  following = true;
  fillTable('events', [], 'Nothing has happened yet.');
  followEventsOf(opened.name);
}

export function takeEvents({ time, events, missed }) {
  if (!following || (events.length === 0 && missed === 0)) return;
  const rows = events.slice(-EVENTS).map(({ kind, in_use: used, limit, waiting }) =>
    [clock(time), words(kind).replace(':', ': '), `${count(used)} / ${count(limit)}`, count(waiting)]);
  if (missed > 0) rows.unshift([clock(time), `${count(missed)} more, not shown`, '', '']);
  showEvents(rows);
}

/** Puts rows above those that are there, the last one first. */
function showEvents(rows) {
  const body = byId('events');
  if (filled.delete('events')) body.replaceChildren();
  body.prepend(...rows.reverse().map(tableRow));
  while (body.rows.length > EVENTS) body.lastElementChild.remove();
}

/** Says that nothing was heard while the page was hidden. */
export function noteGap() {
  if (following && filled.get('events') === undefined) {
    showEvents([[clock(Date.now()), 'not followed until now, the page was hidden', '', '']]);
  }
}

export function startEvents() {
  byId('follow').addEventListener('change', () => (byId('follow').checked ? followEvents() : unfollowEvents()));
}
