//! A limit over a fleet, with a store in memory. The tests speak for the other processes.

use crate::browser::Browser;
use crate::program::{Program, wait_until};
use limit_fleet::message::{NodeId, Renewal, Times};
use limit_fleet::{Fleet, LeaseStore, LedgerName, MemoryStore};
use limit_runtime::{Limiter, Scope};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const TIMES: Times = Times { ttl: 6_000_000, hold: 0 };

/// Lists the cards that move, and what moves in the two tables of a fleet.
const WATCH_SHIFTS: &str = "window.shifts = [], new PerformanceObserver(list => {
    const nodes = list.getEntries().flatMap(entry => entry.sources.map(source => source.node));
    const elements = nodes.map(node => (node?.nodeType === Node.TEXT_NODE ? node.parentElement : node));
    const ours = elements.filter(node => node?.matches('.card, #fleet *, #shares *'));
    window.shifts.push(...ours.map(node => node.outerHTML.slice(0, 200)));
}).observe({ type: 'layout-shift' })";

/// A process that runs so many calls of a limiter, speaks often, and wants another one.
struct Other {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Other {
    fn start(
        store: MemoryStore,
        limiter: &'static str,
        node: &'static str,
        running: u32,
        limit: u32,
    ) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let ledger = LedgerName::new("default", limiter);
            let (mut seq, mut share) = (0, 0);
            while !stopped.load(Ordering::Relaxed) {
                seq += 1;
                let node = NodeId(node.to_owned());
                let want = running + 1;
                // It gives back what it cannot use.
                let (running, claim) = (running.min(share), want.min(share));
                let message = Renewal { node, seq, claim, running, want, limit, token: 0 };
                let answer = runtime
                    .as_ref()
                    .expect("a runtime")
                    .block_on(store.renew(&ledger, &TIMES, &message));
                share = answer.map_or(0, |answer| answer.share);
                thread::sleep(Duration::from_millis(50));
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

#[test]
fn a_limit_over_a_fleet_says_who_has_which_share() {
    static SHARED: Limiter = Limiter::new("fleet::shared", 6).scope(Scope::Fleet);
    static LOCAL: Limiter = Limiter::new("fleet::local", 6);
    let Some(browser) = Browser::start_alone(1440, 1500) else { return };
    let program = Program::writable();
    let store = MemoryStore::new();
    let fleet = program.run(Fleet::on(store.clone()).start()).expect("it is the only one");
    let other = Other::start(store.clone(), "fleet::shared", "web-2/71/00000000000000a2#1", 2, 6);
    let ledger = LedgerName::new("default", "fleet::shared");
    let has_its_share = || {
        let view = program.run(store.find(&ledger)).expect("the store is reachable");
        view.is_some_and(|view| view.nodes.iter().any(|node| node.share >= 3))
    };
    wait_until(has_its_share);
    program.calls(&LOCAL, 1);
    program.calls(&SHARED, 9);
    wait_until(|| SHARED.snapshot().total.in_use == 3);

    // The table.
    browser.go(&program.url());
    browser.fill("#filter", "fleet::");
    browser.until_is("cells('fleet::shared')[1]?.split(' · ').at(-1) ?? ''", "fleet 5 / 6");
    assert_eq!(browser.value("[...row('fleet::shared').querySelectorAll('.badge')].some(badge => badge.textContent === 'fleet')"), true);
    assert_eq!(browser.value("cells('fleet::local').join().includes('fleet ')"), false);
    let label = "$('[data-name=\"fleet::shared\"] .bars').getAttribute('aria-label')";
    browser.until_is(
        label,
        "3 of 3 permits in use here; over the fleet 5 of 6 permits in use, by 2 processes",
    );

    // The limiter.
    browser.go(&program.url_of("fleet::shared"));
    browser.until("!$('#detail-body').hidden && !$('#fleet').hidden && !$('#shares').hidden");
    // From now on the tables and the cards stay where they are.
    browser.value(WATCH_SHIFTS);
    let members =
        "[...$('#members').rows].map(row => [...row.cells].map(cell => cell.textContent))";
    let here = format!("this process: {}#", fleet.process());
    browser.until("/^this process/.test(text('#members')) && $('#members').rows.length === 2");
    let value = browser.value(members);
    assert!(value[0][0].as_str().is_some_and(|name| name.starts_with(&here)), "{value}");
    assert_eq!(value[1], json!(["web-2/71/00000000000000a2#1", "the limiter", "3", "2", "3"]));
    assert_eq!(
        value[0].as_array().expect("cells")[1..4],
        json!(["the limiter", "3", "3"]).as_array().expect("cells")[..]
    );
    assert_eq!(browser.value("$('#members .here').rowIndex"), 1);
    let ledger = "[...$('#ledgers').rows[0].cells].map(cell => cell.textContent)";
    browser.until(&format!("{ledger}.slice(0, 5).join() === 'the limiter,5 / 6,3,2,0'"));
    browser.until(&format!("/^[0-9.]+ s$/.test({ledger}[5]) && {ledger}[6] > 0 && {ledger}.slice(7, 9).join() === '0,0'"));
    let left = browser.value(&format!("{ledger}[5]"));
    browser.until(&format!("{ledger}[5] !== {left}"));
    browser.is_accessible();
    browser.nothing_sticks_out();
    assert_eq!(browser.value("window.shifts"), json!([]));
    assert_eq!(browser.value("text('#limit-of')"), "over the fleet");
    browser.picture("fleet");
    browser.dark(true);
    browser.picture("fleet-dark");
    browser.dark(false);

    // Another process wants less.
    drop(other);
    let other = Other::start(store.clone(), "fleet::shared", "web-3/5/00000000000000a3#1", 1, 4);
    browser.until("/another one wants 4/.test(text('#detail-warnings'))");
    browser.until(&format!("/[/] 4$/.test({ledger}[1])"));
    browser.picture("fleet-disagrees");
    drop(other);

    // The store is away.
    store.set_reachable(false);
    browser.until(&format!("{ledger}[5] === 'none' && {ledger}[8] !== '0'"));
    browser.picture("fleet-cut-off");
    store.set_reachable(true);

    // A limiter without a fleet has no such tables.
    browser.go(&program.url_of("fleet::local"));
    browser.until("!$('#detail-body').hidden && text('#detail-name') === 'fleet::local'");
    browser.until("$('#fleet').hidden && $('#shares').hidden");
    drop(fleet);
    browser.finish(&[]);
}
