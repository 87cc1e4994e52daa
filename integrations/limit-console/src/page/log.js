// The changes of all limiters.

import { api, ask } from './api.js';
import { fillTable } from './cards.js';
import { onDraw } from './drawing.js';
import { byId, say, show } from './elements.js';
import { SOURCES, clock, count, words } from './format.js';
import { known } from './known.js';
import { hashOf } from './opened.js';

const log = { logged: null, asking: false };

/** Asks for all changes again: the program may be another one. */
export function forgetLog() { log.logged = null; }

/** Names what was changed: a setting, or the limit of a key. */
export const changedName = ({ setting, key }) => words(setting) + (key === null ? '' : ` of ${key}`);

/** Says a change: the setting, what it was, and what it is. */
export const inWords = change => `${changedName(change)} ${change.from} → ${change.to}`;

/** Says who has made a change. */
export const author = ({ by, source }) => by ?? SOURCES[source] ?? source;

async function askLog() {
  if (log.asking || log.logged === known.logged) return;
  log.asking = true;
  try {
    const { logged, changes } = await ask(api('changes'));
    log.logged = logged;
    const linked = name => ({ text: name, href: hashOf(name) });
    fillTable('log-rows', changes.map(change => [clock(change.time), linked(change.limiter), inWords(change), author(change)]),
      'Nothing has been changed since the console was started.');
    const more = logged - changes.length;
    say(byId('log-more'), more > 0 ? `${count(more)} earlier ones are not kept.` : '');
  } catch {
    // The next tick asks again.
  } finally {
    log.asking = false;
  }
}

export function startLog() {
  onDraw(() => {
    if (!known.filled) return;
    say(byId('log-count'), count(known.logged));
    const problem = known.problem ?? '';
    show(byId('settings-problem'), problem !== '');
    say(byId('settings-problem-words'), problem);
    askLog();
  });
  byId('log-rows').addEventListener('click', event => {
    const link = event.target.closest('a');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    // The address keeps the choices that were made since the list was filled.
    event.preventDefault();
    byId('log').hidePopover();
    location.hash = hashOf(link.textContent);
  });
}
