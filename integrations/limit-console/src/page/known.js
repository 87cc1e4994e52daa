// The program as it was at the last tick.

import { isStuck } from './limiter.js';
import { isPassing, kindsOf, rankOf } from './severity.js';

export const SPARK = 60; // ticks of a row's line

/**
 * The program. `version` changes with the rows there are, their ranks and their kinds.
 * `gone` has the rows that are no more, until somebody forgets them. `restart` says when the program that is heard now began,
 * if another one was heard before.
 */
export const known = {
  rows: new Map(), gone: new Map(), tick: 0, time: 0, interval: 1, writable: false, filled: false, version: 0,
  process: null, restart: null, logged: 0, problem: null,
};

/** The rows whose rank can change while they stay the same. */
const passing = new Set();

/** The rows with times that grow while the rows stay the same. Such a row is told again only if something else changes. */
const growing = new Set();

/** Takes all rows. */
export function fill({ process, tick, time, interval, writable, logged, settings_problem: problem, limiters }) {
  const before = known.process;
  if (before !== null && before.run !== process.run) {
    // A program that began before the other one was heard last is no restart of it.
    const other = process.started <= known.time;
    known.restart = { other, time: process.started, ran: (known.time - before.started) / 1000, silent: known.time };
  }
  const names = new Set(limiters.map(row => row.name));
  for (const name of known.rows.keys()) if (!names.has(name)) remove(name);
  Object.assign(known, { process, tick, time, interval, writable, logged, problem, filled: true, version: known.version + 1 });
  for (const row of limiters) take(row, row.spark ?? []);
}

/** Takes the rows that have changed. */
export function merge({ tick, time, logged, settings_problem: problem, limiters, removed }) {
  Object.assign(known, { tick, time, logged, problem });
  for (const row of limiters) {
    const old = known.rows.get(row.name);
    if (old === undefined) known.version += 1;
    take(row, old ? sparkOf(old, tick - 1) : []);
    const { spark } = row;
    spark.push(row.in_use);
    if (spark.length > SPARK) spark.shift();
  }
  for (const name of removed) remove(name);
  for (const name of growing) grow(known.rows.get(name));
  for (const name of passing) {
    const row = known.rows.get(name);
    if (row) rank(row);
  }
}

/** Takes the row of a limiter that was changed between two ticks. */
export function replace(row) {
  const old = known.rows.get(row.name);
  take(row, old ? sparkOf(old, known.tick) : []);
}

function take(row, spark) {
  const old = known.rows.get(row.name);
  Object.assign(row, { spark, sparkTick: known.tick, rank: old?.rank ?? null, kinds: old?.kinds, found: row.name.toLowerCase() });
  known.rows.set(row.name, row);
  noteTimes(row);
  rank(row);
}

/** Notes the times of a row as they were told, and when. */
function noteTimes(row) {
  const { oldest_wait: waits, stalled, p50, p99, oldest_holder: holder } = row;
  row.told = { at: known.time, waits, stalled, p50, p99, held: holder?.age };
  if (waits !== null || holder !== null) growing.add(row.name);
  else growing.delete(row.name);
}

/** Lets the times of a row grow up to now. A `stalled` of 0 stays, and the percentiles grow with any other. */
function grow(row) {
  const { told } = row;
  const passed = Math.max(known.time - told.at, 0) / 1000;
  if (told.waits !== null) row.oldest_wait = told.waits + passed;
  if (row.oldest_holder !== null) row.oldest_holder.age = told.held + passed;
  if (told.stalled > 0) {
    row.stalled = told.stalled + passed;
    for (const name of ['p50', 'p99']) if (told[name] !== null) row[name] = told[name] + passed;
  }
}

/** Returns whether the times of a row grow while the row stays the same. */
export const isGrowing = row => growing.has(row.name);

/** Returns whether a row becomes stuck if nothing happens. */
const isStalling = row => row.stalled > 0 && !isStuck(row);

function rank(row) {
  const { level, weight } = row.rank ?? {};
  row.rank = rankOf(row, row.rank, known.time);
  const kinds = kindsOf(row, known.time);
  if (row.rank.level !== level || row.rank.weight !== weight || row.kinds !== kinds) known.version += 1;
  row.kinds = kinds;
  if (isPassing(row.rank, known.time) || isStalling(row)) passing.add(row.name);
  else passing.delete(row.name);
}

function remove(name) {
  const row = known.rows.get(name);
  if (row === undefined) return;
  known.gone.set(name, row);
  known.rows.delete(name);
  passing.delete(name);
  growing.delete(name);
  known.version += 1;
}

/** Returns the line of a row up to a tick. A row that was not told has not changed. */
export function sparkOf(row, tick = known.tick) {
  const missed = Math.min(tick - row.sparkTick, SPARK);
  if (missed > 0) {
    for (let n = 0; n < missed; n += 1) row.spark.push(row.in_use);
    row.spark.splice(0, row.spark.length - SPARK);
    row.sparkTick = tick;
  }
  return row.spark;
}
