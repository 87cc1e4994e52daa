// A row of the table. It is drawn again only where it differs from before.

import { adaptsInShort } from './adaptive.js';
import { choices } from './choices.js';
import { attribute, html, say, svg } from './elements.js';
import { age, count, duration, percent, rate, since } from './format.js';
import { SPARK, isGrowing, known, sparkOf } from './known.js';
import { badgeNodes, badgesOf, fleetInWords, holderInShort, isFull, isStuck, limitLoad, reasonsInWords, refusedOf,
  refusedShare, totalLoad, usage, usageInWords, usageParts } from './limiter.js';
import { hashOf, opened } from './opened.js';
import { LEVELS, levelOf } from './severity.js';

/** Makes a name that keeps its last part when there is little room: the module before it is cut short. */
function nameNodes(name) {
  const [, module, last] = name.match(/^(.*::)?(.*)$/s);
  return [html('span', { class: 'module' }, module ?? ''), html('span', { class: 'last' }, last)];
}

/** Returns a function that calls `draw` with a value if that differs from the value before. */
function onChange(draw) {
  let before;
  return value => {
    if (value === before) return;
    before = value;
    draw(value);
  };
}

function makeBar(kind) {
  const fill = html('i');
  const bar = html('div', { class: `bar ${kind}` }, fill);
  const fillTo = onChange(load => { fill.style.transform = `scaleX(${load})`; });
  const markFull = onChange(full => bar.classList.toggle('full', full));
  return { bar, draw(load, full) { fillTo(Math.min(load, 1).toFixed(3)); markFull(full); } };
}

function makeSpark() {
  const [line, limit] = [svg('path'), svg('path', { class: 'limit' })];
  const spark = svg('svg', { class: 'spark', role: 'img', viewBox: `0 0 ${SPARK - 1} 16`, preserveAspectRatio: 'none' }, limit, line);
  return { spark, draw(row) {
    const values = sparkOf(row);
    const [least, most, offset] = [Math.min(...values), Math.max(...values), SPARK - values.length];
    // The limit of all permits; keys without a total have none together.
    const bound = row.keys === null ? row.capacity ?? row.limit : row.total;
    const top = Math.max(bound ?? 0, most, 1);
    const height = value => (15 - 14 * value / top).toFixed(1);
    attribute(line, 'd', values.map((value, at) => `${at === 0 ? 'M' : 'L'}${offset + at} ${height(value)}`).join(''));
    attribute(limit, 'd', bound === null ? '' : `M0 ${height(bound)}H${SPARK - 1}`);
    attribute(spark, 'aria-label', values.length === 0 ? 'no history yet'
      : `in use over the last minute: now ${count(row.in_use)}, least ${count(least)}, most ${count(most)}`);
  } };
}

/** Makes a cell with a figure and a smaller one beside it. */
function makeFigure(...classes) {
  const [main, more] = [html('span'), html('small')];
  const cell = html('td', { class: ['number', ...classes].join(' ') }, main, ' ', more);
  const sayMain = onChange(text => { say(main, text); main.classList.toggle('zero', text === '0' || text === '–'); });
  const sayMore = onChange(text => say(more, text));
  const stress = onChange(much => main.classList.toggle('much', much));
  const entitle = onChange(title => attribute(cell, 'title', title));
  return { cell, draw(text, much = false, moreText = '', title = '') { sayMain(text); sayMore(moreText); stress(much); entitle(title); } };
}

export function makeRow(name) {
  const link = html('a', { class: 'name', href: hashOf(name), title: name, 'aria-label': name, tabindex: '-1' }, ...nameNodes(name));
  const [badges, why] = [html('span', { class: 'badges' }), html('span', { class: 'why' })];
  const used = html('span', { class: 'usage', 'aria-hidden': 'true' }, html('span'), html('span', { class: 'adapts' }), html('span'));
  const [limit, total] = [makeBar('limit'), makeBar('total')];
  const bars = html('div', { class: 'bars', role: 'img' }, limit.bar, total.bar);
  const [waiting, refused, p99, admitted] = [makeFigure('waiting'), makeFigure('refused'), makeFigure('from-2'), makeFigure('from-3')];
  const spark = makeSpark();
  const tr = html('tr', {}, html('th', { scope: 'row' }, html('div', { class: 'limiter' }, link, badges, why)),
    html('td', { class: 'use' }, used, bars), waiting.cell, refused.cell, p99.cell, admitted.cell,
    html('td', { class: 'from-4' }, spark.spark));
  tr.dataset.name = name;

  const drawClass = onChange(look => attribute(tr, 'class', look));
  // The address has the reader's choices too.
  const drawLink = onChange(() => attribute(link, 'href', hashOf(name)));
  let [drawnRow, drawnTick] = [null, -1];
  let badged = '';

  function drawFigures(row) {
    const wanted = JSON.stringify(badgesOf(row));
    if (wanted !== badged) badges.replaceChildren(...badgeNodes(row));
    badged = wanted;
    say(why, isStuck(row) ? holderInShort(row) : '');
    why.parentElement.classList.toggle('explained', why.textContent !== '');
    const [sum, ...more] = usageParts(row);
    say(used.firstChild, more.length > 0 ? `${sum} · ` : sum);
    say(used.children[1], adaptsInShort(row));
    say(used.lastChild, more.join(' · '));
    used.classList.toggle('parted', more.length > 0);
    attribute(used, 'title', row.adaptive ? usageInWords(row) : usage(row));
    const inWords = [usageInWords(row), fleetInWords(row)].filter(Boolean).join('; ');
    attribute(bars, 'aria-label', inWords);
    const which = row.total === null ? '' : '. The upper bar is that of the worst key, the lower one that of all keys together';
    attribute(bars, 'title', `${inWords}${which}`);
    const all = totalLoad(row);
    limit.draw(limitLoad(row), isFull(row) && limitLoad(row) >= 1);
    total.bar.hidden = all === null;
    if (all !== null) total.draw(all, isFull(row) && all >= 1);
    waiting.draw(count(row.waiting), row.waiting > 0, row.waiting > 0 && row.oldest_wait >= 0.001 ? age(row.oldest_wait) : '',
      row.waiting > 0 ? `calls that wait, the oldest one ${since(row.oldest_wait ?? 0, known.time)}` : '');
    const lost = refusedOf(row);
    refused.draw(lost > 0 ? `${rate(lost)}/s` : '0', lost > 0, lost > 0 ? percent(refusedShare(row)) : '', reasonsInWords(row.rejected));
    p99.draw(row.p99 >= 100 ? age(row.p99) : duration(row.p99));
    admitted.draw(rate(row.admitted));
  }

  return {
    tr, link,
    /** Draws the row. `isGone` tells that the limiter is no more. */
    draw(row, place, isGone) {
      const isNew = row !== drawnRow;
      const isLater = drawnTick !== known.tick;
      if (isNew || (isLater && isGrowing(row))) drawFigures(row);
      if (isNew || isLater) spark.draw(row);
      [drawnRow, drawnTick] = [row, known.tick];
      const classes = [LEVELS[levelOf(row)], isGone && 'gone', row.name === opened.name && 'open'];
      drawClass(classes.filter(Boolean).join(' '));
      attribute(tr, 'aria-rowindex', String(place + 2));
      attribute(link, 'aria-current', String(row.name === opened.name));
      drawLink(choices.version);
    },
  };
}
