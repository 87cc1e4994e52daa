// Numbers and times that a reader types.

const UNITS = { ms: 0.001, s: 1, min: 60, m: 60, h: 3600 };
const PART = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h)\s*/;

/** An error of what was typed, in words for the reader. */
const wrong = text => { throw new TypeError(text); };

const quoted = text => `“${text.length > 24 ? `${text.slice(0, 24)}…` : text}”`;

/** Reads a whole number for the setting of that name. Throws words about what is no such number. */
export function readCount(text, name, most) {
  const full = new Intl.NumberFormat('en').format(most);
  if (!/^\d+$/.test(text)) {
    const found = text === '' ? 'Nothing is there' : `${quoted(text)} is no whole number`;
    wrong(`${found}: write ${name} in digits, from 0 to ${full}.`);
  }
  if (BigInt(text) > BigInt(most)) wrong(`${quoted(text)} is too much: ${name} is at most ${full}.`);
  return Number(text);
}

/** Reads a limit: a number, or a range with its ends. Throws words about what is neither. */
export function readLimit(text) {
  const read = text => readCount(text, 'the limit', 2_147_483_647);
  const range = /^(\d+)\s*(?:\.\.=|–|-)\s*(\d+)$/.exec(text);
  if (range === null && text.includes('..')) wrong(`${quoted(text)} is no range: write ..= between both ends, such as 4..=200.`);
  if (range === null) return read(text);
  const [low, high] = range.slice(1).map(read);
  if (low === 0) wrong(`${quoted(text)} is no range of limits: the lower end is at least 1.`);
  if (low > high) wrong(`${quoted(text)} is no range: write the lower end first.`);
  return `${low}..=${high}`;
}

/** Reads a time for the setting of that name, in seconds. Throws words about what is no time. */
export function readDuration(text, name) {
  let [seconds, rest] = [0, text];
  for (let part = PART.exec(rest); part !== null; part = PART.exec(rest)) {
    seconds += Number(part[1]) * UNITS[part[2]];
    rest = rest.slice(part[0].length);
  }
  if (rest !== '' || text === '') wrong(`${quoted(text)} is no time: write ${name} with its unit, such as 250 ms, 2 s or 1 min 30 s.`);
  // Fewer seconds than the program's longest time has.
  if (seconds > 1e15) wrong(`${quoted(text)} is too much for ${name}.`);
  return Number(seconds.toPrecision(12));
}

/** Writes a time, in seconds, so that it is read again. */
export function writeDuration(seconds) {
  return seconds < 1 ? `${Number((seconds * 1000).toPrecision(9))} ms` : `${Number(seconds.toPrecision(12))} s`;
}
