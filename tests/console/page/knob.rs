//! Changing limits from the page.

use crate::browser::Browser;
use crate::program::{Program, TOKEN, wait_until};
use limit_runtime::{Limiter, find};
use serde_json::json;

/// Opens the limiter, and waits until it can be changed.
fn open(browser: &Browser, program: &Program, name: &str) {
    browser.go(&program.url_of(name));
    browser.until("!$('#detail-body').hidden && !$('#controls').disabled");
}

#[test]
fn a_limit_that_is_raised_drains_the_queue() {
    static RAISED: Limiter = Limiter::new("knob::raised", 3);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::writable();
    program.calls(&RAISED, 40);
    open(&browser, &program, "knob::raised");
    assert_eq!(browser.value("$('#limit').value"), "3");
    browser.until("text('#facts').includes('Waiting37')");
    browser.fill("#token", TOKEN);
    browser.fill("#by", "ops");

    browser.click("#greater");
    assert_eq!(browser.value("$('#limit').value"), "4");
    browser.fill("#limit", "64");
    browser.click("#set");
    browser.until_is("text('#said')", "Done: limit was 3, is 64.");
    let limiter = find("knob::raised").expect("it has been used");
    assert_eq!(limiter.limit(), Some(64));
    wait_until(|| limiter.snapshot().total.waiting == 0);
    assert_eq!(limiter.snapshot().total.in_use, 40);

    browser.until("text('#facts').includes('Waiting0')");
    browser.until("cells('knob::raised')[1] === '40 / 64'");
    browser.until_is(
        "[...$('#changes').rows[0].cells].slice(1).map(cell => cell.textContent)",
        json!(["limit", "3", "64", "ops (127.0.0.1)"]),
    );
    browser.until("cells('knob::raised')[0].includes('set live')");
    browser.picture("changed");

    browser.click("#reset");
    browser.until_is("text('#said')", "Done: limit was 64, is 3.");
    assert_eq!(limiter.limit(), Some(3));
    // The token is kept as long as the tab, and nowhere else.
    assert_eq!(
        browser.value("[sessionStorage.length, localStorage.length, document.cookie]"),
        json!([2, 0, ""])
    );
    browser.finish(&[]);
}

#[test]
fn a_limiter_is_paused_put_in_the_shadow_and_switched_off() {
    static SWITCHED: Limiter = Limiter::new("knob::switched", 2);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::writable();
    program.calls(&SWITCHED, 1);
    open(&browser, &program, "knob::switched");
    let limiter = find("knob::switched").expect("it has been used");
    browser.fill("#token", TOKEN);

    browser.click("#pause");
    browser.until_is("text('#said')", "Done: limit was 2, is 0.");
    assert_eq!(limiter.limit(), Some(0));
    browser.until("text('#pause') === 'Resume' && cells('knob::switched')[0].includes('paused')");
    program.calls(&SWITCHED, 1);
    browser.until("cells('knob::switched')[2] === '1'");
    browser.click("#pause");
    browser.until_is("text('#said')", "Done: limit was 0, is 2.");
    assert_eq!(limiter.limit(), Some(2));
    wait_until(|| limiter.snapshot().total.in_use == 2);

    browser.until("text('#pause') === 'Pause'");
    browser.click("#shadow");
    browser.until_is("text('#said')", "Done: shadow was off, is on.");
    assert!(limiter.snapshot().settings.shadow.value);
    browser
        .until("text('#shadow') === 'Shadow off' && cells('knob::switched')[0].includes('shadow')");
    browser.click("#shadow");
    browser.until_is("text('#said')", "Done: shadow was on, is off.");

    browser.click("#enabled");
    browser.until_is("text('#said')", "Done: enabled was on, is off.");
    assert!(!limiter.snapshot().settings.enabled.value);
    browser.until("text('#enabled') === 'Switch on'");
    browser.finish(&[]);
}

#[test]
fn what_is_refused_is_said_and_changes_nothing() {
    static REFUSED: Limiter = Limiter::new("knob::refused", 5);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::writable();
    program.calls(&REFUSED, 1);
    open(&browser, &program, "knob::refused");
    let limiter = find("knob::refused").expect("it has been used");

    browser.fill("#limit", "6");
    browser.click("#set");
    browser.until("text('#refused').includes('needs the token')");
    assert_eq!(browser.value("document.activeElement.id"), "token");

    browser.fill("#token", "wrong");
    browser.click("#set");
    browser.until(
        "text('#refused').startsWith('Not changed: ') && text('#refused').endsWith('this is another')",
    );
    assert_eq!(browser.value("[text('#said'), $('#limit').value]"), json!(["", "6"]));
    browser.picture("refused");

    // A copied token brings white space along.
    browser.fill("#token", &format!(" {TOKEN} "));
    browser.click("#shadow");
    browser.until_is("text('#said')", "Done: shadow was off, is on.");
    for no_limit in ["-1", "1.5", "abc", ""] {
        browser.fill("#limit", no_limit);
        browser.click("#set");
        // The words about the change before are gone.
        browser.until_is(
            "[text('#said'), text('#refused'), document.activeElement.id]",
            json!(["", "A limit is a whole number, 0 or more.", "limit"]),
        );
        browser.click("#shadow");
        browser.until("text('#said').startsWith('Done: ') && text('#refused') === ''");
    }
    browser.fill("#limit", "99999999999");
    browser.click("#set");
    browser.until("text('#refused').includes('`limit`: at most')");

    assert_eq!(limiter.limit(), Some(5));
    let changes = limiter.snapshot().limit_changes;
    assert_eq!((changes.live, changes.file, changes.environment), (0, 0, 0));
    browser.finish(&["401", "422"]);
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
    browser.until_is("text('#said')", "Done: limit was 2, is 3.");
    assert_eq!(find("knob::linked").expect("it has been used").limit(), Some(3));
    browser.finish(&[]);
}
