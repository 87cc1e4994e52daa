// The outcome of a change: the new values, their effect on the queue, and the way back.

import { onDraw } from './drawing.js';
import { attribute, byId, say, show } from './elements.js';
import { count, duration } from './format.js';
import { known } from './known.js';
import { opened } from './opened.js';

const OFFERED = 30_000; // ms for which a change can be undone

let outcome = null;

/** Forgets the last change. */
export function forgetOutcome() {
  clearTimeout(outcome?.timer);
  outcome = null;
  for (const id of ['said', 'effect']) say(byId(id), '');
  show(byId('undo'), false);
}

/** Tells a change, and with `undo` offers the way back for a while. `waiting` is the length of the queue before it. */
export function showOutcome({ words, undo = null, waiting = 0, changes = [] }) {
  forgetOutcome();
  say(byId('said'), words);
  if (undo === null) return;
  outcome = { undo, waiting, changes, begun: performance.now(), timer: setTimeout(() => endOffer(), OFFERED) };
  attribute(byId('effect'), 'aria-live', 'off');
  show(byId('undo'), true);
}

function endOffer() {
  clearTimeout(outcome?.timer);
  outcome = null;
  if (document.activeElement === byId('undo')) byId('limit').focus();
  show(byId('undo'), false);
}

/** Takes the way back away when somebody has changed the same setting since. */
export function takeChanges(changes) {
  const isOurs = ours => {
    const last = changes.find(({ setting, key }) => setting === ours.setting && key === ours.key);
    return last === undefined || last.time <= ours.time || last.to === ours.to;
  };
  if (outcome !== null && !outcome.changes.every(isOurs)) endOffer();
}

/** Says how the queue goes on. That is spoken once, when it is empty. */
function drawEffect() {
  const row = known.rows.get(opened.name);
  if (outcome === null || !row) return;
  const { waiting, begun, isSettled } = outcome;
  if (isSettled || (waiting === 0 && row.waiting === 0)) return;
  const after = Math.round((performance.now() - begun) / 1000);
  outcome.isSettled = row.waiting === 0;
  if (outcome.isSettled) attribute(byId('effect'), 'aria-live', 'polite');
  say(byId('effect'), `queue ${count(waiting)} → ${count(row.waiting)} ${after < 1 ? 'at once' : `in ${duration(after)}`}`);
}

export function startOutcome() {
  onDraw(drawEffect);
  byId('undo').addEventListener('click', () => outcome?.undo());
}
