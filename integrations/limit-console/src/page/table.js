// All limiters, in a table.

import { draw, onDraw } from './drawing.js';
import { attribute, breakable, byId, html, say, show, svg } from './elements.js';
import { clock, count, duration, plural, rate } from './format.js';
import { SPARK, known } from './known.js';
import { badgeNodes, badgesOf, fleetInWords, fleetUsage, loadOf, reasonsInWords, refusedOf, usage, usageInWords } from './limiter.js';
import { hashOf, opened } from './opened.js';

const PAGE = 200; // rows that are drawn at first, and with each "Show more"
const HOLD = 5_000; // ms for which the order of rows stays after the pointer has moved in the table

/** The reader's choices for the table. */
const view = { sort: 'lost', descending: true, filter: '', shown: PAGE, pointed: 0, order: [] };

const NUMBERS = {
  load: loadOf, waiting: row => row.waiting, lost: row => (row.deadlock ? Infinity : row.lost), admitted: row => row.admitted,
  refused: refusedOf, p50: row => row.p50 ?? -1, p99: row => row.p99 ?? -1,
};
const compareNames = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** Compares two rows by the chosen column, and equal rows by the time lost. The time that a deadlock loses has no end. */
function compare(a, b) {
  const direction = view.descending ? -1 : 1;
  if (view.sort === 'name') return direction * compareNames(a, b);
  const chosen = NUMBERS[view.sort];
  // Two without an end have no difference, so they are equal.
  return direction * (chosen(a) - chosen(b)) || b.lost - a.lost || b.waiting - a.waiting || loadOf(b) - loadOf(a) || compareNames(a, b);
}

/** Returns whether the order of rows must stay, because somebody is about to click a row or has the focus on one. */
const isHeld = () => Date.now() - view.pointed < HOLD || byId('rows').contains(document.activeElement);

function arrange(held) {
  const wanted = view.filter.toLowerCase();
  const chosen = [...known.rows.values()].filter(row => row.name.toLowerCase().includes(wanted));
  if (held) {
    const places = new Map(view.order.map((row, at) => [row.name, at]));
    const place = row => places.get(row.name) ?? Infinity;
    view.order = chosen.sort((a, b) => (place(a) === place(b) ? compare(a, b) : place(a) - place(b)));
  } else {
    view.order = chosen.sort(compare);
  }
}

/** The rows that are drawn, by name. */
const drawn = new Map();

function makeRow(name) {
  const badges = html('span', { class: 'badges' });
  const fill = html('i');
  const bar = html('div', { class: 'bar', role: 'img' }, fill);
  const used = html('span', { 'aria-hidden': 'true' });
  const fleet = html('small', { class: 'fleet', 'aria-hidden': 'true' });
  const number = (...classes) => html('td', { class: ['number', ...classes].join(' ') });
  const [waiting, lost, admitted, p50, p99] = [number(), number(), number('from-4'), number('from-4'), number('from-2')];
  const [refusals, reasons] = [html('span'), html('span', { class: 'reasons' })];
  const refused = html('td', { class: 'number from-3' }, refusals, reasons);
  const path = svg('path');
  const spark = svg('svg', { class: 'spark', role: 'img', viewBox: `0 0 ${SPARK - 1} 16`, preserveAspectRatio: 'none' }, path);
  const link = html('a', { href: hashOf(name) }, ...breakable(name));
  const tr = html('tr', {}, html('th', { scope: 'row' }, link, ' ', badges), html('td', { class: 'wide' }, used, bar, fleet),
    waiting, lost, admitted, refused, p50, p99, html('td', { class: 'from-3' }, spark));
  tr.dataset.name = name;

  const figure = (cell, text, emphasis) => {
    say(cell, text);
    cell.classList.toggle('zero', text === '0' || text === '–');
    cell.classList.toggle('much', emphasis);
  };
  let badged = '';
  return {
    tr, link,
    update(row) {
      const wanted = JSON.stringify(badgesOf(row));
      if (wanted !== badged) badges.replaceChildren(...badgeNodes(row));
      badged = wanted;
      say(used, usage(row));
      say(fleet, fleetUsage(row));
      attribute(bar, 'aria-label', [usageInWords(row), fleetInWords(row)].filter(Boolean).join('; '));
      bar.classList.toggle('full', row.enabled && loadOf(row) >= 1);
      fill.style.transform = `scaleX(${Math.min(loadOf(row), 1).toFixed(3)})`;
      figure(waiting, count(row.waiting), row.waiting > 0);
      figure(lost, rate(row.lost), row.lost >= 1);
      figure(admitted, rate(row.admitted), false);
      figure(refusals, rate(refusedOf(row)), refusedOf(row) > 0);
      say(reasons, reasonsInWords(row.rejected));
      attribute(refused, 'title', reasonsInWords(row.rejected));
      figure(p50, duration(row.p50), false);
      figure(p99, duration(row.p99), false);
      const [least, most, offset] = [Math.min(...row.spark), Math.max(...row.spark), SPARK - row.spark.length];
      const height = value => (15 - 14 * value / Math.max(most, 1)).toFixed(1);
      attribute(path, 'd', row.spark.map((value, at) => `${at === 0 ? 'M' : 'L'}${offset + at} ${height(value)}`).join(''));
      attribute(spark, 'aria-label', row.spark.length === 0 ? 'no history yet'
        : `in use over the last minute: now ${count(row.in_use)}, least ${count(least)}, most ${count(most)}`);
      tr.classList.toggle('open', row.name === opened.name);
      attribute(link, 'aria-current', String(row.name === opened.name));
    },
  };
}

