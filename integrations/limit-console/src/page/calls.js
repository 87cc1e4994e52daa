// The calls that hold permits, and those that wait: by the place where they were made, and each of the oldest.

import { fillTable } from './cards.js';
import { byId, say, show } from './elements.js';
import { count, duration, plural } from './format.js';

/** Fills the card of the holders or of the waiters. */
export function fillCalls(kind, calls, places, none) {
  show(byId(`${kind}-each`), (calls ?? []).length > 0);
  if (calls === null) {
    return fillTable(`${kind}-places`, [], 'Not recorded: feature `diagnostics`, and `diagnostics::record`.');
  }
  const names = shortNames(places.map(({ place }) => place));
  fillTable(`${kind}-places`, places.map(({ place, calls, weight, oldest }, at) => {
    const permits = weight === calls ? '' : `, ${plural(weight, 'permit')}`;
    return [{ text: `${count(calls)} × ${names[at]}${permits}`, title: place }, duration(oldest)];
  }), none);
  fillTable(kind, calls.map(({ place, task, age, weight }) => [place, task ?? '–', count(weight), duration(age)]), none);
  const all = places.reduce((sum, { calls }) => sum + calls, 0);
  say(byId(`${kind}-each`).firstElementChild, calls.length < all ? `The oldest ${count(calls.length)}, one by one` : 'One by one');
}

/** Shortens places such as `src/report.rs:13:5` to `report.rs:13`, with as much before it as tells them apart. */
function shortNames(places) {
  const parts = places.map(place => place.replace(/:\d+$/, '').split(/[/\\]/));
  const short = (at, length) => parts[at].slice(-length).join('/');
  return places.map((_, at) => {
    let length = 1;
    const isTwice = other => other !== at && short(other, length) === short(at, length);
    while (length < parts[at].length && places.some((_, other) => isTwice(other))) length += 1;
    return short(at, length);
  });
}
