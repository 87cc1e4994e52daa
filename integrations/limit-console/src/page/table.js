// All limiters, in a table. It has elements for the rows that are in sight only.

import { choices, choose, readChoices, sortBy } from './choices.js';
import { draw, onDraw } from './drawing.js';
import { attribute, byId, say, show } from './elements.js';
import { count, plural } from './format.js';
import { known } from './known.js';
import { hashOf } from './opened.js';
import { arrange, placeOf, rowOf } from './order.js';
import { makeRow } from './row.js';
import { KINDS } from './severity.js';

const HEIGHT = 32; // px of a row, as the stylesheet has it
const BEYOND = 8; // rows that are drawn above and below those in sight

/** The position of the reader: whether the pointer is in the table, the row that the tab key reaches, and the rows that are drawn. */
const at = { pointed: false, current: null, top: 0, first: 0, last: 0 };

/** The names of all rows, in order. */
let names = [];

/** The rows that are drawn, by name. */
const drawn = new Map();

/** Returns whether the order of rows must stay, because somebody is about to click a row or has the focus on one. */
const isHeld = () => at.pointed || document.activeElement === byId('limiters') || byId('rows').contains(document.activeElement);

/** Finds the rows that are in sight, and some more. */
function findSight() {
  const above = byId('above').getBoundingClientRect().top;
  at.top = Math.ceil(-above / HEIGHT);
  const within = place => Math.min(Math.max(place, 0), names.length);
  at.first = within(Math.floor(-above / HEIGHT) - BEYOND);
  at.last = within(Math.ceil((innerHeight - above) / HEIGHT) + BEYOND);
}

const pad = (id, rows) => { byId(id).firstElementChild.style.height = `${rows * HEIGHT}px`; };

/** Draws the rows that are in sight. A row that is in its place is not moved: that would take the focus from it. */
function drawRows() {
  if (byId('overview').offsetParent === null) return;
  findSight();
  const { first, last } = at;
  const focus = document.activeElement?.closest('#rows tr')?.dataset.name;
  const visible = names.slice(first, last);
  const keep = new Set(visible);
  for (const [name, { tr }] of drawn) {
    if (!keep.has(name)) { tr.remove(); drawn.delete(name); }
  }
  pad('above', first);
  pad('below', names.length - last);
  if (!keep.has(at.current)) at.current = names[Math.max(at.top, first)] ?? null;
  let next = byId('rows').firstElementChild;
  visible.forEach((name, index) => {
    if (!drawn.has(name)) drawn.set(name, makeRow(name));
    const made = drawn.get(name);
    made.draw(rowOf(name), first + index, !known.rows.has(name));
    attribute(made.link, 'tabindex', name === at.current ? '0' : '-1');
    if (made.tr === next) next = next.nextElementSibling;
    else byId('rows').insertBefore(made.tr, next);
  });
  // The reader goes on from the table when the row that has the focus is scrolled away.
  if (focus !== undefined && !keep.has(focus)) byId('limiters').focus({ preventScroll: true });
}

function drawHead() {
  for (const head of document.querySelectorAll('#limiters thead [data-sort]')) {
    if (head.dataset.sort === choices.sort) attribute(head, 'aria-sort', choices.descending ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
  }
  attribute(byId('worst'), 'aria-pressed', String(choices.sort === null));
}

function drawCount() {
  const [all, shown] = [known.rows.size, names.length];
  say(byId('count'), shown < all ? `${count(shown)} of ${count(all)}` : plural(all, 'limiter'));
  show(byId('limiters'), shown > 0);
  show(byId('empty'), known.filled && all === 0);
  show(byId('no-match'), all > 0 && shown === 0);
  if (all === 0 || shown > 0) return;
  const { none } = KINDS.find(({ id }) => id === choices.kind);
  const { filter, kind } = choices;
  const named = filter === '' ? 'No limiter' : `No limiter whose name contains “${filter}”`;
  say(byId('no-match'), kind === 'all' ? `No limiter's name contains “${filter}”.` : `${named} is ${none}.`);
}

function drawTable() {
  const held = isHeld();
  names = arrange(held);
  byId('held').classList.toggle('said', held && names.length > 1);
  attribute(byId('limiters'), 'aria-rowcount', String(names.length + 1));
  drawCount();
  drawHead();
  drawRows();
}

/** Moves the focus to a limiter's row, and scrolls there; to the filter if it has none. */
export function focusRow(name) {
  const place = placeOf(name);
  if (place === undefined) return byId('filter').focus({ preventScroll: true });
  if (!drawn.has(name)) drawRows();
  if (!drawn.has(name)) scrollTo(place);
  at.current = name;
  drawn.get(name)?.link.focus({ preventScroll: true });
  drawn.get(name)?.tr.scrollIntoView({ block: 'nearest' });
  draw();
}

/** Scrolls so that a place is in the middle of the window, and draws the rows there. */
function scrollTo(place) {
  window.scrollBy(0, byId('above').getBoundingClientRect().top + place * HEIGHT - innerHeight / 2);
  drawRows();
}

/** Moves the focus by the keyboard. */
function takeKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const page = Math.max(Math.floor(innerHeight / HEIGHT) - 4, 1);
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
  if (step === undefined || event.target.closest('thead')) return;
  event.preventDefault();
  const from = placeOf(event.target.closest('tr')?.dataset.name ?? at.current) ?? 0;
  const to = Math.min(Math.max(from + step, 0), names.length - 1);
  if (to !== from || document.activeElement === byId('limiters')) focusRow(names[to]);
}

/** Takes the choices from the address, as when the reader goes back. */
export function followAddress() {
  readChoices();
  if (byId('filter').value.trim() !== choices.filter) byId('filter').value = choices.filter;
  draw();
}

/** Chooses a kind of limiters. */
export function chooseKind(kind) {
  choose({ kind });
  draw();
}

export function startTable() {
  onDraw(() => { if (known.filled) drawTable(); });
  followAddress();
  const on = (id, event, act) => byId(id).addEventListener(event, act);
  on('filter', 'input', () => { choose({ filter: byId('filter').value.trim() }); draw(); });
  on('worst', 'click', () => { choose({ sort: null }); draw(); });
  for (const head of document.querySelectorAll('#limiters thead [data-sort]')) {
    head.firstElementChild.addEventListener('click', () => { sortBy(head.dataset.sort); draw(); });
  }
  // Scrolling draws at once: a frame later the reader would see nothing for a moment.
  const scrolled = () => { if (known.filled) drawRows(); };
  window.addEventListener('scroll', scrolled, { passive: true });
  window.addEventListener('resize', scrolled);
  on('rows', 'pointerenter', () => { at.pointed = true; });
  on('rows', 'pointerleave', () => { at.pointed = false; });
  on('rows', 'focusin', event => { at.current = event.target.closest('tr').dataset.name; });
  on('rows', 'click', event => {
    const row = event.target.closest('tr');
    // The browser follows a link itself, in a new tab too. A reader who selects text does not click.
    if (row && !event.target.closest('a') && getSelection().isCollapsed) location.hash = hashOf(row.dataset.name);
  });
  on('limiters', 'keydown', takeKey);
}
