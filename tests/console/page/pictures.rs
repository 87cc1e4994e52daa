//! Makes the pictures of the table and of a limiter, or pictures of each state in `target/console/gallery`, or prints the
//! page's work for ten thousand limiters. It asserts nothing.
//!
//! `cargo run -p limit-tests --all-features --example page -- picture`, or `-- gallery`, or `-- work`

#[expect(dead_code, reason = "the tests use the rest")]
mod browser;
mod gallery;
mod loads;
#[expect(dead_code, reason = "the tests use the rest")]
mod program;

use crate::browser::Browser;
use crate::loads::{search, troubles};
use crate::program::Program;
use limit_runtime::Limiter;
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::sleep;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("picture") => pictures_for_the_documentation(),
        Some("work") => work_for_ten_thousand_limiters(),
        Some("gallery") => gallery::every_state(),
        _ => eprintln!("say `picture`, `gallery` or `work`"),
    }
}

/// Writes README's picture of the table, and that of a limiter.
fn pictures_for_the_documentation() {
    let Some(browser) = Browser::start(1200, 472) else { return };
    let program = Program::writable();
    search(&program);
    troubles(&program);
    browser.go(&program.url());
    browser.until("row('shop::imports::nightly')?.matches('.stuck') && rows().length === 7");
    // The lines are those of a whole minute.
    browser.value("window.since = Date.now()");
    browser.until("Date.now() - since > 65000");
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets");
    browser.picture_at(&assets.join("console-table.png"));
    browser.resize(1280, 1000);
    browser.click("[data-name='shop::report'] a");
    browser.until(
        "!$('#detail-body').hidden && document.querySelectorAll('#charts .plot svg').length === 5",
    );
    browser.until("!$('#detail-body').hidden && $('#holders-places').rows.length > 0");
    browser.picture_at(&assets.join("console-detail.png"));
}

/// Prints the page's work for ten thousand limiters.
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

/// Returns the seconds for which the page has worked so far: in scripts, on the layout and on styles.
fn work(browser: &Browser) -> Vec<(&'static str, f64)> {
    browser.devtools("Performance.enable", &json!({}));
    let answer = browser.devtools("Performance.getMetrics", &json!({}));
    let metrics = answer["metrics"].as_array().expect("a list");
    let names = [
        ("script", "ScriptDuration"),
        ("layout", "LayoutDuration"),
        ("style", "RecalcStyleDuration"),
        ("everything", "TaskDuration"),
    ];
    let value = |name: &str| {
        let metric = metrics.iter().find(|metric| metric["name"] == name);
        metric.and_then(|metric| metric["value"].as_f64()).expect("a figure")
    };
    names.map(|(word, name)| (word, value(name))).into()
}

/// Prints the milliseconds of each second that the page works.
fn measure(browser: &Browser, state: &str) {
    const SECONDS: u32 = 10;
    let wait = |milliseconds: u32| {
        browser.value("window.since = Date.now()");
        browser.until(&format!("Date.now() - since > {milliseconds}"));
    };
    wait(3000);
    let before = work(browser);
    wait(SECONDS * 1000);
    let after = work(browser);
    let figures: Vec<_> = after
        .iter()
        .zip(&before)
        .map(|((name, after), (_, before))| {
            format!("{name} {:.1}", (after - before) * 1000.0 / f64::from(SECONDS))
        })
        .collect();
    eprintln!("{state}: {} ms a second", figures.join(", "));
}
