// The knob: changes the limiter that is open.

import { rangeOf } from './adaptive.js';
import { addressWith, parameter } from './address.js';
import { api, ask } from './api.js';
import { draw, onDraw } from './drawing.js';
import { attribute, byId, say, show } from './elements.js';
import { plural, seconds, words } from './format.js';
import { known, replace } from './known.js';
import { pausedInWords } from './limiter.js';
import { inWords } from './log.js';
import { readCount, readDuration, readLimit, writeDuration } from './numbers.js';
import { opened } from './opened.js';
import { forgetOutcome, showOutcome } from './outcome.js';

const readCalls = name => text => readCount(text, name, 4_294_967_294);

/** The fields with a value: how it is written, and how it is read. A field that is empty has no bound. */
const FIELDS = {
  limit: { id: 'limit', write: String, read: readLimit },
  max_waiting: { id: 'max-waiting', write: String, read: readCalls('max waiting') },
  max_waiting_total: { id: 'max-waiting-total', write: String, read: readCalls('max waiting of all keys') },
  max_wait: { id: 'max-wait', write: time => writeDuration(seconds(time)), read: text => readDuration(text, 'max wait') },
};

/** What the reader should know before a change. */
const HINTS = {
  enforce: 'A change can be undone for 30 s.',
  shadow: 'In shadow: every call is admitted, and what the limit would have done is counted.',
  off: 'Off: every call is admitted.',
};

/** The settings of the limiter that is open, as far as they are known, and the fields with something typed. */
const knob = { settings: null, keyLimits: [], settable: [], edited: new Set(), isOpen: false };
let changed = () => {}; // told after each change

/** Forgets what was typed and said about another limiter. */
export function clearKnob() {
  Object.assign(knob, { settings: null, keyLimits: [], settable: [] });
  knob.edited.clear();
  refuse('');
  forgetOutcome();
  for (const { id } of Object.values(FIELDS)) byId(id).value = '';
}

/** Takes the settings from an answer about the limiter. */
export function takeSettings({ snapshot, settable }) {
  // The range is a part of the limit.
  const { range: _, ...settings } = snapshot.settings;
  Object.assign(knob, { settings, keyLimits: snapshot.key_limits, settable });
  drawKnob();
}

const current = () => known.rows.get(opened.name);
const stateOf = row => (row.enabled ? row.shadow ? 'shadow' : 'enforce' : 'off');
/** Returns whether the limit itself adapts: with keys the limit of each stays. */
const isAdapting = row => row?.adaptive && row.keys === null && !row.adaptive.frozen && !row.adaptive.advises;
/** Returns whether a total that adapts is held. A total is no setting. */
const isTotalHeld = row => row.keys !== null && row.adaptive?.frozen === true;
const token = () => byId('token').value.trim();

function drawFields(row) {
  show(byId('of-all-keys'), row.keys !== null);
  for (const [setting, { id, write }] of Object.entries(FIELDS)) {
    const field = byId(id);
    const value = setting === 'limit' ? row.limit : knob.settings?.[setting].value ?? null;
    const text = value === null ? '' : write(value);
    if (!knob.edited.has(setting) && field.value !== text) field.value = text;
    const isSettable = setting === 'limit' || knob.settable.includes(setting);
    field.disabled = !isSettable;
    const canAdapt = setting === 'limit' && row.adaptive && row.keys === null;
    const hint = canAdapt ? 'A number holds the limit. A range such as 4..=200 lets it adapt.' : '';
    attribute(field, 'title', isSettable ? hint : 'Calls of this limiter cannot be refused');
  }
}

/** Shows the limiter's state. A number that was typed stays. */
function drawKnob() {
  const row = current();
  show(byId('read-only'), !known.writable);
  show(byId('controls'), known.writable);
  if (!row) return;
  const over = row.scope === 'fleet' ? 'over the fleet' : '';
  const each = row.keys !== null ? 'for each key' : row.scope === 'runtime' && row.runtimes > 1 ? 'for each runtime' : '';
  const adapts = isAdapting(row) ? `adapts ${rangeOf(row.adaptive)}` : '';
  say(byId('limit-of'), [over, each, adapts].filter(Boolean).join(', '));
  attribute(byId('limit-of'), 'title', byId('limit-of').textContent);
  drawFields(row);
  for (const state of ['enforce', 'shadow', 'off']) attribute(byId(state), 'aria-pressed', String(stateOf(row) === state));
  say(byId('pause'), row.paused ? 'Resume' : 'Pause…');
  attribute(byId('pause'), 'title', row.paused ? 'Back to the limit it had' : `Limit 0: ${pausedInWords(row)}, until it is resumed`);
  byId('pause').classList.toggle('main', row.paused);
  const isLive = [...Object.values(knob.settings ?? {}), ...knob.keyLimits].some(({ source }) => source === 'live');
  show(byId('reset'), isLive || isTotalHeld(row));
  const isSaid = ['said', 'refused'].some(id => byId(id).textContent !== '');
  say(byId('hint'), isSaid ? '' : HINTS[stateOf(row)]);
  // Without a token, there is nothing to lock away.
  const isOpen = knob.isOpen || token() === '';
  show(byId('access'), isOpen);
  show(byId('lock'), token() !== '');
  attribute(byId('lock'), 'aria-expanded', String(isOpen));
  say(byId('lock-name'), byId('by').value.trim());
}

