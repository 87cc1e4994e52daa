// The live page of the console: a table of all limiters, kept up to date by a stream, and one limiter
// in detail. There is no library and no build step. The page shows all data of the program as text, never
// as markup; its own policy forbids anything else.

const PAGE = 200; // rows that are drawn at first, and with each "Show more"
const WINDOW = 600_000; // of history, in ms
const SPARK = 60; // ticks
const HOLD = 5_000; // ms for which the order of rows stays after the pointer has moved in the table
const RETRY = 2_000; // ms until the page tries a stream again that the browser gave up; doubled each time
const LONGEST = 30_000; // ms until the page tries again at most
const EVENTS = 100; // that are kept in view
const MEMBERS = 200; // processes of a fleet that are listed at most

const REASONS = ['no_permits', 'queue_full', 'timed_out', 'too_heavy', 'closed', 'evicted', 'unavailable',
  'deadlock'];
const SOURCES = { attribute: 'the code', file: 'a file', environment: 'the environment', live: 'live' };

// --- Elements ---------------------------------------------------------------------------------

/** The address of a part of the API, which lies beside this script: the page's own address may lack the slash at its end. */
const api = path => new URL(`api/${path}`, import.meta.url).href;

const byId = id => document.getElementById(id);

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
const html = (tag, attributes = {}, ...children) => build(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) =>
  build(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

/** Sets text, an attribute or a class only where it differs: most of a page stays the same from tick to tick. */
function say(node, text) { if (node.textContent !== text) node.textContent = text; }
function attribute(node, name, value) { if (node.getAttribute(name) !== value) node.setAttribute(name, value); }
function show(node, shown) { if (node.hidden === shown) node.hidden = !shown; }

/** Splits the path of a name or a file, so that a line can break after each `::` or slash. */
function breakable(path) {
  return path.split(/(?<=::|\/)/).flatMap((part, at) => (at === 0 ? [part] : [html('wbr'), part]));
}

// --- Figures in words --------------------------------------------------------------------------

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });
const three = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

const count = n => (n < 100_000 ? whole : compact).format(n);
const hundredths = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });
const rate = n => (n > 0 && n < 0.01 ? '<0.01' : (n < 10 ? hundredths : n < 1000 ? three : compact).format(n));
const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** Formats a time span, given in seconds, with three digits at most. */
function duration(seconds) {
  if (seconds === null || seconds === undefined) return '–';
  if (seconds < 0.000_999_5) return `${three.format(seconds * 1e6)} µs`;
  if (seconds < 0.999_5) return `${three.format(seconds * 1e3)} ms`;
  if (seconds < 100) return `${three.format(seconds)} s`;
  const all = Math.round(seconds);
  if (all < 3600) return `${Math.floor(all / 60)} min ${all % 60} s`;
  return `${Math.floor(all / 3600)} h ${Math.floor(all / 60) % 60} min`;
}
const seconds = ({ secs, nanos }) => secs + nanos / 1e9;

/** Says the name of a setting, an event or a refusal in words. */
const words = name => name.replaceAll('_', ' ');

function clock(ms) {
  const date = new Date(ms);
  const time = date.toLocaleTimeString('en-GB');
  return date.toDateString() === new Date().toDateString() ? time : `${date.toLocaleDateString('en-CA')} ${time}`;
}

const sum = values => Object.values(values).reduce((all, value) => all + value, 0);
const refusedOf = row => sum(row.rejected);

/** The number of all permits; with keys, of the permits of keys that are in use. */
const capacityOf = row => row.capacity ?? row.limit * Math.max(row.keys ?? 0, 1);
const loadOf = row => (row.in_use === 0 ? 0 : row.in_use / Math.max(capacityOf(row), 0.5));

function usage(row) {
  if (row.keys === 0) return `${count(row.in_use)} / ${count(row.limit)} a key`;
  if (row.keys !== null) return `${count(row.in_use)} / ${count(row.limit)} × ${plural(row.keys, 'key')}`;
  return `${count(row.in_use)} / ${count(row.capacity ?? row.limit)}`;
}

