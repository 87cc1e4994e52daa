// One limiter in detail.

import { fillAdaptive, rangeOf } from './adaptive.js';
import { api, ask } from './api.js';
import { fillCalls } from './calls.js';
import { fillTable } from './cards.js';
import { makeCharts } from './charts.js';
import { fillDeadlocks } from './deadlocks.js';
import { draw } from './drawing.js';
import { breakable, byId, html, say, show } from './elements.js';
import { unfollowEvents } from './events.js';
import { fillFleet } from './fleet.js';
import { SOURCES, age, clock, count, duration, plural, seconds, sentence, since, sum, words } from './format.js';
import { extend, forget, noHistory } from './history.js';
import { clearKnob, takeSettings } from './knob.js';
import { known } from './known.js';
import { badgeNodes, fleetInWords, isStuck, of, stuckInWords, usage, usageInWords } from './limiter.js';
import { author, changedName } from './log.js';
import { hashOf, namedByAddress, opened } from './opened.js';
import { takeChanges } from './outcome.js';
import { focusRow } from './table.js';

const LONG = 10; // s from which somebody wants to know the time at which it began

/** `gone` is the tick at which the server knew no such limiter. */
const detail = { since: 0, asking: null, gone: null, history: noHistory(), scrolled: 0, charts: null };

/** Asks for the whole history with the next answer. The history of a program before this one stays. */
export function forgetHistory() { Object.assign(detail, { since: 0, gone: null }); }

/** Opens the limiter that the address names, or closes. `moved` is false when the page has only just been loaded. */
export function follow(moved) {
  const name = namedByAddress();
  if (name === opened.name) return;
  const before = opened.name;
  if (before === null) detail.scrolled = window.scrollY;
  detail.asking?.abort();
  unfollowEvents();
  opened.name = name;
  Object.assign(detail, { since: 0, asking: null, gone: null, history: noHistory() });
  clearKnob();
  detail.charts.clear();
  document.body.classList.toggle('open', name !== null);
  show(byId('detail'), name !== null);
  document.title = name === null ? 'Limits' : `${name} · Limits`;
  if (name !== null) {
    byId('detail-name').replaceChildren(...breakable(name));
    for (const id of ['detail-about', 'detail-trouble']) say(byId(id), '');
    show(byId('detail-trouble'), false);
    show(byId('detail-warnings'), false);
    show(byId('detail-body'), false);
    if (moved) byId('detail-name').focus({ preventScroll: true });
    if (matchMedia('(max-width: 1199.98px)').matches) window.scrollTo(0, 0);
    byId('detail').scrollTop = 0;
    askDetail();
  } else if (moved) {
    window.scrollTo(0, detail.scrolled);
    focusRow(before);
  }
  draw();
}

export function close() {
  history.pushState(null, '', hashOf(null));
  follow(true);
}

/** Returns whether the limiter is gone. It is asked for again when the stream has it at a later tick. */
const isGone = () => detail.gone !== null && !(known.tick > detail.gone + 1 && known.rows.has(opened.name));

/** Asks for the history since the last answer. Waits for a slow answer before it asks again. */
export async function askDetail() {
  if (opened.name === null || detail.asking || isGone()) return;
  const asking = new AbortController();
  detail.asking = asking;
  try {
    const answer = await ask(api(`limiter?name=${encodeURIComponent(opened.name)}&since=${detail.since}`), { signal: asking.signal });
    detail.gone = null;
    takeDetail(answer);
    show(byId('detail-trouble'), false);
  } catch (error) {
    // The banner above everything says that the connection is lost. The server's own words stand here.
    if (detail.asking === asking && error.status) {
      say(byId('detail-trouble'), error.message);
      show(byId('detail-trouble'), true);
      if (error.status === 404) {
        Object.assign(detail, { gone: known.tick, since: 0 });
        show(byId('detail-body'), false);
      }
    }
  } finally {
    if (detail.asking === asking) detail.asking = null;
  }
}

function takeDetail(answer) {
  // Figures of a program that is no more stay: the answer begins with the start of this one.
  if (detail.since === 0) forget(detail.history, known.restart?.silent ?? 0);
  detail.since = answer.tick;
  extend(detail.history, answer.history, answer.time);
  drawDetail(answer);
}

