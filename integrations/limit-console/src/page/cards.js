// The small tables of the limiter that is open, each in its card.

import { attribute, breakable, byId, html } from './elements.js';

/** Makes the content of a cell: of a text, or of a text with an `href` or a `title`. */
function content(cell) {
  if (typeof cell === 'string') return breakable(cell);
  const { text, ...attributes } = cell;
  return [html('href' in attributes ? 'a' : 'span', attributes, ...breakable(text))];
}

export const tableRow = ([head, ...cells]) =>
  html('tr', {}, html('th', { scope: 'row' }, ...content(head)), ...cells.map(cell => html('td', {}, ...content(cell))));

/**
 * Lets the keyboard scroll a card with more in it than fits: the card can have the focus, also in browsers that do not
 * give it to elements that scroll. A card that has the focus keeps it.
 */
const scrolling = new ResizeObserver(entries => {
  for (const card of new Set(entries.map(({ target }) => target.closest('.card, .banner')))) {
    const scrolls = card.scrollHeight > card.clientHeight || card.scrollWidth > card.clientWidth;
    if (scrolls) attribute(card, 'tabindex', '0');
    else if (card !== document.activeElement) card.removeAttribute('tabindex');
  }
});

/** The content of the tables, by id. */
export const filled = new Map();

/** Fills a table's body, unless it has that content already. The first cell of a row is its head. */
export function fillTable(id, rows, empty) {
  const wanted = JSON.stringify([rows, empty]);
  if (filled.get(id) === wanted) return;
  filled.set(id, wanted);
  const body = byId(id);
  const columns = body.parentElement.tHead.rows[0].cells.length;
  body.replaceChildren(...(rows.length > 0 ? rows.map(tableRow) : [html('tr', {}, html('td', { colspan: columns }, empty))]));
}

/** Watches all cards for more in them than fits. */
export function startCards() {
  for (const sized of document.querySelectorAll('.tables .card, .tables table, #deadlock, #deadlocks')) scrolling.observe(sized);
}