function usageInWords(row) {
  if (row.keys !== null) {
    return `${plural(row.in_use, 'permit')} in use by ${plural(row.keys, 'key')}, at most ${count(row.limit)} for each`;
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
  const of = fleet.keys === null ? '' : ` in ${plural(fleet.keys, 'key')}`;
  return `fleet ${count(fleet.in_use)} / ${count(fleet.limit)}${of}`;
}

function fleetInWords({ scope, fleet }) {
  if (scope !== 'fleet') return '';
  if (fleet === null) return 'no fleet was started: the limit holds for this process alone';
  if (fleet.nodes === 0) return 'nothing heard of the fleet yet';
  const of = fleet.keys === null ? '' : `, of ${plural(fleet.keys, 'key')} together`;
  const all = `over the fleet ${count(fleet.in_use)} of ${plural(fleet.limit, 'permit')} in use${of}`;
  return `${all}, by ${plural(fleet.nodes, 'process', 'processes')}`;
}

function reasonsInWords(rejected) {
  const given = REASONS.filter(reason => rejected[reason] > 0);
  return given.map(reason => `${words(reason)}\u00a0${rate(rejected[reason])}`).join(', ');
}

/** Lists the unusual states of a limiter: a text, a class that makes it stand out, and its meaning. The worst comes first. */
function badgesOf(row) {
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

function badgeNodes(row) {
  return badgesOf(row).map(([text, look, title]) => html('span', { class: `badge ${look}`.trim(), title }, text));
}

// --- State -----------------------------------------------------------------------------

/** The program as it was at the last tick. */
const known = { rows: new Map(), tick: 0, time: 0, interval: 1, writable: false, filled: false };

/**
 * The state of the stream: when it was opened and when it was last heard (by this machine's clock), whether it was heard
 * since the page is shown, and the server's words if it refused.
 */
const stream = { source: null, retry: null, tries: 0, begun: 0, heard: 0, fresh: false, lost: false, refusal: '' };

/** The reader's choices for the table. */
const view = { sort: 'lost', descending: true, filter: '', shown: PAGE, pointed: 0, order: [] };

function fill({ tick, time, interval, writable, limiters }) {
  Object.assign(known, { tick, time, interval, writable, filled: true });
  known.rows = new Map(limiters.map(row => [row.name, { ...row, spark: row.spark ?? [] }]));
}

/** Takes the rows that have changed. The sparklines of the other rows go on too. */
function merge({ tick, time, limiters, removed }) {
  Object.assign(known, { tick, time });
  for (const row of limiters) known.rows.set(row.name, { ...row, spark: known.rows.get(row.name)?.spark ?? [] });
  for (const name of removed) known.rows.delete(name);
  for (const row of known.rows.values()) {
    row.spark.push(row.in_use);
    if (row.spark.length > SPARK) row.spark.shift();
  }
}

/** Asks the server. Throws the server's words if it refuses. */
async function ask(url, options = {}) {
  const answer = await fetch(url, { cache: 'no-store', ...options });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(body.error ?? `the server answered ${answer.status}`), { status: answer.status });
  return body;
}

/**
 * Opens the stream, in place of the one that is open. A page has one stream, and none while nobody sees it: over HTTP/1.1
 * a browser has six connections to a server, for all pages together. Six streams would cut it off from the service.
 */
function connect() {
  stream.source?.close();
  clearTimeout(stream.retry);
  stream.source = null;
  if (document.hidden) return;
  const source = new EventSource(api(detail.following ? `stream?events=${encodeURIComponent(detail.name)}` : 'stream'));
  stream.source = source;
  const hear = take => message => {
    take(JSON.parse(message.data));
    Object.assign(stream, { tries: 0, heard: Date.now(), fresh: true, lost: false, refusal: '' });
    draw();
    askDetail();
  };
  source.addEventListener('all', hear(all => { fill(all); detail.since = 0; }));
  source.addEventListener('changes', hear(merge));
  source.addEventListener('events', ({ data }) => takeEvents(JSON.parse(data)));
  source.addEventListener('gone', unfollowEvents);
  source.addEventListener('error', () => {
    stream.lost = true;
    drawTrouble();
    // While the browser tries again by itself, the page lets it. The browser gives up if the answer was no
    // stream, and an event source does not tell the answer: the page asks for it.
    if (source.readyState !== EventSource.CLOSED) return;
    whyNot().then(words => { if (stream.source === source) { stream.refusal = words; drawTrouble(); } });
    stream.retry = setTimeout(connect, Math.min(RETRY * 2 ** stream.tries, LONGEST));
    stream.tries += 1;
  });
}

/** Closes the stream, because nobody sees the page. A browser may keep the page, and show it again. */
function pause() {
  stream.source?.close();
  clearTimeout(stream.retry);
  Object.assign(stream, { source: null, fresh: false });
}

/** Opens the stream, because the page is seen, for the first time or again. Old figures are no trouble until it is heard. */
function resume() {
  Object.assign(stream, { begun: Date.now(), tries: 0 });
  if (detail.following && filled.get('events') === undefined) {
    showEvents([[clock(Date.now()), 'not followed until now, the page was hidden', '', '']]);
  }
  connect();
  drawTrouble();
}

/** Asks why the server refuses the stream. Returns its words, or none if it does not refuse. */
async function whyNot() {
  const stop = new AbortController();
  try {
    const answer = await fetch(api('stream'), { cache: 'no-store', signal: stop.signal });
    return answer.ok ? '' : (await answer.json()).error ?? '';
  } catch {
    return '';
  } finally {
    stop.abort();
  }
}

// --- The state of the connection -------------------------------------------------------------------

/** The age of the figures in seconds; before the first figures, how long the page has waited for them. */
const age = () => (Date.now() - (stream.heard || stream.begun)) / 1000;
/** Returns whether the page has heard nothing for too long. */
const isSilent = () => (Date.now() - Math.max(stream.heard, stream.begun)) / 1000 > 3 * known.interval;
const isStale = () => stream.lost || !stream.fresh || isSilent();

function drawTrouble() {
  if (document.hidden) return;
  const waited = age();
  const shown = stream.lost || isSilent();
  show(byId('trouble'), shown);
  if (shown) {
    const words = stream.refusal ? `The server refuses: ${stream.refusal}`
      : stream.lost ? 'Connection lost.' : known.filled ? 'Nothing heard from the program.' : 'No answer yet.';
    say(byId('trouble-words'), words);
    const time = duration(Math.round(waited));
    say(byId('trouble-age'), `${known.filled ? `The figures are ${time} old.` : `Waited for ${time}.`} Trying again.`);
  } else {
    say(byId('trouble-words'), '');
  }
  document.body.classList.toggle('stale', known.filled && isStale());
  document.body.classList.toggle('loading', !known.filled);
  const locked = !known.writable || isStale();
  if (byId('controls').disabled !== locked) byId('controls').disabled = locked;
}

// --- The table ---------------------------------------------------------------------------------

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
      tr.classList.toggle('open', row.name === detail.name);
      attribute(link, 'aria-current', String(row.name === detail.name));
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

/** Draws everything before the next frame, once, however often it is called. */
let asked = false;
function draw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    drawTrouble();
    if (!known.filled) return;
    drawSums();
    drawTable();
    drawKnob();
  });
}

