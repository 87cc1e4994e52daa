// The deadlocks of the limiter that is open.

import { filled } from './cards.js';
import { breakable, byId, html, say, show } from './elements.js';
import { count, duration, plural } from './format.js';
import { hashOf, opened } from './opened.js';

/** Shows the calls that wait for each other. Only ages change from tick to tick, so that a reader can copy the rest. */
export function fillDeadlocks(deadlocks) {
  show(byId('deadlock'), deadlocks.length > 0);
  const what = deadlocks.length === 1 ? 'Deadlock' : plural(deadlocks.length, 'deadlock');
  say(byId('deadlock-words'), deadlocks.length === 0 ? ''
    : `${what}: these calls wait for ever, unless one of them is cancelled or a limit is raised.`);
  const ages = [];
  const wanted = JSON.stringify([opened.name, deadlocks], (key, value) => (key === 'age' ? void ages.push(value) : value));
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
  const where = limiter === opened.name ? html('b', {}, ...name) : html('a', { href: hashOf(limiter) }, ...name);
  return html('li', {}, 'waits at ', where, ...(key === null ? [] : [', key ', html('b', {}, key)]), ': ', ...callNodes(call),
    ...holders.map(holder => html('div', {}, 'held by ', ...callNodes(holder))),
    ...(more > 0 ? [html('div', {}, `and by ${count(more)} more`)] : []),
    ...(behind === null ? [] : [html('div', {}, 'behind ', ...callNodes(behind))]));
}

function callNodes({ place, task, weight }) {
  const permits = weight === 1 ? '' : `, ${plural(weight, 'permit')}`;
  return [...breakable(place), `, ${task === null ? 'outside any task' : `task ${task}`}${permits}, for `, ageNode()];
}
