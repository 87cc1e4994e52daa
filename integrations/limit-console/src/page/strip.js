// The strip on top: which program this is, the verdict, and chips that choose a kind of limiters.

import { onDraw } from './drawing.js';
import { attribute, byId, html, say, show } from './elements.js';
import { age, clock, count } from './format.js';
import { known } from './known.js';
import { refusedOf } from './limiter.js';
import { hashOf } from './opened.js';
import { KINDS, LEVELS } from './severity.js';
import { complaintOf, judge, sumsInWords, wellInWords } from './verdict.js';

const NAMED = 3; // limiters in the verdict
const RESTARTED = 600; // s for which a restart is told: as long as the history goes back

/** The last part of a limiter's name. */
const shortName = name => name.slice(name.lastIndexOf('::') + 1).replace(/^:/, '') || name;

function drawProcess() {
  const { service, host, pid, started } = known.process;
  say(byId('service'), service);
  const up = (known.time - started) / 1000;
  say(byId('process'), `${host} · pid ${pid} · up ${age(Math.max(up, 0))}`);
  say(byId('clock'), clock(known.time));
  const { restart } = known;
  const told = restart !== null && up < RESTARTED;
  show(byId('restart'), told);
  if (told) {
    const at = clock(restart.time);
    say(byId('restart'), restart.other ? `another process answers since ${clock(known.time)}` : `restarted ${at}`);
    attribute(byId('restart'), 'title', `Figures before ${at} are of the process before, which had run for ${age(restart.ran)}`);
  }
}

/** Puts a sentence in an element, with a link to its limiter. A link that is there stays, because it may have the focus. */
function putSentence(node, row, end) {
  let [link, words] = node.childNodes;
  if (link?.nodeName !== 'A') {
    [link, words] = [html('a'), document.createTextNode('')];
    node.replaceChildren(link, words);
  }
  say(link, shortName(row.name));
  attribute(link, 'title', row.name);
  attribute(link, 'href', hashOf(row.name));
  say(words, ` ${complaintOf(row)}${end}`);
}

function drawVerdict() {
  let [waiting, admitted, refused] = [0, 0, 0];
  for (const row of known.rows.values()) {
    waiting += row.waiting;
    admitted += row.admitted;
    refused += refusedOf(row);
  }
  const { worst, all } = judge(known.rows.values(), NAMED);
  const [first, ...others] = worst;
  const sums = sumsInWords({ limiters: known.rows.size, waiting, admitted, refused });
  const level = first ? LEVELS[first.rank.level] : 'well';
  attribute(byId('verdict'), 'class', level);
  if (first) putSentence(byId('sentence'), first, '.');
  else say(byId('sentence'), wellInWords(waiting));
  say(byId('sums'), sums);
  others.forEach((row, at) => {
    const nodes = byId('others').children;
    if (!nodes[at]) byId('others').append(html('li'));
    putSentence(nodes[at], row, '');
  });
  while (byId('others').children.length > others.length) byId('others').lastElementChild.remove();
  show(byId('others'), others.length > 0);
  say(byId('rest'), all > worst.length ? `and ${count(all - worst.length)} more` : '');
  // The figures change each second; a screen reader is told only of another limiter or another level.
  say(byId('gist'), first ? `${first.name}: ${level}` : 'All is well');
}

/** Makes the chips. A chip that is clicked tells its kind. */
function makeChips(choose) {
  return KINDS.map(({ id, label, title }) => {
    const number = html('b');
    const attributes = { type: 'button', class: `chip ${id}`, title, 'aria-pressed': 'false', 'data-kind': id };
    const chip = html('button', attributes, `${label} `, number);
    chip.addEventListener('click', () => choose(id));
    return { chip, number };
  });
}

function drawChips(chips, kind) {
  const counts = KINDS.map(() => 0);
  for (const row of known.rows.values()) for (let at = 0; at < counts.length; at += 1) counts[at] += (row.kinds >> at) & 1;
  chips.forEach(({ chip, number }, at) => {
    say(number, count(counts[at]));
    chip.classList.toggle('none', counts[at] === 0);
    attribute(chip, 'aria-pressed', String(KINDS[at].id === kind()));
  });
}

/** Starts the strip. `kind` returns the kind that is chosen, and `choose` chooses another one. */
export function startStrip(kind, choose) {
  const chips = makeChips(choose);
  byId('chips').append(...chips.map(({ chip }) => chip));
  onDraw(() => {
    if (!known.filled) return;
    drawProcess();
    drawVerdict();
    drawChips(chips, kind);
  });
}
