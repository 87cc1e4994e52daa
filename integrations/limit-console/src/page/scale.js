// The axis of a chart.

const MANY = 4; // times the usual from which a value is a spike, and a limit is far away
const USUAL = 0.95; // of the values are no spikes
const NOW = 10; // ticks: what is so high now is no spike, but how it is

/** Returns the least round number that is at least this one; a whole number, if it has to be. */
function round(value, whole) {
  const power = 10 ** Math.floor(Math.log10(value));
  const steps = [1, 1.5, 2, 2.5, 3, 4, 5, 7.5].filter(step => !whole || Number.isInteger(step * power));
  return power * (steps.find(step => step * power >= value * (1 - 1e-9)) ?? 10);
}

/**
 * Returns the axis for lists of values: its `top`, the `stride` from line to line, the greatest value (`most`), and whether
 * the axis is `cut`: a few spikes do not make all other values flat. `outside` is the greatest bound that is far above.
 */
export function scaleOf(lists, bounds, whole) {
  const heights = lists.flat().filter(value => value > 0).sort((a, b) => a - b);
  const most = heights.at(-1) ?? 0;
  const usual = heights[Math.ceil(USUAL * (heights.length - 1))] ?? 0;
  const latest = Math.max(...lists.flatMap(list => list.slice(-NOW)));
  const cut = most > MANY * usual && latest <= 2 * usual;
  const used = cut ? 2 * usual : most;
  const inside = bounds.filter(bound => bound !== null && bound <= MANY * used);
  const outside = bounds.filter(bound => bound > MANY * used);
  const wanted = Math.max(used, ...inside) || 1;
  const stride = Math.max(round(wanted / 2, whole), whole ? 1 : 0);
  const top = Math.max(Math.ceil(wanted / stride - 1e-9), 1) * stride;
  return { top, stride, most, cut, outside: outside.length > 0 ? Math.max(...outside) : null };
}
