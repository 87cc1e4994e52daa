//! Changing limits from the page.

use crate::browser::Browser;
use crate::program::{Program, TOKEN, wait_until};
use fantoccini::key::Key;
use limit_runtime::{Limiter, find};
use serde_json::json;

/// Opens the limiter, and waits until it can be changed.
pub(crate) fn open(browser: &Browser, program: &Program, name: &str) {
    browser.go(&program.url_of(name));
    browser.until("!$('#detail-body').hidden && !$('#controls').disabled");
}

#[test]
fn a_limit_that_is_raised_drains_the_queue_which_is_said() {
    static RAISED: Limiter = Limiter::new("knob::raised", 3);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::writable();
    program.calls(&RAISED, 40);
    open(&browser, &program, "knob::raised");
    browser.until_is("$('#limit').value", "3");
    browser.until("text('#facts').includes('Waiting37')");
    browser.fill("#token", TOKEN);
    browser.fill("#by", "ops");

    browser.click("#greater");
    assert_eq!(browser.value("$('#limit').value"), "4");
    browser.fill("#limit", "64");
    browser.click("#set");
    browser.until_is("text('#said')", "limit 3 → 64");
    let limiter = find("knob::raised").expect("it has been used");
    assert_eq!(limiter.limit(), Some(64));
    wait_until(|| limiter.snapshot().total.waiting == 0);
    assert_eq!(limiter.snapshot().total.in_use, 40);
    browser.until("/^queue 37 → 0 (at once|in [0-9.]+ m?s)$/.test(text('#effect'))");

    browser.until("text('#facts').includes('Waiting0')");
    browser.until("cells('knob::raised')[1] === '40 / 64'");
    browser.until_is(
        "[...$('#changes').rows[0].cells].slice(1).map(cell => cell.textContent)",
        json!(["limit", "3", "64", "ops (127.0.0.1)"]),
    );
    browser.until("cells('knob::raised')[0].includes('set live')");
    browser.picture("changed");

    browser.click("#reset");
    browser.until_is("text('#said')", "limit 64 → 3");
    assert_eq!(limiter.limit(), Some(3));
    browser.until("$('#reset').hidden");
    // The token is kept as long as the tab, and nowhere else.
    assert_eq!(
        browser.value("[sessionStorage.length, localStorage.length, document.cookie]"),
        json!([2, 0, ""])
    );
    browser.finish(&[]);
}

#[test]
fn a_limit_is_enforced_in_the_shadow_or_off_and_the_page_shows_which() {
    static FORCED: Limiter = Limiter::new("knob::forced", 2);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::writable();
    program.calls(&FORCED, 1);
    open(&browser, &program, "knob::forced");
    let limiter = find("knob::forced").expect("it has been used");
    // Before a change the reader knows what it needs, and that it can be undone.
    assert_eq!(browser.value("text('#hint')"), "A change can be undone for 30 s.");
    assert_eq!(browser.value("$('#token').placeholder"), "of Options::writable");
    browser.fill("#token", TOKEN);
    let pressed = "[...document.querySelectorAll('.segments [aria-pressed=true]')].map(button => button.textContent)";
    browser.until_is(pressed, json!(["Enforced"]));
    let is = || {
        let settings = limiter.settings();
        (settings.enabled.value, settings.shadow.value)
    };

    browser.click("#shadow");
    browser.until_is("text('#said')", "shadow off → on");
    browser.until_is(pressed, json!(["Shadow"]));
    assert_eq!(is(), (true, true));
    browser.until("cells('knob::forced')[0].includes('shadow')");
    browser.is_accessible();
    browser.picture("shadow");
    // The one that is so already is said to be.
    browser.click("#shadow");
    browser.until_is("text('#said')", "Nothing to change: it is so already.");
    browser.click("#off");
    browser.until_is(pressed, json!(["Off"]));
    assert!(!is().0);
    browser.click("#enforce");
    browser.until_is(pressed, json!(["Enforced"]));
    assert_eq!(is(), (true, false));
    browser.finish(&[]);
}

#[test]
fn a_pause_is_confirmed_and_ends_with_a_click() {
    static PAUSED: Limiter = Limiter::new("knob::paused", 2);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::writable();
    program.calls(&PAUSED, 1);
    open(&browser, &program, "knob::paused");
    let limiter = find("knob::paused").expect("it has been used");
    browser.fill("#token", TOKEN);

    browser.click("#pause");
    browser.until("$('#confirm').open && text('#confirm-words').includes('knob::paused')");
    assert_eq!(browser.value("document.activeElement.textContent"), "Cancel");
    browser.is_accessible();
    browser.picture("pause");
    browser.press(&Key::Escape.to_string());
    browser.until("!$('#confirm').open");
    assert_eq!(browser.value("[$('#detail').hidden, text('#said')]"), json!([false, ""]));
    assert_eq!(limiter.limit(), Some(2));

    browser.click("#pause");
    browser.click("#confirm button.main");
    browser.until_is("text('#said')", "limit 2 → 0");
    assert_eq!(limiter.limit(), Some(0));
    browser.until("text('#pause') === 'Resume' && cells('knob::paused')[0].includes('paused')");
    program.calls(&PAUSED, 1);
    browser.until("text('#facts').includes('Waiting1')");
    browser.picture("paused");
    browser.click("#pause");
    browser.until_is("text('#said')", "limit 0 → 2");
    wait_until(|| limiter.snapshot().total.in_use == 2);
    browser.until("text('#pause') === 'Pause…'");
    browser.finish(&[]);
}