// --- Charts ----------------------------------------------------------------------------------------

const CHARTS = [
  { title: 'In use, against the limit', unit: 'permits', format: count, series: [
    { id: 'in_use', label: 'in use', style: 'area', of: history => history.in_use },
    { id: 'capacity', label: 'limit', style: 'dashed', of: history => history.capacity } ] },
  { title: 'Waiting', unit: 'calls', format: count, series: [
    { id: 'waiting', label: 'waiting', style: 'area', of: history => history.waiting } ] },
  { title: 'How long they waited', unit: '', format: duration, series: [
    { id: 'p50', label: 'p50', style: 'line', of: history => history.p50 },
    { id: 'p99', label: 'p99', style: 'line', of: history => history.p99 } ] },
  { title: 'Refused each second', unit: 'calls a second', format: rate, series: REASONS.map(reason => (
    { id: reason, label: words(reason), style: 'stack', of: history => history.rejected[reason] })) },
];
const EDGE = { left: 52, right: 8, top: 8, bottom: 20, height: 150 };

/** Returns the least round number (1, 2 or 5, and zeros) that is at least this one. */
function round(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5].find(step => step * power >= value * (1 - 1e-9)) ?? 10);
}

class Chart {
  constructor(spec) {
    Object.assign(this, { spec, history: null, at: null, width: 480 });
    this.legend = html('ul', { class: 'legend' });
    this.drawing = svg('svg', { 'aria-hidden': 'true' });
    // A screen reader sees a slider: the arrow keys go through time, and each value is read out.
    this.plot = html('div', { class: 'plot', tabindex: '0', role: 'slider', 'aria-orientation': 'horizontal' }, this.drawing);
    const caption = html('figcaption', {}, `${spec.title} `, html('small', {}, spec.unit));
    this.figure = html('figure', { class: 'card' }, caption, this.legend, this.plot);
    this.values = spec.series.map(series => {
      const [name, value] = [html('span', {}, `${series.label} `), html('b')];
      this.legend.append(html('li', { class: series.id }, html('i', { class: series.style === 'dashed' ? 'dashed' : null }), name, value));
      return value;
    });
    this.when = html('li');
    this.legend.append(this.when);
    this.plot.addEventListener('pointermove', event => this.point(event.clientX - this.plot.getBoundingClientRect().left));
    this.plot.addEventListener('pointerleave', () => this.read(null));
    this.plot.addEventListener('blur', () => this.read(null));
    this.plot.addEventListener('keydown', event => this.step(event));
    new ResizeObserver(([{ contentRect }]) => {
      this.width = Math.max(contentRect.width, 120);
      this.draw(this.history);
    }).observe(this.plot);
  }

