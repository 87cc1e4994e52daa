// Figures, times and names in words.

export const REASONS = ['no_permits', 'queue_full', 'timed_out', 'too_heavy', 'closed', 'evicted', 'unavailable',
  'deadlock', 'would_time_out'];
export const SOURCES = { attribute: 'the code', file: 'a file', environment: 'the environment', live: 'live' };

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });
export const three = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

export const count = n => (n < 100_000 ? whole : compact).format(n);
const hundredths = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });
export const rate = n => (n > 0 && n < 0.01 ? '<0.01' : (n < 10 ? hundredths : n < 1000 ? three : compact).format(n));
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** Formats a time span, given in seconds, with three digits at most. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return '–';
  if (seconds < 0.000_999_5) return `${three.format(seconds * 1e6)} µs`;
  if (seconds < 0.999_5) return `${three.format(seconds * 1e3)} ms`;
  if (seconds < 100) return `${three.format(seconds)} s`;
  const all = Math.round(seconds);
  if (all < 3600) return `${Math.floor(all / 60)} min ${all % 60} s`;
  return `${Math.floor(all / 3600)} h ${Math.floor(all / 60) % 60} min`;
}

/** Formats for how long something has lasted, given in seconds: short, and in whole seconds from one second on. */
export function age(seconds) {
  const all = Math.floor(seconds);
  if (all < 1) return `${Math.floor(seconds * 1000)} ms`;
  if (all < 60) return `${all} s`;
  if (all < 3600) return `${Math.floor(all / 60)} min`;
  const hours = Math.floor(all / 3600);
  return hours < 48 ? `${hours} h ${Math.floor(all / 60) % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** Formats a part, from 0 to 1. A small part is not 0 %, and a large one not 100 %. */
export function percent(part) {
  if (part === 0 || part === 1) return `${part * 100} %`;
  return part < 0.01 ? '<1 %' : `${Math.min(Math.round(part * 100), 99)} %`;
}

/** Begins a text as a sentence. */
export const sentence = text => text.charAt(0).toUpperCase() + text.slice(1);

export const seconds = ({ secs, nanos }) => secs + nanos / 1e9;

/** Says the name of a setting, an event or a refusal in words. */
export const words = name => name.replaceAll('_', ' ');

export function clock(ms) {
  const date = new Date(ms);
  const time = date.toLocaleTimeString('en-GB');
  return date.toDateString() === new Date().toDateString() ? time : `${date.toLocaleDateString('en-CA')} ${time}`;
}

/** Says since when something has lasted for so many seconds. */
export const since = (seconds, now) => `since ${clock(now - seconds * 1000)}`;

export const sum = values => Object.values(values).reduce((all, value) => all + value, 0);
