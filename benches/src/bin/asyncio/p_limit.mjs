// Calls a limited function many times at once, and prints its figures as one line of JSON.
//
// Arguments: the body, how many calls, the limit, how many calls to warm up with.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { limitFunction } from 'p-limit';

const [body, ...numbers] = process.argv.slice(2);
const [calls, limit, warmUp] = numbers.map(Number);

let running = 0;
let mostAtOnce = 0;

async function empty(value) {
    running += 1;
    if (running > mostAtOnce) {
        mostAtOnce = running;
    }
    running -= 1;
    return value;
}

async function sleeping(value) {
    running += 1;
    if (running > mostAtOnce) {
        mostAtOnce = running;
    }
    await sleep(1);
    running -= 1;
    return value;
}

/** KiB that this process ever used at once; null where the system does not say. */
function peakMemory() {
    // Not `maxRSS`, which begins with the memory of the process that started this one.
    try {
        const peak = /^VmHWM:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'));
        return peak === null ? null : Number(peak[1]);
    } catch {
        return null;
    }
}

/** Milliseconds that a sleep of one takes when there is nothing else to do. */
async function loneSleep() {
    const start = performance.now();
    for (let count = 0; count < 50; count += 1) {
        await sleep(1);
    }
    return (performance.now() - start) / 50;
}

const before = peakMemory();
const alone = body === 'empty' ? null : await loneSleep();
const limited = limitFunction(body === 'empty' ? empty : sleeping, { concurrency: limit });
await Promise.all(Array.from({ length: warmUp }, (_, value) => limited(value)));
const start = performance.now();
const results = await Promise.all(Array.from({ length: calls }, (_, value) => limited(value)));
const seconds = (performance.now() - start) / 1e3;
const peak = peakMemory();
// The package does not export its own description, so it is read as the file that it is.
const description = readFileSync(new URL('node_modules/p-limit/package.json', import.meta.url), 'utf8');
console.log(JSON.stringify({
    results: results.length,
    seconds,
    most_at_once: mostAtOnce,
    before_kib: before,
    peak_kib: peak,
    lone_sleep_ms: alone,
    versions: { 'Node.js': process.versions.node, 'p-limit': JSON.parse(description).version },
}));