#[test]
fn a_token_that_is_known_is_behind_a_lock() {
    static LOCKED: Limiter = Limiter::new("knob::locked", 2);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::writable();
    program.calls(&LOCKED, 1);
    open(&browser, &program, "knob::locked");
    let shown = "[$('#access').checkVisibility(), $('#lock').checkVisibility()]";
    browser.until_is(shown, json!([true, false]));
    browser.fill("#token", TOKEN);
    browser.fill("#by", "ops");
    browser.click("#greater");
    browser.click("#set");
    browser.until_is("text('#said')", "limit 2 → 3");
    browser.until_is(shown, json!([false, true]));
    assert_eq!(browser.value("text('#lock-name')"), "ops");
    browser.click("#lock");
    assert_eq!(browser.value(shown), json!([true, true]));
    assert_eq!(
        browser.value("[document.activeElement.id, $('#lock').ariaExpanded]"),
        json!(["token", "true"])
    );
    browser.click("#lock");
    assert_eq!(browser.value(shown), json!([false, true]));
    // It is known to this tab.
    browser.value("location.reload()");
    browser.until("!$('#detail-body').hidden && !$('#controls').disabled");
    browser.until_is(shown, json!([false, true]));
    browser.finish(&[]);
}

#[test]
fn the_knob_stays_in_sight_in_one_row() {
    static STICKY: Limiter = Limiter::new("knob::sticky", 2);
    let Some(browser) = Browser::start(1200, 700) else { return };
    let program = Program::writable();
    program.calls(&STICKY, 1);
    open(&browser, &program, "knob::sticky");
    let middle =
        |id: &str| format!("(box => box.top + box.height / 2)($('#{id}').getBoundingClientRect())");
    let rows = ["limit", "max-waiting", "max-wait", "set", "enforce", "off", "pause"];
    let middles = rows.map(middle).join(", ");
    let below = "$('#knob').getBoundingClientRect()";
    for (width, height) in [(1200, 700), (1280, 700), (1680, 700), (768, 700), (390, 844)] {
        browser.resize(width, height);
        browser.until(&format!("innerWidth === {width}"));
        browser.value("[scrollTo(0, 0), $('#detail').scrollTo(0, 0)].length");
        if width > 500 {
            browser.until(&format!("new Set([{middles}].map(Math.round)).size === 1"));
        }
        browser.value("[scrollTo(0, 600), $('#detail').scrollTo(0, 600)].length");
        browser
            .until("text('#charts-title') && $('#charts-title').getBoundingClientRect().top < 60");
        browser.until(&format!("{below}.top >= -5 && {below}.top < 80 && {below}.bottom < 260"));
        browser.nothing_sticks_out();
        browser.picture(&format!("sticky-{width}"));
    }
    browser.finish(&[]);
}

#[test]
fn a_console_that_only_shows_has_no_knob() {
    static SHOWN: Limiter = Limiter::new("knob::shown", 5);
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::read_only();
    program.calls(&SHOWN, 1);
    browser.go(&program.url_of("knob::shown"));
    browser.until("!$('#detail-body').hidden && !$('#read-only').hidden");
    assert_eq!(browser.value("$('#controls').hidden && $('#controls').disabled"), true);
    browser.picture("read-only");
    browser.finish(&[]);
}

#[test]
fn a_link_brings_the_token_and_does_not_keep_it() {
    static LINKED: Limiter = Limiter::new("knob::linked", 2);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::writable();
    program.calls(&LINKED, 1);
    let token: String = url::form_urlencoded::byte_serialize(TOKEN.as_bytes()).collect();
    browser.go(&format!("{}&token={token}", program.url_of("knob::linked")));
    browser.until("!$('#detail-body').hidden && !$('#controls').disabled");
    assert_eq!(browser.value("$('#token').value"), TOKEN);
    assert_eq!(browser.value("location.hash"), "#name=knob%3A%3Alinked");
    browser.click("#greater");
    browser.click("#set");
    browser.until_is("text('#said')", "limit 2 → 3");
    assert_eq!(find("knob::linked").expect("it has been used").limit(), Some(3));
    browser.finish(&[]);
}