  draw(history) {
    this.history = history;
    const { series, format } = this.spec;
    if (!history?.time.length) return this.drawing.replaceChildren();
    const { time } = history;
    const values = series.map(each => each.of(history));
    const stacked = series[0].style === 'stack';
    // Short histories are drawn over a minute, so that a program just started has a chart too.
    const span = [60_000, 120_000, 300_000].find(span => span >= time.at(-1) - time[0]) ?? WINDOW;
    const [from, across, down] = [time.at(-1) - span, this.width - EDGE.left - EDGE.right, EDGE.height - EDGE.top - EDGE.bottom];
    const heights = stacked ? time.map((_, at) => values.reduce((all, each) => all + each[at], 0)) : values.flat();
    const most = heights.reduce((most, value) => Math.max(most, value ?? 0), 0);
    const whole = format === count;
    const stride = Math.max(round((most || 1) / 4), whole ? 1 : 0);
    const top = Math.max(Math.ceil((most || 1) / stride - 1e-9), 1) * stride;
    const x = ms => (EDGE.left + across * (ms - from) / span).toFixed(1);
    const y = value => (EDGE.top + down * (1 - value / top)).toFixed(1);
    this.scale = { from, span, across };

    const nodes = [];
    for (let value = 0; value <= top * 1.001; value += stride) {
      nodes.push(svg('line', { class: 'grid', x1: EDGE.left, x2: this.width - EDGE.right, y1: y(value), y2: y(value) }),
        svg('text', { x: EDGE.left - 6, y: Number(y(value)) + 4, 'text-anchor': 'end' }, value === 0 ? '0' : format(value)));
    }
    const parts = this.width < 420 ? 2 : 4;
    for (let part = 0; part <= parts; part += 1) {
      const ago = span * (1 - part / parts) / 1000;
      const words = ago === 0 ? 'now' : ago < 120 ? `−${three.format(ago)} s` : `−${three.format(ago / 60)} min`;
      const anchor = part === 0 ? 'start' : part === parts ? 'end' : 'middle';
      nodes.push(svg('text', { x: x(from + span * part / parts), y: EDGE.height - 5, 'text-anchor': anchor }, words));
    }
    let floor = time.map(() => 0);
    series.forEach(({ id, style }, at) => {
      const upper = stacked ? values[at].map((value, tick) => value + floor[tick]) : values[at];
      const lower = floor;
      const group = svg('g', { class: id });
      for (const run of runs(time, upper)) {
        // A limit holds until it is changed, so it is drawn in steps.
        const to = tick => (style === 'dashed' ? `H${x(time[tick])}V${y(upper[tick])}` : `L${x(time[tick])} ${y(upper[tick])}`);
        const [first, ...others] = run;
        // A single tick is a dot.
        const line = `M${x(time[first])} ${y(upper[first])}${others.map(to).join('') || 'h.01'}`;
        if (style === 'area') group.append(svg('path', { class: 'area', d: `${line}V${y(0)}H${x(time[first])}Z` }));
        if (style !== 'stack') {
          group.append(svg('path', { class: style === 'dashed' ? 'stroke dashed' : 'stroke', d: line }));
        } else if (run.some(tick => values[at][tick] > 0)) {
          const back = run.toReversed().map(tick => `L${x(time[tick])} ${y(lower[tick])}`);
          group.append(svg('path', { class: 'stack', d: `${line}${back.join('')}Z` }));
        }
      }
      if (stacked) floor = upper;
      nodes.push(group);
    });
    this.cursor = svg('line', { class: 'cursor', y1: EDGE.top, y2: EDGE.height - EDGE.bottom, visibility: 'hidden' });
    this.drawing.replaceChildren(...nodes, this.cursor);
    const now = series.map(({ label }, at) => `${label} ${this.value(at, time.length - 1)}`).join(', ');
    attribute(this.plot, 'aria-label',
      `${this.spec.title}, up to ten minutes. Now: ${now}; most ${format(most)}. The arrow keys read earlier values`);
    this.read(this.at);
  }

  value(series, at) {
    const value = this.spec.series[series].of(this.history)[at];
    return value === null || value === undefined ? '–' : this.spec.format(value);
  }

  /** Shows the values at a time in the legend; those of the last tick without one. */
  read(time) {
    this.at = time;
    const times = this.history?.time ?? [];
    if (times.length === 0) return;
    const after = time === null ? -1 : times.findIndex(each => each >= time);
    const at = after === -1 ? times.length - 1 : after;
    const words = this.spec.series.map(({ label }, series) => {
      say(this.values[series], this.value(series, at));
      return `${label} ${this.value(series, at)}`;
    });
    say(this.when, time === null ? '' : `at ${clock(times[at])}`);
    attribute(this.plot, 'aria-valuemin', '0');
    attribute(this.plot, 'aria-valuemax', String(times.length - 1));
    attribute(this.plot, 'aria-valuenow', String(at));
    // The value that is read out changes only when the reader moves.
    if (time !== null || !this.plot.hasAttribute('aria-valuetext')) {
      attribute(this.plot, 'aria-valuetext', `${clock(times[at])}: ${words.join(', ')}`);
    }
    const place = EDGE.left + this.scale.across * (times[at] - this.scale.from) / this.scale.span;
    attribute(this.cursor, 'visibility', time === null || place < EDGE.left ? 'hidden' : 'visible');
    attribute(this.cursor, 'x1', place.toFixed(1));
    attribute(this.cursor, 'x2', place.toFixed(1));
  }

  point(x) {
    if (this.history?.time.length) this.read(this.scale.from + this.scale.span * (x - EDGE.left) / this.scale.across);
  }

