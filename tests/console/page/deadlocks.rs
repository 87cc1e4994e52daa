//! Calls that wait for each other.

use crate::browser::Browser;
use crate::program::Program;
use fantoccini::key::Key;
use limit_runtime::Limiter;
use limit_tests::deadlock::{Deadlock, NAMES};
use serde_json::json;

#[test]
fn limiters_of_a_deadlock_come_first_and_show_who_waits_for_whom() {
    static BUSY: Limiter = Limiter::new("deadlock::busy", 2);
    let Some(browser) = Browser::start_alone(1440, 900) else { return };
    // A limiter that is better keeps its place for half a minute.
    browser.hurry(10);
    let program = Program::writable();
    program.calls(&BUSY, 30);
    let deadlock = Deadlock::begin();
    browser.go(&program.url());
    browser.fill("#filter", "deadlock::");
    browser.until_is(
        "rows().filter(name => $(`[data-name=\"${name}\"] .badge.bad`)?.textContent === 'deadlock').sort()",
        json!(NAMES),
    );
    browser.value("document.activeElement.blur()");
    browser.until("rows().length === 3 && rows()[2] === 'deadlock::busy'");
    browser.picture("deadlock-table");

    // The keyboard opens a limiter, and goes on to the other one.
    browser.value("$('[data-name=\"deadlock::orders\"] a').focus()");
    browser.press(&Key::Enter.to_string());
    browser.until(
        "$('#deadlock')?.checkVisibility() && $('#deadlocks').querySelectorAll('li').length === 2",
    );
    browser.until("text('#deadlock-words').startsWith('Deadlock: these calls wait for ever')");
    browser.until("text('#deadlocks p').startsWith('2 calls wait for each other, for ')");
    assert_eq!(
        browser.value("[...document.querySelectorAll('#deadlocks li')].every(call => /^waits at deadlock::[a-z]+: .*deadlock\\.rs:[0-9:]+, task [0-9]+, for [0-9]+ s/.test(call.textContent) && /held by .*deadlock\\.rs:/.test(call.textContent))"),
        true
    );
    browser.value("[window.seen = text('#deadlocks'), $('#deadlocks a').focus()]");
    browser.until("text('#deadlocks') !== seen");
    assert_eq!(browser.value("document.activeElement === $('#deadlocks a')"), true);
    browser.is_accessible();
    browser.nothing_sticks_out();
    browser.picture("deadlock");
    browser.dark(true);
    browser.picture("deadlock-dark");
    browser.dark(false);
    // If there is more than fits, the keyboard can scroll it.
    assert_eq!(browser.value("$('#deadlock').getAttribute('tabindex')"), json!(null));
    browser.value("$('#deadlock').style.maxHeight = '60px'");
    browser.until_is("$('#deadlock').getAttribute('tabindex')", "0");
    browser.value("$('#deadlock').style.maxHeight = ''");
    browser.press(&Key::Enter.to_string());
    browser.until(
        "text('#detail-name') === 'deadlock::stock' && text('#deadlocks b') === 'deadlock::stock'",
    );

    browser.resize(375, 800);
    browser.nothing_sticks_out();
    browser.picture("deadlock-phone");

    deadlock.end();
    browser.until("$('#deadlock').hidden && !$('#detail-about .bad')");
    browser.click("#close");
    // The row that was open has the focus, and would keep all rows where they are.
    browser.value("document.activeElement.blur()");
    browser.until("rows()[0] === 'deadlock::busy' && ![...document.querySelectorAll('#rows .bad')].some(badge => badge.textContent === 'deadlock')");
    browser.finish(&[]);
}
