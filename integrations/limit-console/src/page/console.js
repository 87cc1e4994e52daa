// The live page of the console: a table of all limiters, kept up to date by a stream, and one limiter
// in detail. There is no library and no build step. The page shows all data of the program as text, never
// as markup; its own policy forbids anything else. This script starts the parts of the page, and gives out what
// concerns more than one of them.

import { startCards } from './cards.js';
import { choices } from './choices.js';
import { start } from './connection.js';
import { askDetail, close, follow, forgetHistory, startDetail } from './detail.js';
import { byId } from './elements.js';
import { noteGap, startEvents, takeEvents, unfollowEvents } from './events.js';
import { startKnob, takeToken } from './knob.js';
import { forgetLog, startLog } from './log.js';
import { opened } from './opened.js';
import { startOutcome } from './outcome.js';
import { startStrip } from './strip.js';
import { chooseKind, followAddress, startTable } from './table.js';

/** Takes the keys that work wherever the focus is. */
function takeKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest?.('input');
  if (event.key === '/' && !typing) {
    event.preventDefault();
    if (opened.name !== null && byId('overview').offsetParent === null) close();
    byId('filter').focus();
    byId('filter').select();
  } else if (event.key === 'Escape' && typing?.id === 'filter' && typing.value !== '') {
    typing.value = '';
    typing.dispatchEvent(new Event('input'));
  } else if (event.key === 'Escape' && opened.name !== null && !byId('log').matches(':popover-open')) {
    close();
  }
}

startDetail();
startCards();
startStrip(() => choices.kind, chooseKind);
startTable();
startKnob(askDetail);
startOutcome();
startLog();
startEvents();
takeToken();
document.addEventListener('keydown', takeKey);
const moved = () => { followAddress(); follow(true); };
window.addEventListener('hashchange', () => { takeToken(); moved(); });
window.addEventListener('popstate', moved);
start({ all: () => { forgetHistory(); forgetLog(); }, tick: askDetail, events: takeEvents, gone: unfollowEvents, shown: noteGap });
follow(false);
