//! Pictures of each state of the page: light, dark, and in forced colours, at five widths.

use crate::browser::Browser;
use crate::loads::{callers, callers_of_a_backend, callers_of_keys, search, troubles};
use crate::program::Program;
use limit_config::Config;
use limit_runtime::{KeyedLimiter, Limiter, Rejected};
use limit_tests::deadlock::Deadlock;
use serde_json::json;
use std::fs;
use std::time::Duration;

const SIZES: [(u32, u32); 5] = [(390, 844), (768, 900), (1200, 900), (1280, 900), (1680, 950)];

/// Takes the pictures of a state, as `NAME-WIDTH-LOOK.png`.
fn take(browser: &Browser, name: &str) {
    // Forced colours come last: the browser keeps their ground until it loads another page.
    for look in ["light", "dark", "forced"] {
        let scheme = if look == "dark" { "dark" } else { "light" };
        let forced = if look == "forced" { "active" } else { "none" };
        browser.devtools(
            "Emulation.setEmulatedMedia",
            &json!({ "features": [
                { "name": "prefers-color-scheme", "value": scheme },
                { "name": "forced-colors", "value": forced },
            ] }),
        );
        for (width, height) in SIZES {
            browser.resize(width, height);
            browser.value(
                "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))",
            );
            browser.nothing_sticks_out();
            browser.picture(&format!("gallery/{name}-{width}-{look}"));
            if look != "forced" {
                for finding in browser.axe_findings("") {
                    eprintln!("{name}, {width} px, {look}: {finding}");
                }
            }
        }
    }
    browser.resize(1280, 900);
    browser.dark(false);
}

/// Opens a limiter, waits until its charts are there, and takes its pictures: the beginning, and the charts.
fn take_limiter(browser: &Browser, program: &Program, limiter: &str, name: &str) {
    browser.go(&program.url_of(limiter));
    browser.until(
        "!$('#detail-body').hidden && document.querySelectorAll('#charts .plot svg').length === 5",
    );
    wait(browser, 5);
    take(browser, name);
    browser.go("about:blank");
}

fn wait(browser: &Browser, seconds: u32) {
    browser.value("window.since = Date.now()");
    browser.until(&format!("Date.now() - since > {seconds}000"));
}

/// Makes the pictures.
pub(crate) fn every_state() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    let mut program = Program::writable();
    search(&program);
    browser.go(&program.url());
    browser.until("rows().length === 1");
    wait(&browser, 12);
    take(&browser, "well");

    troubles(&program);
    more_states(&program);
    browser.go("about:blank");
    browser.go(&program.url());
    browser.until("row('shop::imports::nightly')?.matches('.stuck')");
    wait(&browser, 20);
    take(&browser, "troubles");
    for (limiter, name) in [
        ("shop::imports::nightly", "stuck"),
        ("shop::orders", "tenants"),
        ("shop::report", "refusing"),
        ("shop::download", "full"),
        ("shop::bank::exchange_rate", "shadow"),
        ("shop::db", "adaptive"),
        ("shop::mail", "advice"),
        ("shop::cache", "held"),
        ("shop::shared", "held-total"),
        ("shop::upload", "paused"),
    ] {
        take_limiter(&browser, &program, limiter, name);
    }
    let deadlock = Deadlock::begin();
    take_limiter(&browser, &program, "deadlock::orders", "deadlock");
    deadlock.end();

    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("service.toml");
    fs::write(&path, "").expect("it can be written");
    let watcher = Config::watch(&path).interval(Duration::from_millis(20)).start();
    let watcher = watcher.expect("an empty file is right");
    browser.go(&program.url());
    browser.until("rows().length > 8");
    fs::write(&path, "[\"shop::report\"]\nlimt = 3\n").expect("it can be written");
    browser.until("!$('#settings-problem').hidden");
    take(&browser, "file");
    drop(watcher);

    program.stop();
    browser.until("!$('#trouble').hidden");
    wait(&browser, 3);
    take(&browser, "lost");
    program.start();
    browser.until("$('#trouble').hidden && !$('#restart').hidden");
    take(&browser, "restarted");
}

/// Makes limiters in the other states.
fn more_states(program: &Program) {
    static UPLOAD: Limiter = Limiter::new("shop::upload", 3);
    static LEGACY: Limiter<Rejected> = Limiter::new("shop::legacy", 3).max_waiting(9);
    static CACHE: Limiter = Limiter::adaptive("shop::cache", 4..=200);
    static MAIL: Limiter = Limiter::adaptive("shop::mail", 4..=200).start(30).advise();
    static SHARED: KeyedLimiter = Limiter::new("shop::shared", 8).keyed().adaptive_total(4..=200);
    callers(program, &UPLOAD, 2, 90);
    callers(program, &CACHE, 20, 9);
    callers_of_keys(program, &SHARED, 20);
    UPLOAD.set_limit(0);
    CACHE.set_limit(12);
    SHARED.set_total(10);
    let _ = LEGACY.try_acquire();
    LEGACY.close();
    callers_of_a_backend(program, &MAIL, 20, 90);
}