function refuse(text, field) {
  if (text !== '') forgetOutcome();
  say(byId('refused'), text);
  for (const { id } of Object.values(FIELDS)) byId(id).removeAttribute('aria-invalid');
  if (Object.values(FIELDS).some(({ id }) => id === field?.id)) attribute(field, 'aria-invalid', 'true');
  field?.focus();
}

/** Opens the token and the name, and has the reader type the token. */
function askToken(text) {
  knob.isOpen = true;
  drawKnob();
  refuse(text, byId('token'));
}

/** Changes what was typed. */
function set() {
  const row = current();
  const what = {};
  for (const setting of knob.edited) {
    const { id, read, write } = FIELDS[setting];
    const text = byId(id).value.trim();
    const { value, source } = setting === 'limit' ? { value: row?.limit } : knob.settings[setting];
    // The present number holds a limit that adapts.
    if (text === (value === null ? '' : write(value)) && !(setting === 'limit' && isAdapting(row))) continue;
    try {
      // An empty field has no bound: as the code has it, or for calls more than can wait.
      if (text !== '' || setting === 'limit') what[setting] = read(text);
      else if (setting.startsWith('max_waiting')) what[setting] = Number.MAX_SAFE_INTEGER;
      else if (source === 'live') what.unset = [setting];
      else return refuse(`${words(setting)} has a bound in the program: write a long time, such as 24 h.`, byId(id));
    } catch (error) {
      return refuse(error.message, byId(id));
    }
  }
  change(what);
}

/** Returns what takes a change back; null if the console cannot. It cannot set a total. */
function undoOf({ undo, changes }) {
  return changes.some(({ setting }) => setting === 'total') ? null : () => change(undo);
}

/** Lets the limit hold, only count, or not hold. */
function force(state) {
  const row = current();
  if (!row) return;
  const wanted = state === 'off' ? { enabled: false } : { enabled: true, shadow: state === 'shadow' };
  change(Object.fromEntries(Object.entries(wanted).filter(([setting, value]) => row[setting] !== value)));
}

function pause() {
  const row = current();
  if (!row) return;
  if (row.paused) return change({ paused: false });
  const waiting = row.waiting > 0 ? ` ${plural(row.waiting, 'call')} ${row.waiting === 1 ? 'waits' : 'wait'} already.` : '';
  say(byId('confirm-words'), `The limit of ${row.name} is 0 until it is resumed: ${pausedInWords(row)}.${waiting}`);
  byId('confirm').showModal();
}

async function change(what) {
  const { name } = opened;
  forgetOutcome();
  refuse('');
  if (Object.keys(what).length === 0) return showOutcome({ words: 'Nothing to change: it is so already.' });
  if (token() === '') return askToken('A change needs the token that the program was given.');
  if (!/^[\x20-\x7e]+$/.test(token())) return askToken('A token has no letters beyond ASCII.');
  const by = byId('by').value.trim();
  const waiting = current()?.waiting ?? 0;
  byId('knob').setAttribute('aria-busy', 'true');
  try {
    const answer = await ask(api('settings'), {
      method: 'POST',
      headers: { 'Authorization': `Bearer ${token()}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...what, name, ...(by && { by }) }),
    });
    replace(answer.limiter);
    if (opened.name !== name) return;
    knob.edited.clear();
    knob.isOpen = false;
    showOutcome(answer.changes.length === 0 ? { words: 'Nothing to change: it is so already.' }
      : { words: answer.changes.map(inWords).join(', '), undo: undoOf(answer), waiting, changes: answer.changes });
    draw();
    changed();
  } catch (error) {
    if (opened.name !== name) return;
    if (error.status === 401) askToken(`Not changed: ${error.message}`);
    else if (error.status) refuse(`Not changed: ${error.message}`);
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
  field.addEventListener('input', () => {
    knob.isOpen = true;
    try { sessionStorage.setItem(`limits.${id}`, field.value); } catch { /* not kept */ }
  });
}

/** Starts the knob. After each change it tells so. */
export function startKnob(told) {
  changed = told;
  onDraw(() => { if (known.filled) drawKnob(); });
  const on = (id, event, act) => byId(id).addEventListener(event, act);
  const step = by => {
    const now = /^\d{1,10}$/.test(byId('limit').value.trim()) ? Number(byId('limit').value) : current()?.limit ?? 0;
    byId('limit').value = Math.max(0, now + by);
    knob.edited.add('limit');
  };
  on('less', 'click', () => step(-1));
  on('greater', 'click', () => step(1));
  on('limit', 'keydown', event => {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    step(by);
  });
  for (const [setting, { id }] of Object.entries(FIELDS)) on(id, 'input', () => knob.edited.add(setting));
  on('knob', 'submit', event => { event.preventDefault(); set(); });
  for (const state of ['enforce', 'shadow', 'off']) on(state, 'click', () => force(state));
  on('pause', 'click', pause);
  on('confirm', 'keydown', event => event.stopPropagation());
  on('confirm', 'close', () => { if (byId('confirm').returnValue === 'pause') change({ paused: true }); });
  on('reset', 'click', () => change({ reset: true }));
  on('adapt-again', 'click', () => {
    const row = current();
    // With keys the total is all that is live then: see `fillAdaptive`.
    if (row) change(row.keys === null ? { unset: ['limit'] } : { reset: true });
  });
  on('lock', 'click', () => {
    knob.isOpen = byId('access').hidden;
    drawKnob();
    if (knob.isOpen) byId('token').focus();
  });
  remember('token');
  remember('by');
}
