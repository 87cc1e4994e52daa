// Charts of a limiter's last ten minutes.

import { attribute, byId, html, say, svg } from './elements.js';
import { REASONS, clock, count, duration, rate, three, words } from './format.js';
import { WINDOW } from './history.js';
import { known } from './known.js';

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

/** Makes the charts, and returns them. */
export function makeCharts() {
  const charts = CHARTS.map(spec => new Chart(spec));
  byId('charts').append(...charts.map(chart => chart.figure));
  return charts;
}
