// A limit that adapts, in words.

import { byId, html, say, show } from './elements.js';
import { SOURCES, age, clock, count, duration, words } from './format.js';

/** What the limit did for each reason of a change, and why. */
const CHANGES = {
  grow: ['grew', 'the backend can work on more calls at a time'],
  cut: ['was cut', 'calls waited for others behind the limiter'],
  overload: ['was cut', 'calls found the backend overloaded'],
  question: ['was halved for a moment', 'that shows how long a call takes that waits for no other'],
  answer: ['came back from a question', 'that took a moment'],
};

export const rangeOf = ({ low, high }) => `${count(low)}–${count(high)}`;

/** Says beside the limit how it adapts. Empty if it does not, or is held. */
export function adaptsInShort({ keys, adaptive }) {
  if (!adaptive || keys !== null || adaptive.frozen) return '';
  if (!adaptive.advises) return ` of ${rangeOf(adaptive)}`;
  return adaptive.advice === null ? '' : `, advice ${count(adaptive.advice)}`;
}

export function adaptsInWords({ keys, adaptive }) {
  if (!adaptive) return '';
  const { low, high, advises, advice, frozen } = adaptive;
  const what = keys === null ? 'the limit' : 'the limit of all keys together';
  const range = `between ${count(low)} and ${count(high)}`;
  if (frozen) return `${what} is held where it was set; it would adapt ${range}`;
  if (!advises) return `${what} adapts ${range}`;
  return `${what} stays; ${advice === null ? 'there is no advice yet' : `the advice, ${range}, is ${count(advice)}`}`;
}

/** Lists the unusual states of a limit that adapts, as badges. */
export function adaptiveBadges(row) {
  const { keys, adaptive } = row;
  const badges = [];
  if (adaptive?.held_off) badges.push(['held off', 'strong', 'The backend asked for a pause: new calls wait until it is over']);
  if (adaptive?.frozen && !row.paused) badges.push(['held', 'strong', 'The limit would adapt, but stays where it was set']);
  if (adaptive?.advises) badges.push(['advice', '', 'The limit stays, and the limiter says which one it would choose']);
  const what = keys === null ? 'its limit' : 'the limit of all keys';
  if (adaptive && !adaptive.frozen && !adaptive.advises) badges.push(['adapts', '', `The limiter chooses ${what} itself`]);
  return badges;
}

/** Says why the limit changed last. */
function lastChange({ last_change: last }, now) {
  if (last === null) return 'It has not changed yet.';
  const [what, why] = CHANGES[last.reason] ?? [`changed (${words(last.reason)})`, ''];
  const seconds = Math.max(now - last.time, 0) / 1000;
  // A minute later nobody can count back.
  const at = seconds < 60 ? '' : ` (${clock(last.time)})`;
  const ago = last.time === null ? '' : seconds < 1 ? ' just now' : ` ${age(seconds)} ago${at}`;
  return `It ${what}${ago}${why && `: ${why}`}.`;
}

function titleOf({ keys, adaptive: { frozen, advises, held_off: heldOff, limit } }) {
  const what = keys === null ? 'The limit' : 'The limit of all keys together';
  if (frozen) return `${what} is held at ${count(limit)}`;
  if (heldOff) return `${what} adapts, and new calls are held off`;
  return advises ? `${what} stays at ${count(limit)}, with advice` : `${what} adapts`;
}

function wordsOf({ keys, source, adaptive }, now) {
  if (!adaptive.frozen && !adaptive.advises) return lastChange(adaptive, now);
  if (!adaptive.frozen) return 'It makes no experiments, so its advice is less exact than a limit that adapts.';
  const by = keys === null ? SOURCES[source] ?? source : 'the program';
  return by === SOURCES.live ? 'It was set while running.' : `It was set by ${by}.`;
}

/** Shows how the limit adapts, of the limiter that is open. With `isLive` a setting was changed while it ran. */
export function fillAdaptive(row, { time: now, writable }, isLive) {
  const { adaptive } = row;
  show(byId('adaptive'), adaptive !== null);
  if (adaptive === null) return;
  say(byId('adaptive-title'), titleOf(row));
  say(byId('adaptive-words'), wordsOf(row, now));
  // A number in a file or in the environment can be taken back only there. A total comes back with all that is live, so
  // while there is more, Reset is the button that says so.
  const isBack = row.keys === null ? row.source === 'live' : !isLive;
  show(byId('adapt-again'), adaptive.frozen && isBack && writable);
  const { base_time: base, time, queue, advice, advises, favor, changes } = adaptive;
  const counted = Object.entries(changes).filter(([, times]) => times > 0);
  const facts = [
    ['Range', rangeOf(adaptive)],
    favor && ['Favors', favor],
    [advises || adaptive.frozen ? 'Limit' : 'Chosen limit', count(adaptive.limit)],
    advises && ['Advice', advice === null ? 'none yet' : count(advice)],
    ['Time of a call', duration(time)],
    ['At half of the limit', duration(base)],
    ['Queue behind the limiter', queue === null ? '–' : count(queue)],
    ['Changes', counted.map(([reason, times]) => `${words(reason)} ${count(times)}`).join(', ') || 'none'],
  ];
  byId('adaptive-facts').replaceChildren(...facts.filter(Boolean).map(([name, value]) =>
    html('div', {}, html('dt', {}, name), html('dd', {}, value))));
}
