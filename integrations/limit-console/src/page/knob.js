// The knob: changes the limiter that is open.

import { addressWith, parameter } from './address.js';
import { api, ask } from './api.js';
import { draw, onDraw } from './drawing.js';
import { attribute, byId, say, show } from './elements.js';
import { words } from './format.js';
import { known, replace } from './known.js';
import { opened } from './opened.js';

let edited = false; // a number was typed
let changed = () => {}; // told after each change

/** Forgets what was typed and said about another limiter. */
export function clearKnob() {
  edited = false;
  for (const id of ['said', 'refused']) say(byId(id), '');
  byId('limit').value = '';
}

const current = () => known.rows.get(opened.name);

/** Labels the buttons with what they do to the limiter as it is now. A number that was typed stays. */
function drawKnob() {
  const row = current();
  show(byId('read-only'), !known.writable);
  show(byId('controls'), known.writable);
  if (!row) return;
  const over = row.scope === 'fleet' ? 'over the fleet' : '';
  const each = row.keys !== null ? 'for each key' : row.scope === 'runtime' && row.runtimes > 1 ? 'for each runtime' : '';
  say(byId('limit-of'), [over, each].filter(Boolean).join(', '));
  if (!edited && byId('limit').value !== String(row.limit)) byId('limit').value = row.limit;
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
  const { name } = opened;
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
    replace(answer.limiter);
    if (opened.name !== name) return;
    edited = false;
    const { changes } = answer;
    say(byId('said'), changes.length > 0 ? `Done: ${changes.map(inWords).join('; ')}.` : 'Nothing to change: it is so already.');
    draw();
    changed();
  } catch (error) {
    if (opened.name !== name) return;
    if (error.status) refuse(`Not changed: ${error.message}`, error.status === 401 ? byId('token') : null);
    else refuse('No answer: whether it was changed is not known.');
  } finally {
    byId('knob').removeAttribute('aria-busy');
  }
}

/** Takes the token out of the address: a link may bring it, after the # that is sent to no server. */
export function takeToken() {
  const token = parameter('token');
  if (token === null) return;
  history.replaceState(null, '', addressWith({}));
  byId('token').value = token;
  try { sessionStorage.setItem('limits.token', token); } catch { /* not kept */ }
}

/** Keeps a typed text for this tab only, if the browser keeps anything. */
function remember(id) {
  const field = byId(id);
  try { field.value = sessionStorage.getItem(`limits.${id}`) ?? ''; } catch { /* not kept */ }
  field.addEventListener('input', () => { try { sessionStorage.setItem(`limits.${id}`, field.value); } catch { /* not kept */ } });
}

/** Starts the knob. After each change it tells so. */
export function startKnob(told) {
  changed = told;
  onDraw(() => { if (known.filled) drawKnob(); });
  const on = (id, event, act) => byId(id).addEventListener(event, act);
  const step = by => { byId('limit').value = Math.max(0, (Number(byId('limit').value) || 0) + by); edited = true; };
  on('less', 'click', () => step(-1));
  on('greater', 'click', () => step(1));
  on('limit', 'input', () => { edited = true; });
  on('knob', 'submit', event => { event.preventDefault(); change({ limit: Number(byId('limit').value) }); });
  on('pause', 'click', () => change({ paused: !current()?.paused }));
  on('shadow', 'click', () => change({ shadow: !current()?.shadow }));
  on('enabled', 'click', () => change({ enabled: !current()?.enabled }));
  on('reset', 'click', () => change({ reset: true }));
  remember('token');
  remember('by');
}
