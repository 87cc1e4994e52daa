//! Pictures and measurements for people. They assert nothing, and run only when they are asked for, each in a process of its own:
//! `cargo test -p limit-tests --all-features --test page -- --ignored --nocapture NAME`.

use crate::browser::Browser;
use crate::program::Program;
use limit_runtime::{KeyedLimiter, Limiter, Rejected};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// Makes so many callers of a limiter. Each call takes so long.
fn callers(program: &Program, limiter: &'static Limiter, callers: usize, milliseconds: u64) {
    for _ in 0..callers {
        program.spawn(async move {
            loop {
                let _permit = limiter.acquire().await;
                sleep(Duration::from_millis(milliseconds)).await;
            }
        });
    }
}

#[test]
#[ignore = "writes README's picture"]
fn table_for_the_readme() {
    static IMPORT: Limiter = Limiter::new("shop::imports::nightly", 1);
    static REPORT: Limiter<Rejected> = Limiter::new("shop::report", 2).max_waiting(60);
    static ORDERS: KeyedLimiter = Limiter::new("shop::orders", 3).keyed().total(40);
    static DOWNLOAD: Limiter = Limiter::new("shop::download", 4);
    static SEARCH: Limiter = Limiter::new("shop::search", 16);
    static EXCHANGE: Limiter = Limiter::new("shop::bank::exchange_rate", 6).shadow();
    let Some(browser) = Browser::start(1200, 440) else { return };
    let program = Program::writable();
    program.calls(&IMPORT, 8);
    callers(&program, &DOWNLOAD, 7, 700);
    callers(&program, &SEARCH, 11, 12);
    callers(&program, &EXCHANGE, 3, 90);
    for (key, tasks) in [("acme", 40), ("globex", 2), ("initech", 2)] {
        for _ in 0..tasks {
            program.spawn(async move {
                loop {
                    let _permit = ORDERS.key(key.to_owned()).acquire().await;
                    sleep(Duration::from_millis(200)).await;
                }
            });
        }
    }
    for n in 0..90 {
        program.spawn(async move {
            loop {
                let permit = REPORT.acquire().await;
                let time = if permit.is_ok() { 100 } else { 1500 + 10 * n };
                sleep(Duration::from_millis(time)).await;
            }
        });
    }
    browser.go(&program.url());
    browser.until("row('shop::imports::nightly')?.matches('.stuck') && rows().length === 6");
    // The lines are those of a whole minute.
    browser.value("window.since = Date.now()");
    browser.until("Date.now() - since > 65000");
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets");
    browser.picture_at(&assets.join("console-table.png"));
}

#[test]
#[ignore = "prints the page's work for ten thousand limiters"]
fn work_for_ten_thousand_limiters() {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::read_only();
    let limiters: &'static [Limiter] = Vec::leak(
        (0..10_000).map(|n| Limiter::named(format!("many::{n:05}"), 1 + n % 20)).collect(),
    );
    let _used: Vec<_> = limiters.iter().map(|limiter| drop(limiter.try_acquire())).collect();
    // Three hundred of them are called all the time, a few at once.
    for limiter in limiters.iter().step_by(33) {
        for _ in 0..6 {
            program.spawn(async move {
                loop {
                    let _permit = limiter.acquire().await;
                    let random = NEXT.fetch_add(7919, Ordering::Relaxed) % 400;
                    sleep(Duration::from_millis(100 + random as u64)).await;
                }
            });
        }
    }
    browser.go(&program.url());
    browser.until_is("text('#count')", "10,000 limiters");
    browser.point_nowhere();
    measure(&browser, "the pointer is out of the table");
    browser.point("#rows tr:nth-child(5) .use");
    measure(&browser, "the pointer is in the table");
    browser.point_nowhere();
    browser.value("scrollTo(0, 160000)");
    measure(&browser, "scrolled to the middle");
}

/// Prints the milliseconds of each second that the page works.
fn measure(browser: &Browser, state: &str) {
    const SECONDS: u32 = 10;
    let wait = |milliseconds: u32| {
        browser.value("window.since = Date.now()");
        browser.until(&format!("Date.now() - since > {milliseconds}"));
    };
    wait(3000);
    let before = browser.work();
    wait(SECONDS * 1000);
    let after = browser.work();
    let figures: Vec<_> = after
        .iter()
        .zip(&before)
        .map(|((name, after), (_, before))| {
            format!("{name} {:.1}", (after - before) * 1000.0 / f64::from(SECONDS))
        })
        .collect();
    eprintln!("{state}: {} ms a second", figures.join(", "));
}