function drawTable() {
  const held = isHeld();
  arrange(held);
  const { order } = view;
  const all = known.rows.size;
  const visible = order.slice(0, view.shown);
  const keep = new Set(visible.map(row => row.name));
  for (const [name, { tr }] of drawn) {
    if (!keep.has(name)) { tr.remove(); drawn.delete(name); }
  }
  // A row that is in its place is not touched: moving it would take the focus from it.
  let next = byId('rows').firstElementChild;
  for (const row of visible) {
    if (!drawn.has(row.name)) drawn.set(row.name, makeRow(row.name));
    const made = drawn.get(row.name);
    made.update(row);
    if (made.tr === next) next = next.nextElementSibling;
    else byId('rows').insertBefore(made.tr, next);
  }
  for (const head of document.querySelectorAll('#limiters thead [data-sort]')) {
    if (head.dataset.sort === view.sort) attribute(head, 'aria-sort', view.descending ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
  }
  const [shown, matching] = [count(visible.length), order.length < all];
  say(byId('count'), visible.length < order.length ? `${shown} of ${count(order.length)}${matching ? ' that match' : ''}`
    : matching ? `${shown} of ${count(all)} match` : plural(all, 'limiter'));
  show(byId('held'), held && order.length > 1);
  show(byId('more-line'), order.length > visible.length);
  say(byId('shown'), `${count(visible.length)} of ${count(order.length)} are shown.`);
  show(byId('limiters'), visible.length > 0);
  show(byId('empty'), known.filled && all === 0);
  show(byId('no-match'), all > 0 && order.length === 0);
  say(byId('no-match'), `No limiter's name contains “${view.filter}”.`);
}

function drawSums() {
  let [waiting, lost] = [0, 0];
  for (const row of known.rows.values()) { waiting += row.waiting; lost += row.lost; }
  byId('sums').replaceChildren(html('b', {}, count(known.rows.size)), known.rows.size === 1 ? ' limiter · ' : ' limiters · ',
    html('b', {}, count(waiting)), ' waiting · ', html('b', {}, rate(lost)), ' s lost each second');
  say(byId('clock'), clock(known.time));
}

/** Moves the focus to a limiter's row; to the filter if it has none. */
export function focusRow(name) {
  (drawn.get(name)?.link ?? byId('filter')).focus({ preventScroll: true });
}

export function startTable() {
  onDraw(() => {
    if (!known.filled) return;
    drawSums();
    drawTable();
  });
  const on = (id, event, act) => byId(id).addEventListener(event, act);
  on('filter', 'input', () => { Object.assign(view, { filter: byId('filter').value.trim(), shown: PAGE }); draw(); });
  on('more', 'click', () => { view.shown += PAGE; draw(); });
  for (const head of document.querySelectorAll('#limiters thead [data-sort]')) {
    head.firstElementChild.addEventListener('click', () => {
      const { sort } = head.dataset;
      Object.assign(view, { descending: view.sort === sort ? !view.descending : sort !== 'name', sort, pointed: 0 });
      draw();
    });
  }

  on('rows', 'pointermove', () => { view.pointed = Date.now(); });
  on('rows', 'pointerleave', () => { view.pointed = 0; });
  on('rows', 'click', event => {
    const row = event.target.closest('tr');
    // The browser follows a link itself, in a new tab too. A reader who selects text does not click.
    if (row && !event.target.closest('a') && getSelection().isCollapsed) location.hash = hashOf(row.dataset.name);
  });
  on('rows', 'keydown', event => {
    const row = event.target.closest('tr');
    const next = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling }[event.key];
    if (!next) return;
    event.preventDefault();
    next.querySelector('a').focus();
  });
}
