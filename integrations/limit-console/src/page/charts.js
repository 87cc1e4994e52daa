// Charts of a limiter's last ten minutes, one above the other. They share the time axis and the crosshair.

import { attribute, byId, html, say, show, svg } from './elements.js';
import { REASONS, age, clock, count, duration, rate, three, words } from './format.js';
import { WINDOW } from './history.js';
import { known } from './known.js';
import { author, inWords } from './log.js';
import { scaleOf } from './scale.js';

/** A series with `bound` is drawn as far as it fits, and does not make the axis longer. */
const CHARTS = [
  { title: 'In use', unit: 'permits', format: count, series: [
    { id: 'in_use', label: 'in use', style: 'area', of: history => history.in_use },
    { id: 'capacity', label: 'limit', style: 'dashed', bound: true, of: history => history.capacity } ] },
  { title: 'Waiting', unit: 'calls', format: count, series: [
    { id: 'waiting', label: 'waiting', style: 'area', of: history => history.waiting } ] },
  { title: 'Admitted', unit: 'calls a second', format: rate, series: [
    { id: 'admitted', label: 'admitted', style: 'area', of: history => history.admitted } ] },
  { title: 'Refused', unit: 'calls a second', format: rate, series: REASONS.map(reason => (
    { id: reason, label: words(reason), style: 'stack', of: history => history.rejected[reason] })) },
  { title: 'Waits', unit: 'lately', format: duration, series: [
    { id: 'p50', label: 'p50', style: 'line', of: history => history.p50 },
    { id: 'p99', label: 'p99', style: 'line', of: history => history.p99 } ] },
];
const EDGE = { left: 56, right: 10, top: 9, bottom: 3, height: 84 };
const AXIS = 18; // px of the time axis
const NEAR = 5; // px from which the crosshair is at a mark

/** The spans of the time axis. A short history is drawn over a minute, so that a program just started has charts too. */
const SPANS = [[60_000, 'minute'], [120_000, 'two minutes'], [300_000, 'five minutes'], [WINDOW, 'ten minutes']];
const spanOf = time => SPANS.find(([span]) => span >= time.at(-1) - time[0]) ?? SPANS.at(-1);

class Chart {
  constructor(spec, stack) {
    Object.assign(this, { spec, stack });
    this.drawing = svg('svg', { 'aria-hidden': 'true' });
    // A screen reader sees a slider: the arrow keys go through time, and each value is read out.
    this.plot = html('div', { class: 'plot', tabindex: '0', role: 'slider', 'aria-orientation': 'horizontal' }, this.drawing);
    this.note = html('span', { class: 'chart-note' });
    this.legend = html('ul', { class: 'legend' });
    this.items = spec.series.map(series => {
      const value = html('b');
      const look = html('i', { class: series.style === 'dashed' ? 'dashed' : null });
      const label = html('span');
      const item = html('li', { class: series.id }, look, label, value);
      this.legend.append(item);
      return { item, label, value };
    });
    const caption = html('figcaption', {}, html('b', {}, spec.title), html('small', {}, spec.unit), this.legend, this.note);
    this.figure = html('figure', {}, caption, this.plot);
    this.plot.addEventListener('pointermove', event => stack.point(event.clientX - this.plot.getBoundingClientRect().left));
    this.plot.addEventListener('pointerleave', () => stack.read(null));
    this.plot.addEventListener('blur', () => stack.read(null));
    this.plot.addEventListener('keydown', event => stack.step(event));
  }

