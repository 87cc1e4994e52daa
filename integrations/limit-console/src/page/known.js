// The program as it was at the last tick.

export const SPARK = 60; // ticks of a row's line

export const known = { rows: new Map(), tick: 0, time: 0, interval: 1, writable: false, filled: false, logged: 0, problem: null };

export function fill({ tick, time, interval, writable, logged, settings_problem: problem, limiters }) {
  Object.assign(known, { tick, time, interval, writable, logged, problem, filled: true });
  known.rows = new Map(limiters.map(row => [row.name, { ...row, spark: row.spark ?? [] }]));
}

/** Takes the rows that have changed. The sparklines of the other rows go on too. */
export function merge({ tick, time, logged, settings_problem: problem, limiters, removed }) {
  Object.assign(known, { tick, time, logged, problem });
  for (const row of limiters) known.rows.set(row.name, { ...row, spark: known.rows.get(row.name)?.spark ?? [] });
  for (const name of removed) known.rows.delete(name);
  for (const row of known.rows.values()) {
    row.spark.push(row.in_use);
    if (row.spark.length > SPARK) row.spark.shift();
  }
}