  step(event) {
    const times = this.history?.time ?? [];
    const found = this.at === null ? -1 : times.findIndex(each => each >= this.at);
    const at = found === -1 ? times.length - 1 : found;
    const jump = {
      ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -30, PageUp: 30, Home: -Infinity, End: Infinity,
    }[event.key];
    if (jump === undefined || times.length === 0) return;
    event.preventDefault();
    this.read(times[Math.min(Math.max(at + jump, 0), times.length - 1)]);
  }
}

/** Splits a history into lists of positions with a value at each tick. A line must not bridge a time that nobody saw. */
function runs(time, values) {
  const found = [];
  values.forEach((value, at) => {
    if (value === null || value === undefined) return;
    const joined = at > 0 && (values[at - 1] ?? null) !== null && time[at] - time[at - 1] <= 3500 * known.interval;
    if (joined) found.at(-1).push(at);
    else found.push([at]);
  });
  return found;
}

// --- One limiter -----------------------------------------------------------------------------------

const noHistory = () => ({ time: [], in_use: [], capacity: [], waiting: [], p50: [], p99: [], admitted: [],
  rejected: Object.fromEntries(REASONS.map(reason => [reason, []])) });

const detail = { name: null, since: 0, asking: null, history: noHistory(), following: false, edited: false, scrolled: 0, charts: [] };

const hashOf = name => `#name=${encodeURIComponent(name)}`;

/** Opens the limiter that the address names, or closes. `moved` is false when the page has only just been loaded. */
function follow(moved) {
  const name = new URLSearchParams(location.hash.slice(1)).get('name');
  if (name === detail.name) return;
  const before = detail.name;
  if (before === null) detail.scrolled = window.scrollY;
  detail.asking?.abort();
  unfollowEvents();
  Object.assign(detail, { name, since: 0, asking: null, history: noHistory(), edited: false });
  for (const chart of detail.charts) { chart.at = null; chart.draw(null); }
  document.body.classList.toggle('open', name !== null);
  show(byId('detail'), name !== null);
  document.title = name === null ? 'Limits' : `${name} · Limits`;
  if (name !== null) {
    byId('detail-name').replaceChildren(...breakable(name));
    for (const id of ['detail-about', 'said', 'refused', 'detail-trouble']) say(byId(id), '');
    show(byId('detail-trouble'), false);
    show(byId('detail-warnings'), false);
    show(byId('detail-body'), false);
    byId('limit').value = '';
    if (moved) byId('detail-name').focus({ preventScroll: true });
    if (matchMedia('(max-width: 1199.98px)').matches) window.scrollTo(0, 0);
    byId('detail').scrollTop = 0;
    askDetail();
  } else if (moved) {
    window.scrollTo(0, detail.scrolled);
    (drawn.get(before)?.link ?? byId('filter')).focus({ preventScroll: true });
  }
  draw();
}

function close() {
  history.pushState(null, '', location.pathname + location.search);
  follow(true);
}

/** Asks for the history since the last answer. Waits for a slow answer before it asks again. */
async function askDetail() {
  if (detail.name === null || detail.asking) return;
  const asking = new AbortController();
  detail.asking = asking;
  try {
    const answer = await ask(api(`limiter?name=${encodeURIComponent(detail.name)}&since=${detail.since}`), { signal: asking.signal });
    takeDetail(answer);
    show(byId('detail-trouble'), false);
  } catch (error) {
    // The banner above everything says that the connection is lost. The server's own words stand here.
    if (detail.asking === asking && error.status) {
      say(byId('detail-trouble'), error.message);
      show(byId('detail-trouble'), true);
      if (error.status === 404) show(byId('detail-body'), false);
    }
  } finally {
    if (detail.asking === asking) detail.asking = null;
  }
}

