//! The order of rows, by the page's own scripts and without its elements.

use crate::browser::Browser;
use crate::program::Program;
use serde_json::json;

/// Makes rows, and draws numbers that are the same in each run.
const ROWS: &str = "let seed = 1;
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    const rowOf = (name, figures) => ({ name, limit: 4, capacity: 4, in_use: 0, waiting: 0, keys: null, total: null,
        worst_key: null, full_keys: null, rejected: {}, admitted: 0, oldest_wait: null, stalled: null, oldest_holder: null,
        paused: false, closed: false, enabled: true, shadow: false, deadlock: false, ...figures });
    const load = name => import(new URL(name, location.href));";

/// Runs a script with the modules of the page. Its last line returns a value.
fn run(browser: &Browser, script: &str) -> serde_json::Value {
    browser.value(&format!("(async () => {{ {ROWS} {script} }})()"))
}

/// Opens an address beside the page, which has no scripts.
fn start() -> Option<(Browser, Program)> {
    let browser = Browser::start(800, 600)?;
    let program = Program::read_only();
    browser.go(&format!("{}/openapi.json", program.url()));
    Some((browser, program))
}

#[test]
fn stuck_comes_before_refusing_before_waiting_before_busy() {
    let Some((browser, _program)) = start() else { return };
    let order = run(
        &browser,
        "const { rankOf, compareRanks } = await load('severity.js');
        const rows = [
            rowOf('idle', {}),
            rowOf('busy', { in_use: 1 }),
            rowOf('full', { in_use: 4 }),
            rowOf('waiting', { in_use: 4, waiting: 5000, stalled: 3 }),
            rowOf('refusing', { in_use: 4, rejected: { queue_full: 0.5 } }),
            rowOf('stuck', { in_use: 4, waiting: 1, stalled: 10 }),
            rowOf('paused', { waiting: 9000, paused: true, limit: 0, capacity: 0 }),
            rowOf('deadlock', { in_use: 4, waiting: 1, deadlock: true }),
            rowOf('keyed', { keys: 2, capacity: null, in_use: 7, worst_key: { key: 'a', in_use: 3, limit: 3, waiting: 0 }, full_keys: 1 }),
            rowOf('total', { keys: 9, capacity: null, in_use: 3, total: 4, worst_key: { key: 'a', in_use: 1, limit: 4, waiting: 0 }, full_keys: 0 }),
        ];
        for (const row of rows) row.rank = rankOf(row, null, 0);
        return rows.sort(compareRanks).map(row => row.name);",
    );
    let wanted = [
        "deadlock", "stuck", "refusing", "paused", "waiting", "full", "keyed", "total", "busy",
        "idle",
    ];
    assert_eq!(order, json!(wanted));
    browser.finish(&["favicon.ico"]);
}

#[test]
fn a_row_that_is_better_for_less_than_half_a_minute_keeps_its_rank() {
    let Some((browser, _program)) = start() else { return };
    let levels = run(
        &browser,
        "const { rankOf } = await load('severity.js');
        const [bad, well] = [rowOf('a', { waiting: 8 }), rowOf('a', {})];
        let rank = null;
        const levels = [];
        for (let second = 0; second < 80; second += 1) {
            // It is bad in the seconds 5 and 32, and well in all others.
            rank = rankOf(second === 5 || second === 32 ? bad : well, rank, second * 1000);
            levels.push(rank.level);
        }
        return [levels.indexOf(2), levels.lastIndexOf(2), levels.slice(5, 62).every(level => level === 2)];",
    );
    // Up at once, down half a minute after the first in which it was better.
    assert_eq!(levels, json!([5, 62, true]));
    browser.finish(&["favicon.ico"]);
}

#[test]
fn rows_keep_their_places_while_figures_of_ten_thousand_go_up_and_down() {
    let Some((browser, _program)) = start() else { return };
    let moved = run(
        &browser,
        "const { fill, merge, known } = await load('known.js');
        const { arrange } = await load('order.js');
        const figures = n => ({ in_use: Math.floor(random() * 5), waiting: n % 3 === 0 && random() < 0.5 ? Math.floor(random() * 40) : 0,
            rejected: { queue_full: n % 50 === 0 && random() < 0.3 ? random() * 9 : 0 } });
        const rows = () => Array.from({ length: 10000 }, (_, n) => rowOf(`limiter ${n}`, figures(n)));
        fill({ process: { run: 'a', started: 0 }, tick: 1, time: 0, interval: 1, writable: false, limiters: rows() });
        let before = arrange(false).slice(0, 20);
        const moved = [];
        for (let tick = 2; tick < 122; tick += 1) {
            merge({ tick, time: tick * 1000, limiters: rows(), removed: [] });
            const now = arrange(false).slice(0, 20);
            moved.push(now.filter((name, at) => name !== before[at]).length);
            before = now;
        }
        return [moved.length, moved.filter(rows => rows > 0).length, moved.slice(60).reduce((all, rows) => all + rows, 0)];",
    );
    let [ticks, unsteady, late] = [0, 1, 2].map(|at| moved[at].as_u64().expect("a number"));
    // Once in five seconds at most, and not at all when the peaks are known.
    assert_eq!(ticks, 120);
    assert!(unsteady <= 24, "{moved}");
    assert_eq!(late, 0, "{moved}");
    browser.finish(&["favicon.ico"]);
}