function drawDetail(answer) {
  const { limiter, snapshot, changes, keys, deadlocks } = answer;
  const { total, settings } = snapshot;
  show(byId('detail-body'), true);
  const scope = limiter.scope === 'process' ? 'one set of permits for the process'
    : limiter.scope === 'fleet' ? fleetInWords(limiter)
    : `permits for each runtime, ${plural(limiter.runtimes, 'runtime')} now`;
  const first = { lifo: 'the newest waiter is served first', deadline: 'the waiter with the earliest deadline is served first' };
  const about = [usageInWords(limiter), scope, first[limiter.order],
    limiter.per !== null && `a permit comes back ${duration(limiter.per)} after its start`,
    limiter.ramp !== null && `the limit rises for ${duration(limiter.ramp)} after a start`];
  byId('detail-about').replaceChildren(`${about.filter(Boolean).join(' · ')} `, html('span', { class: 'badges' }, ...badgeNodes(limiter)));
  show(byId('detail-warnings'), snapshot.warnings.length > 0);
  byId('detail-warnings').replaceChildren(...snapshot.warnings.map(words => html('li', {}, words)));
  fillDeadlocks(deadlocks ?? []);
  const stuck = isStuck(limiter) && !limiter.deadlock;
  show(byId('stuck'), stuck);
  say(byId('stuck-words'), stuck ? 'Stuck: calls wait, and none is admitted.' : '');
  const now = answer.time;
  say(byId('stuck-since'), stuck ? `${sentence(stuckInWords(limiter))}. It has been so ${since(limiter.stalled, now)}.` : '');

  const waits = limiter.oldest_wait ?? 0;
  const facts = [
    ...usageFacts(limiter), ['Waiting', count(limiter.waiting)], ['Most ever waiting', count(total.most_waiting)],
    ['Oldest waiter', limiter.waiting > 0 ? age(waits) : '–', waits >= LONG && since(waits, now)],
    ['Admitted at once', count(total.admitted_at_once)], ['Admitted after waiting', count(total.admitted_after_waiting)],
    ['Refused', count(sum(total.rejected))], ['Gave up waiting', count(total.cancelled)],
  ];
  if (total.taken_back > 0) facts.push(['Grants taken back', count(total.taken_back)]);
  const { waited, rejected } = total.shadowed;
  if (limiter.shadow || waited + sum(rejected) > 0) {
    facts.push(['Would have waited', count(waited)], ['Would have been refused', count(sum(rejected))]);
  }
  byId('facts').replaceChildren(...facts.map(([name, value, more = '']) =>
    html('div', {}, html('dt', {}, name), html('dd', {}, value, ...(more ? [html('small', {}, ` ${more}`)] : [])))));

  const live = [...Object.values(settings), ...snapshot.key_limits];
  fillAdaptive(limiter, known, live.some(each => each?.source === 'live'));
  takeSettings(answer);
  takeChanges(changes);
  detail.charts.draw(detail.history, changes, limiter.keys !== null);

  fillTable('changes', changes.map(change =>
    [clock(change.time), changedName(change), change.from, change.to, author(change)]), 'Nothing has been changed.');
  const { range, ...each } = settings;
  const inForce = (name, value) => (name === 'limit' && range ? `${rangeOf(range)}, now ` : '') + settingInWords(name, value);
  fillTable('settings', Object.entries(each).map(([name, { value, source }]) =>
    [words(name), inForce(name, value), SOURCES[source] ?? source]).concat(made(limiter), ownLimits(snapshot.key_limits)), '');
  fillFleet(limiter, snapshot.fleet?.ledgers ?? []);
  const percentile = (wait, time) => duration(wait.count > 0 ? seconds(time) : null);
  fillTable('runtimes', snapshot.runtimes.map(({ runtime, figures: { in_use: used, limit, waiting, wait, ...counts } }) => [
    runtime === 0 ? 'the process' : String(runtime), limiter.keys === null ? of(used, limit) : count(used), count(waiting),
    count(counts.admitted_at_once + counts.admitted_after_waiting), count(sum(counts.rejected)),
    percentile(wait, wait.p50), percentile(wait, wait.p99),
  ]), 'No live runtime has used it.');
  fillTable('keys', keys.map(({ key, in_use: used, waiting }) => [key, count(used), count(waiting)]),
    limiter.keys === null ? 'It has no keys.' : 'No key is in use.');
  show(byId('keys-card'), limiter.keys !== null);
  // Of several runtimes each has its guarantees.
  const bound = permits => count(permits) + (limiter.scope === 'runtime' && limiter.runtimes > 1 ? ' each' : '');
  fillTable('parts', snapshot.shares.map(({ name, guaranteed, at_most: most, in_use: used, waiting, rejected }) =>
    [name, count(used), bound(guaranteed), bound(most), count(waiting), count(rejected)]), '');
  show(byId('shares-card'), snapshot.shares.length > 0);
  fillCalls('holders', answer.holders, answer.holder_places, 'Nobody holds a permit.');
  fillCalls('waiters', answer.waiters, answer.waiter_places, 'Nobody waits.');
}

/** Says how much is in use; with keys, of all together and of the worst one, which have a bar each in the table. */
function usageFacts(limiter) {
  const { keys, in_use: used, total, worst_key: worst } = limiter;
  if (keys === null) return [['In use', usage(limiter)]];
  const all = ['All keys together', total === null ? `${count(used)} in use` : of(used, total)];
  return worst === null ? [all] : [all, ['Worst key', `${worst.key} ${of(worst.in_use, worst.limit)}`]];
}

/** Returns rows about the limits of single keys: of the first hundred. */
const ownLimits = limits =>
  limits.slice(0, 100).map(({ key, limit, source }) => [`limit of ${key}`, count(limit), SOURCES[source] ?? source]);

/** Lists what is no setting. The program can set a total while it runs; the code alone sets the rest. */
function made({ keys, total, adaptive, per, ramp, order, early, scope }) {
  const orders = { fifo: 'first come, first served', lifo: 'the newest first', deadline: 'the earliest deadline first' };
  const scopes = { runtime: 'each runtime', process: 'the process', fleet: 'the fleet' };
  const adapts = adaptive && !adaptive.frozen && !adaptive.advises ? `${rangeOf(adaptive)}, now ` : '';
  return [
    keys !== null && ['total', adapts + (total === null ? 'no bound' : count(total)), 'the program'],
    per !== null && ['per', duration(per), SOURCES.attribute],
    ramp !== null && ['ramp', duration(ramp), SOURCES.attribute],
    ['order', orders[order] ?? order, SOURCES.attribute],
    early && ['early', 'refused at once if the wait would be too long', SOURCES.attribute],
    ['scope', scopes[scope] ?? scope, SOURCES.attribute],
  ].filter(Boolean);
}

function settingInWords(name, value) {
  if (value === null) return name === 'claim_within' ? 'never' : 'no bound';
  if (typeof value === 'object') return duration(seconds(value));
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : count(value);
}

export function startDetail() {
  detail.charts = makeCharts();
  byId('close').addEventListener('click', close);
}