function takeDetail(answer) {
  if (detail.since === 0) detail.history = noHistory();
  detail.since = answer.tick;
  append(detail.history, answer.history);
  const old = detail.history.time.findIndex(time => time > answer.time - WINDOW);
  if (old > 0) drop(detail.history, old);
  drawDetail(answer);
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

const tableRow = ([head, ...cells]) =>
  html('tr', {}, html('th', { scope: 'row' }, ...breakable(head)), ...cells.map(cell => html('td', {}, cell)));

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
const filled = new Map();

/** Fills a table's body, unless it has that content already. The first cell of a row is its head. */
function fillTable(id, rows, empty) {
  const wanted = JSON.stringify([rows, empty]);
  if (filled.get(id) === wanted) return;
  filled.set(id, wanted);
  const body = byId(id);
  const columns = body.parentElement.tHead.rows[0].cells.length;
  body.replaceChildren(...(rows.length > 0 ? rows.map(tableRow) : [html('tr', {}, html('td', { colspan: columns }, empty))]));
}

function drawDetail({ limiter, snapshot, changes, keys, holders, waiters, deadlocks }) {
  const { total, settings } = snapshot;
  show(byId('detail-body'), true);
  const scope = limiter.scope === 'process' ? 'one set of permits for the process'
    : limiter.scope === 'fleet' ? fleetInWords(limiter)
    : `permits for each runtime, ${plural(limiter.runtimes, 'runtime')} now`;
  byId('detail-about').replaceChildren(`${usageInWords(limiter)} · ${scope} `, html('span', { class: 'badges' }, ...badgeNodes(limiter)));
  show(byId('detail-warnings'), snapshot.warnings.length > 0);
  byId('detail-warnings').replaceChildren(...snapshot.warnings.map(words => html('li', {}, words)));
  fillDeadlocks(deadlocks ?? []);

  const facts = [
    ['In use', usage(limiter)], ['Waiting', count(limiter.waiting)],
    ['Most ever waiting', count(total.most_waiting)], ['Lost waiting', `${rate(limiter.lost)} s/s`],
    ['Admitted at once', count(total.admitted_at_once)], ['Admitted after waiting', count(total.admitted_after_waiting)],
    ['Refused', count(sum(total.rejected))], ['Gave up waiting', count(total.cancelled)],
  ];
  if (total.taken_back > 0) facts.push(['Grants taken back', count(total.taken_back)]);
  const { waited, rejected } = total.shadowed;
  if (limiter.shadow || waited + sum(rejected) > 0) {
    facts.push(['Would have waited', count(waited)], ['Would have been refused', count(sum(rejected))]);
  }
  byId('facts').replaceChildren(...facts.map(([name, value]) => html('div', {}, html('dt', {}, name), html('dd', {}, value))));

  for (const chart of detail.charts) chart.draw(detail.history);

  fillTable('changes', changes.map(({ time, setting, from, to, source, by }) =>
    [clock(time), words(setting), from, to, by ?? SOURCES[source] ?? source]), 'Nothing has been changed.');
  fillTable('settings', Object.entries(settings).map(([name, { value, source }]) =>
    [words(name), settingInWords(name, value), SOURCES[source] ?? source]), '');
  fillFleet(limiter, snapshot.fleet?.ledgers ?? []);
  const percentile = (wait, time) => duration(wait.count > 0 ? seconds(time) : null);
  fillTable('runtimes', snapshot.runtimes.map(({ runtime, figures: { in_use: used, limit, waiting, wait, ...counts } }) => [
    runtime === 0 ? 'the process' : String(runtime), `${count(used)} / ${count(limit)}`, count(waiting),
    count(counts.admitted_at_once + counts.admitted_after_waiting), count(sum(counts.rejected)),
    percentile(wait, wait.p50), percentile(wait, wait.p99),
  ]), 'No live runtime has used it.');
  fillTable('keys', keys.map(({ key, in_use: used, waiting }) => [key, count(used), count(waiting)]),
    limiter.keys === null ? 'It has no keys.' : 'No key is in use.');
  fillCalls('holders', holders, 'Nobody holds a permit.');
  fillCalls('waiters', waiters, 'Nobody waits.');
}

/** Shows what the ledgers said last, and who has which share. */
function fillFleet({ scope }, ledgers) {
  for (const id of ['fleet', 'shares']) show(byId(id), scope === 'fleet');
  const keyOf = ({ key }) => key ?? 'the limiter';
  // Without keys there is one ledger, and no need to say for what.
  const isWhole = ledgers.every(({ key }) => key === null);
  for (const id of ['fleet', 'shares']) byId(id).classList.toggle('whole', isWhole);
  fillTable('ledgers', ledgers.map(ledger => {
    const { granted, refused, failed } = ledger.renewals;
    const limit = ledger.nodes === 0 ? '–' : count(ledger.limit);
    // With a digit after the point, so that the columns stay where they are.
    const left = ledger.lease_left === null ? 'none' : `${seconds(ledger.lease_left).toFixed(1)} s`;
    return [keyOf(ledger), `${count(ledger.in_use)} / ${limit}`, count(ledger.share), count(ledger.nodes), count(ledger.queued), left,
      count(granted), count(refused), count(failed), duration(seconds(ledger.store_time)), ledger.learning ? 'learning' : 'gives out'];
  }), 'No fleet was started, or nobody has called yet.');

  const rows = ledgers.flatMap(ledger => {
    const members = ledger.members.toSorted((a, b) => b.here - a.here);
    const known = members.map(({ node, here, share, running, want }) =>
      [here ? `this process: ${node}` : node, keyOf(ledger), count(share), count(running), count(want)]);
    // The table has its height before the members are told.
    const unknown = Array(members.length > 0 ? 0 : ledger.nodes).fill(['not told yet', keyOf(ledger), '–', '–', '–']);
    return [...known, ...unknown];
  });
  const more = rows.length - MEMBERS;
  if (more > 0) rows.splice(MEMBERS, more, [`${count(more)} more`, '', '', '', '']);
  fillTable('members', rows, 'No process is known.');
  for (const row of byId('members').rows) row.classList.toggle('here', row.cells[0].textContent.startsWith('this process'));
}

function settingInWords(name, value) {
  if (value === null) return name === 'claim_within' ? 'never' : 'no bound';
  if (typeof value === 'object') return duration(seconds(value));
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : count(value);
}

function fillCalls(id, calls, none) {
  const rows = (calls ?? []).map(({ place, task, age, weight }) => [place, task ?? '–', count(weight), duration(age)]);
  fillTable(id, rows, calls === null ? 'Not recorded: feature `diagnostics`, and `diagnostics::record`.' : none);
}

// --- Its deadlocks ---------------------------------------------------------------------------------

/** Shows the calls that wait for each other. Only ages change from tick to tick, so that a reader can copy the rest. */
function fillDeadlocks(deadlocks) {
  show(byId('deadlock'), deadlocks.length > 0);
  const what = deadlocks.length === 1 ? 'Deadlock' : plural(deadlocks.length, 'deadlock');
  say(byId('deadlock-words'), deadlocks.length === 0 ? ''
    : `${what}: these calls wait for ever, unless one of them is cancelled or a limit is raised.`);
  const ages = [];
  const wanted = JSON.stringify([detail.name, deadlocks], (key, value) => (key === 'age' ? void ages.push(value) : value));
  if (filled.get('deadlocks') !== wanted) byId('deadlocks').replaceChildren(...deadlocks.flatMap(deadlockNodes));
  filled.set('deadlocks', wanted);
  // In the order of the answer.
  byId('deadlocks').querySelectorAll('.age').forEach((node, at) => say(node, duration(Math.round(ages[at]))));
}

const ageNode = () => html('span', { class: 'age' });

function deadlockNodes({ reentry, calls, more_calls: more, victims }) {
  const all = calls.length + more;
  const words = reentry ? 'A call waits for permits that its own task holds' : all === 1 ? 'A call waits for itself'
    : `${count(all)} calls wait for each other`;
  const rest = [more > 0 && `${count(more)} of them are not listed.`,
    victims > 0 && `${plural(victims, 'more call')} ${victims === 1 ? 'waits' : 'wait'} for these.`];
  return [html('p', {}, `${words}, for `, ageNode(), `. ${rest.filter(Boolean).join(' ')}`), html('ol', {}, ...calls.map(stuckNode))];
}

/** Shows a call that waits, and who holds what it waits for. */
function stuckNode({ limiter, key, holders, more_holders: more, behind, ...call }) {
  const name = breakable(limiter);
  const where = limiter === detail.name ? html('b', {}, ...name) : html('a', { href: hashOf(limiter) }, ...name);
  return html('li', {}, 'waits at ', where, ...(key === null ? [] : [', key ', html('b', {}, key)]), ': ', ...callNodes(call),
    ...holders.map(holder => html('div', {}, 'held by ', ...callNodes(holder))),
    ...(more > 0 ? [html('div', {}, `and by ${count(more)} more`)] : []),
    ...(behind === null ? [] : [html('div', {}, 'behind ', ...callNodes(behind))]));
}

function callNodes({ place, task, weight }) {
  const permits = weight === 1 ? '' : `, ${plural(weight, 'permit')}`;
  return [...breakable(place), `, ${task === null ? 'outside any task' : `task ${task}`}${permits}, for `, ageNode()];
}

// --- The knob --------------------------------------------------------------------------------------

const current = () => known.rows.get(detail.name);

/** Labels the buttons with what they do to the limiter as it is now. A number that was typed stays. */
function drawKnob() {
  const row = current();
  show(byId('read-only'), !known.writable);
  show(byId('controls'), known.writable);
  if (!row) return;
  const over = row.scope === 'fleet' ? 'over the fleet' : '';
  const each = row.keys !== null ? 'for each key' : row.scope === 'runtime' && row.runtimes > 1 ? 'for each runtime' : '';
  say(byId('limit-of'), [over, each].filter(Boolean).join(', '));
  if (!detail.edited && byId('limit').value !== String(row.limit)) byId('limit').value = row.limit;
  const button = (id, words, title) => { say(byId(id), words); attribute(byId(id), 'title', title); };
  if (row.paused) button('pause', 'Resume', 'Back to the limit it had');
  else button('pause', 'Pause', 'Limit 0: everybody waits until it is resumed');
  if (row.shadow) button('shadow', 'Shadow off', 'The limit holds again');
  else button('shadow', 'Shadow on', 'Admits every call, and only counts what it would have done');
  if (row.enabled) button('enabled', 'Switch off', 'The limit does not hold: every call is admitted');
  else button('enabled', 'Switch on', 'The limit holds again');
}

const inWords = ({ setting, from, to }) => `${words(setting)} was ${from}, is ${to}`;

async function change(what) {
  const { name } = detail;
  const token = byId('token').value.trim();
  say(byId('said'), '');
  say(byId('refused'), '');
  const refuse = (words, field) => { say(byId('refused'), words); field?.focus(); };
  if ('limit' in what && !byId('limit').validity.valid) return refuse('A limit is a whole number, 0 or more.', byId('limit'));
  if (token === '') return refuse('A change needs the token that the program was given.', byId('token'));
  if (!/^[\x20-\x7e]+$/.test(token)) return refuse('A token has no letters beyond ASCII.', byId('token'));
  const by = byId('by').value.trim();
  byId('knob').setAttribute('aria-busy', 'true');
  try {
    const answer = await ask(api('settings'), {
      method: 'POST',
      headers: { 'Authorization': `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ name, ...(by && { by }), ...what }),
    });
    known.rows.set(name, { ...answer.limiter, spark: known.rows.get(name)?.spark ?? [] });
    if (detail.name !== name) return;
    detail.edited = false;
    const { changes } = answer;
    say(byId('said'), changes.length > 0 ? `Done: ${changes.map(inWords).join('; ')}.` : 'Nothing to change: it is so already.');
    draw();
    askDetail();
  } catch (error) {
    if (detail.name !== name) return;
    if (error.status) refuse(`Not changed: ${error.message}`, error.status === 401 ? byId('token') : null);
    else refuse('No answer: whether it was changed is not known.');
  } finally {
    byId('knob').removeAttribute('aria-busy');
  }
}

/** Takes the token out of the address: a link may bring it, after the # that is sent to no server. */
function takeToken() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const token = hash.get('token');
  if (token === null) return;
  hash.delete('token');
  history.replaceState(null, '', hash.has('name') ? hashOf(hash.get('name')) : location.pathname + location.search);
  byId('token').value = token;
  try { sessionStorage.setItem('limits.token', token); } catch { /* not kept */ }
}

/** Keeps a typed text for this tab only, if the browser keeps anything. */
function remember(id) {
  const field = byId(id);
  try { field.value = sessionStorage.getItem(`limits.${id}`) ?? ''; } catch { /* not kept */ }
  field.addEventListener('input', () => { try { sessionStorage.setItem(`limits.${id}`, field.value); } catch { /* not kept */ } });
}

// --- Its events ------------------------------------------------------------------------------------

function unfollowEvents() {
  const { following } = detail;
  detail.following = false;
  byId('follow').checked = false;
  fillTable('events', [], 'Not followed.');
  if (following) connect();
}

function followEvents() {
  detail.following = true;
  fillTable('events', [], 'Nothing has happened yet.');
  connect();
}

function takeEvents({ time, events, missed }) {
  if (!detail.following || (events.length === 0 && missed === 0)) return;
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

// --- The reader's actions -------------------------------------------------------------------------

function listen() {
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
  document.addEventListener('keydown', event => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest?.('input');
    if (event.key === '/' && !typing) {
      event.preventDefault();
      if (detail.name !== null && byId('overview').offsetParent === null) close();
      byId('filter').focus();
      byId('filter').select();
    } else if (event.key === 'Escape' && typing?.id === 'filter' && typing.value !== '') {
      typing.value = '';
      typing.dispatchEvent(new Event('input'));
    } else if (event.key === 'Escape' && detail.name !== null) {
      close();
    }
  });
  window.addEventListener('hashchange', () => { takeToken(); follow(true); });
  window.addEventListener('popstate', () => follow(true));
  document.addEventListener('visibilitychange', () => (document.hidden ? pause() : resume()));
  // The browser may keep a page that the reader leaves, and show it again when the reader goes back.
  window.addEventListener('pagehide', pause);
  window.addEventListener('pageshow', event => { if (event.persisted) resume(); });
  on('close', 'click', close);

  const step = by => { byId('limit').value = Math.max(0, (Number(byId('limit').value) || 0) + by); detail.edited = true; };
  on('less', 'click', () => step(-1));
  on('greater', 'click', () => step(1));
  on('limit', 'input', () => { detail.edited = true; });
  on('knob', 'submit', event => { event.preventDefault(); change({ limit: Number(byId('limit').value) }); });
  on('pause', 'click', () => change({ paused: !current()?.paused }));
  on('shadow', 'click', () => change({ shadow: !current()?.shadow }));
  on('enabled', 'click', () => change({ enabled: !current()?.enabled }));
  on('reset', 'click', () => change({ reset: true }));
  on('follow', 'change', () => (byId('follow').checked ? followEvents() : unfollowEvents()));
  remember('token');
  remember('by');
  takeToken();
}

detail.charts = CHARTS.map(spec => new Chart(spec));
byId('charts').append(...detail.charts.map(chart => chart.figure));
for (const sized of document.querySelectorAll('.tables .card, .tables table, #deadlock, #deadlocks')) scrolling.observe(sized);
listen();
resume();
follow(false);
// The age counts up while nothing is heard: just then it matters.
setInterval(drawTrouble, 1000);