  draw() {
    const { history, width, marks, x } = this.stack;
    const { time } = history;
    const { series, format, title } = this.spec;
    const values = series.map(each => each.of(history));
    const isEmpty = values.every((list, at) => series[at].bound || list.every(value => !value));
    this.figure.classList.toggle('none', isEmpty);
    show(this.plot, !isEmpty);
    show(this.legend, !isEmpty);
    if (isEmpty) {
      // Each tick is about the time since the one before.
      return say(this.note, `none in ${age((time.at(-1) - time[0]) / 1000 + known.interval)}`);
    }
    // A reason that nobody was refused for needs no word, and neither do keys without a limit together.
    this.items.forEach(({ label }, at) => say(label, `${this.labelOf(series[at])} `));
    this.items.forEach(({ item }, at) => show(item, values[at].some(value => (series[at].style === 'stack' ? value > 0 : value !== null))));

    const stacked = series[0].style === 'stack';
    const sums = stacked ? time.map((_, at) => values.reduce((all, each) => all + each[at], 0)) : null;
    const heights = sums === null ? values.filter((_, at) => !series[at].bound) : [sums];
    const bounds = values.filter((_, at) => series[at].bound).flat();
    const { top, stride, most, cut, outside } = scaleOf(heights, bounds, format === count);
    const y = value => (EDGE.top + (EDGE.height - EDGE.top - EDGE.bottom) * (1 - Math.min(value / top, 1))).toFixed(1);
    const peak = cut ? time[heights.find(list => list.includes(most)).indexOf(most)] : null;
    say(this.note, [cut && `cut at ${format(top)}, peak ${format(most)} at ${clock(peak)}`,
      outside !== null && `the limit, ${format(outside)}, is above`].filter(Boolean).join('; '));

    const nodes = [];
    for (let value = 0; value <= top * 1.001; value += stride) {
      nodes.push(svg('line', { class: 'grid', x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value) }),
        svg('text', { x: EDGE.left - 6, y: Number(y(value)) + 4, 'text-anchor': 'end' }, value === 0 ? '0' : format(value)));
    }
    let floor = time.map(() => 0);
    series.forEach(({ id, style, bound }, at) => {
      const upper = stacked ? values[at].map((value, tick) => value + floor[tick]) : values[at];
      const lower = floor;
      const group = svg('g', { class: id });
      // A limit above the axis is told in words.
      const visible = bound ? upper.map(value => (value > top ? null : value)) : upper;
      for (const run of runs(time, visible)) {
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
    for (const at of cut ? heights.flatMap(list => beginnings(list, top)) : []) {
      nodes.push(svg('path', { class: 'cut', d: `M${x(time[at])} ${EDGE.top - 8}l4 6h-8z` }));
    }
    for (const { time } of marks) {
      nodes.push(svg('line', { class: 'mark', x1: x(time), x2: x(time), y1: EDGE.top, y2: EDGE.height - EDGE.bottom }));
    }
    this.cursor = svg('line', { class: 'cursor', y1: EDGE.top, y2: EDGE.height - EDGE.bottom, visibility: 'hidden' });
    this.drawing.replaceChildren(...nodes, this.cursor);
    const now = this.inWords(time.length - 1);
    attribute(this.plot, 'aria-label',
      `${title}, up to ten minutes. Now: ${now}; most ${format(most)}. The arrow keys read earlier values`);
  }

  labelOf({ label, bound }) { return bound && this.stack.keyed ? 'limit of all keys' : label; }

  value(series, at) {
    const value = this.spec.series[series].of(this.stack.history)[at];
    return value === null || value === undefined ? '–' : this.spec.format(value);
  }

  inWords(at) {
    const shown = [...this.spec.series.keys()].filter(series => !this.items[series].item.hidden);
    return shown.map(series => `${this.labelOf(this.spec.series[series])} ${this.value(series, at)}`).join(', ');
  }

  /** Shows the values of a tick. */
  read(at, isReading) {
    if (this.plot.hidden) return;
    const { time } = this.stack.history;
    this.items.forEach(({ value }, series) => say(value, this.value(series, at)));
    attribute(this.plot, 'aria-valuemin', '0');
    attribute(this.plot, 'aria-valuemax', String(time.length - 1));
    attribute(this.plot, 'aria-valuenow', String(at));
    // The value that is read out changes only when the reader moves.
    if (isReading || !this.plot.hasAttribute('aria-valuetext')) {
      attribute(this.plot, 'aria-valuetext', `${clock(time[at])}: ${this.inWords(at)}`);
    }
    const place = this.stack.x(time[at]);
    attribute(this.cursor, 'visibility', isReading && place >= EDGE.left ? 'visible' : 'hidden');
    attribute(this.cursor, 'x1', place);
    attribute(this.cursor, 'x2', place);
  }
}

/** The charts, with what they share: the history, the changes, the time axis and the crosshair. */
class Stack {
  constructor() {
    // `at` is the time of the crosshair; null if there is none.
    Object.assign(this, { history: null, marks: [], at: null, width: 480, begun: 0, span: WINDOW, keyed: false });
    this.charts = CHARTS.map(spec => new Chart(spec, this));
    this.axis = svg('svg', { class: 'axis', 'aria-hidden': 'true' });
    byId('charts').append(...this.charts.map(chart => chart.figure), this.axis);
    new ResizeObserver(([{ contentRect }]) => {
      this.width = Math.max(contentRect.width, 160);
      this.redraw();
    }).observe(this.axis);
  }

  /** Returns the place of a time, in px from the left. */
  x = ms => Number((EDGE.left + (this.width - EDGE.left - EDGE.right) * (ms - this.begun) / this.span).toFixed(1));

  /** Draws another history, with a mark for each change, and for a restart. `keyed` tells that the limit is that of all keys. */
  draw(history, changes, keyed) {
    Object.assign(this, { history, changes, keyed });
    this.redraw();
  }

  /** Removes everything, for another limiter. */
  clear() {
    this.at = null;
    this.history = null;
    say(byId('moment'), '');
  }

  redraw() {
    const time = this.history?.time ?? [];
    if (time.length === 0) return;
    const [span, words] = spanOf(time);
    this.span = span;
    this.begun = time.at(-1) - span;
    say(byId('charts-title'), `The last ${words}`);
    const marks = this.changes.map(change => ({ time: change.time, words: `${inWords(change)}, by ${author(change)}` }));
    if (known.restart !== null && !known.restart.other) marks.push({ time: known.restart.time, words: 'restarted' });
    this.marks = marks.filter(mark => mark.time >= this.begun && mark.time <= time.at(-1)).sort((a, b) => a.time - b.time);
    for (const chart of this.charts) chart.draw();
    show(this.axis, this.charts.some(chart => !chart.plot.hidden));
    this.drawAxis();
    this.read(this.at);
  }

  drawAxis() {
    const nodes = [];
    const parts = this.width < 420 ? 2 : this.span === 120_000 || this.span === 60_000 ? 4 : 5;
    for (let part = 0; part <= parts; part += 1) {
      const ago = this.span * (1 - part / parts) / 1000;
      const words = ago === 0 ? 'now' : this.span <= 120_000 ? `−${three.format(ago)} s` : `−${three.format(ago / 60)} min`;
      const anchor = part === 0 ? 'start' : part === parts ? 'end' : 'middle';
      nodes.push(svg('text', { x: this.x(this.begun + this.span * part / parts), y: AXIS - 5, 'text-anchor': anchor }, words));
    }
    this.axis.replaceChildren(...nodes);
  }

  /** Moves the crosshair to a time, in all charts. Without one they show the last tick. */
  read(time) {
    this.at = time;
    const times = this.history?.time ?? [];
    if (times.length === 0) return;
    const after = time === null ? -1 : times.findIndex(each => each >= time);
    const at = after === -1 ? times.length - 1 : after;
    for (const chart of this.charts) chart.read(at, time !== null);
    // The arrow keys go from tick to tick: each mark is at the tick next to it too.
    const near = this.marks.filter(mark => Math.abs(this.x(mark.time) - this.x(times[at])) <= NEAR || nearest(times, mark.time) === at);
    // A limiter that is new has charts that are empty at first.
    const isNew = times[0] > this.begun + 3000 * known.interval;
    const begun = isNew ? `first seen at ${clock(times[0])}` : '';
    say(byId('moment'), time === null ? begun : [`at ${clock(times[at])}`, ...near.map(mark => mark.words)].join(' · '));
  }

  point(x) {
    if (!this.history?.time.length) return;
    this.read(this.begun + this.span * (x - EDGE.left) / (this.width - EDGE.left - EDGE.right));
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

/** Returns the position of the tick next to a time. */
const nearest = (times, time) => times.reduce((best, each, at) => (Math.abs(each - time) < Math.abs(times[best] - time) ? at : best), 0);

/** Lists the positions at which values begin to be above the axis. */
const beginnings = (values, top) => [...values.keys()].filter(at => values[at] > top && !(values[at - 1] > top));

/** Makes the charts, and returns them. */
export const makeCharts = () => new Stack();
