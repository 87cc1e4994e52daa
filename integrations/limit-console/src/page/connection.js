// The stream, and the words about it when it is not heard.

import { api } from './api.js';
import { draw, onDraw } from './drawing.js';
import { byId, say, show } from './elements.js';
import { duration } from './format.js';
import { fill, known, merge } from './known.js';

const RETRY = 2_000; // ms until the page tries a stream again that the browser gave up; doubled each time
const LONGEST = 30_000; // ms until the page tries again at most

/**
 * The state of the stream: when it was opened and when it was last heard (by this machine's clock), whether it was heard
 * since the page is shown, and the server's words if it refused. `events` is the limiter whose events come along.
 */
const stream = { source: null, retry: null, tries: 0, begun: 0, heard: 0, fresh: false, lost: false, refusal: '', events: null };

/** The functions that are told what the stream says. The main script sets them. */
const listeners = { all() {}, tick() {}, events() {}, gone() {}, shown() {} };

/**
 * Opens the stream, in place of the one that is open. A page has one stream, and none while nobody sees it: over HTTP/1.1
 * a browser has six connections to a server, for all pages together. Six streams would cut it off from the service.
 */
function connect() {
  stream.source?.close();
  clearTimeout(stream.retry);
  stream.source = null;
  if (document.hidden) return;
  const source = new EventSource(api(stream.events === null ? 'stream' : `stream?events=${encodeURIComponent(stream.events)}`));
  stream.source = source;
  const hear = take => message => {
    take(JSON.parse(message.data));
    Object.assign(stream, { tries: 0, heard: Date.now(), fresh: true, lost: false, refusal: '' });
    draw();
    listeners.tick();
  };
  source.addEventListener('all', hear(all => { fill(all); listeners.all(); }));
  source.addEventListener('changes', hear(merge));
  source.addEventListener('events', ({ data }) => listeners.events(JSON.parse(data)));
  source.addEventListener('gone', () => listeners.gone());
  source.addEventListener('error', () => {
    stream.lost = true;
    drawTrouble();
    // While the browser tries again by itself, the page lets it. The browser gives up if the answer was no
    // stream, and an event source does not tell the answer: the page asks for it.
    if (source.readyState !== EventSource.CLOSED) return;
    whyNot().then(words => { if (stream.source === source) { stream.refusal = words; drawTrouble(); } });
    stream.retry = setTimeout(connect, Math.min(RETRY * 2 ** stream.tries, LONGEST));
    stream.tries += 1;
  });
}

/** Closes the stream, because nobody sees the page. A browser may keep the page, and show it again. */
function pause() {
  stream.source?.close();
  clearTimeout(stream.retry);
  Object.assign(stream, { source: null, fresh: false });
}

/** Opens the stream, because the page is seen, for the first time or again. Old figures are no trouble until it is heard. */
function resume() {
  Object.assign(stream, { begun: Date.now(), tries: 0 });
  listeners.shown();
  connect();
  drawTrouble();
}

/** Asks why the server refuses the stream. Returns its words, or none if it does not refuse. */
async function whyNot() {
  const stop = new AbortController();
  try {
    const answer = await fetch(api('stream'), { cache: 'no-store', signal: stop.signal });
    return answer.ok ? '' : (await answer.json()).error ?? '';
  } catch {
    return '';
  } finally {
    stop.abort();
  }
}

// --- The state of the connection -------------------------------------------------------------------

/** The age of the figures in seconds; before the first figures, how long the page has waited for them. */
const age = () => (Date.now() - (stream.heard || stream.begun)) / 1000;
/** Returns whether the page has heard nothing for too long. */
const isSilent = () => (Date.now() - Math.max(stream.heard, stream.begun)) / 1000 > 3 * known.interval;
const isStale = () => stream.lost || !stream.fresh || isSilent();

function drawTrouble() {
  if (document.hidden) return;
  const waited = age();
  const shown = stream.lost || isSilent();
  show(byId('trouble'), shown);
  if (shown) {
    const words = stream.refusal ? `The server refuses: ${stream.refusal}`
      : stream.lost ? 'Connection lost.' : known.filled ? 'Nothing heard from the program.' : 'No answer yet.';
    say(byId('trouble-words'), words);
    const time = duration(Math.round(waited));
    say(byId('trouble-age'), `${known.filled ? `The figures are ${time} old.` : `Waited for ${time}.`} Trying again.`);
  } else {
    say(byId('trouble-words'), '');
  }
  document.body.classList.toggle('stale', known.filled && isStale());
  document.body.classList.toggle('loading', !known.filled);
  const locked = !known.writable || isStale();
  if (byId('controls').disabled !== locked) byId('controls').disabled = locked;
}

/** Takes the events of this limiter along, or of none. */
export function followEventsOf(name) {
  stream.events = name;
  connect();
}

/** Starts to follow the program. The listeners are told of all limiters, of each tick, and of a limiter's events. */
export function start(told) {
  Object.assign(listeners, told);
  onDraw(drawTrouble);
  document.addEventListener('visibilitychange', () => (document.hidden ? pause() : resume()));
  // The browser may keep a page that the reader leaves, and show it again when the reader goes back.
  window.addEventListener('pagehide', pause);
  window.addEventListener('pageshow', event => { if (event.persisted) resume(); });
  resume();
  // The age counts up while nothing is heard: just then it matters.
  setInterval(drawTrouble, 1000);
}
