//! Numbers and times that a reader types.

use crate::browser::Browser;
use crate::knob::open;
use crate::program::{Program, TOKEN};
use fantoccini::key::Key;
use limit_runtime::{Limiter, Rejected};
use serde_json::json;
use std::time::Duration;

#[test]
fn bounds_of_the_queue_are_changed_together_with_the_limit() {
    static BOUNDED: Limiter<Rejected> = Limiter::new("knob::bounded", 2).max_waiting(9);
    static UNBOUNDED: Limiter = Limiter::new("knob::unbounded", 2);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::writable();
    program.run(async { drop(BOUNDED.acquire().await) });
    program.calls(&UNBOUNDED, 1);
    open(&browser, &program, "knob::bounded");
    let settings = || {
        let settings = BOUNDED.snapshot().settings;
        (settings.limit.value, settings.max_waiting.value, settings.max_wait.value)
    };
    let fields = "['limit', 'max-waiting', 'max-wait'].map(id => $(`#${id}`).value)";
    browser.until_is(fields, json!(["2", "9", ""]));
    browser.fill("#token", TOKEN);
    browser.fill("#limit", "3");
    browser.fill("#max-waiting", "12");
    browser.fill("#max-wait", "1m 500ms");
    browser.press(&Key::Enter.to_string());
    browser.until_is("text('#said')", "limit 2 → 3, max waiting 9 → 12, max wait no bound → 60.5s");
    assert_eq!(settings(), (3, Some(12), Some(Duration::from_millis(60_500))));
    browser.until_is(fields, json!(["3", "12", "60.5 s"]));
    // An empty field is no bound.
    browser.fill("#max-wait", "");
    browser.fill("#max-waiting", "");
    browser.click("#set");
    browser.until("text('#said').includes('max waiting 12 → no bound')");
    assert_eq!(settings(), (3, None, None));
    browser.click("#undo");
    browser.until("text('#said').includes('max waiting no bound → 12')");
    assert_eq!(settings(), (3, Some(12), Some(Duration::from_millis(60_500))));

    browser.go(&program.url_of("knob::unbounded"));
    browser.until("text('#detail-name') === 'knob::unbounded' && !$('#detail-body').hidden");
    browser.until("$('#max-waiting').disabled && $('#max-wait').disabled && !$('#limit').disabled");
    browser.finish(&[]);
}

#[test]
fn what_is_no_number_is_said_in_words_of_the_page_and_changes_nothing() {
    static REFUSED: Limiter<Rejected> = Limiter::new("knob::refused", 5).max_waiting(9);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::writable();
    program.run(async { drop(REFUSED.acquire().await) });
    open(&browser, &program, "knob::refused");
    browser.until("!$('#max-wait').disabled");

    browser.fill("#limit", "6");
    browser.click("#set");
    browser.until("text('#refused').includes('needs the token')");
    assert_eq!(browser.value("document.activeElement.id"), "token");
    browser.fill("#token", "wrong");
    browser.click("#set");
    browser.until(
        "text('#refused').startsWith('Not changed: ') && text('#refused').endsWith('this is another')",
    );
    let state = "[text('#said'), $('#limit').value, document.activeElement.id]";
    assert_eq!(browser.value(state), json!(["", "6", "token"]));
    browser.picture("refused");

    // A copied token brings white space along.
    browser.fill("#token", &format!(" {TOKEN} "));
    browser.click("#shadow");
    browser.until_is("text('#said')", "shadow off → on");
    let whole = "in digits, from 0 to";
    let with_unit = "with its unit, such as 250 ms, 2 s or 1 min 30 s.";
    let all = [
        (
            "limit",
            "1e3",
            format!("“1e3” is no whole number: write the limit {whole} 2,147,483,647."),
        ),
        (
            "limit",
            "0x10",
            format!("“0x10” is no whole number: write the limit {whole} 2,147,483,647."),
        ),
        ("limit", "-1", format!("“-1” is no whole number: write the limit {whole} 2,147,483,647.")),
        (
            "limit",
            "1.5",
            format!("“1.5” is no whole number: write the limit {whole} 2,147,483,647."),
        ),
        ("limit", "", format!("Nothing is there: write the limit {whole} 2,147,483,647.")),
        (
            "limit",
            "99999999999",
            "“99999999999” is too much: the limit is at most 2,147,483,647.".to_owned(),
        ),
        (
            "max-waiting",
            "1e3",
            format!("“1e3” is no whole number: write max waiting {whole} 4,294,967,294."),
        ),
        ("max-wait", "250", format!("“250” is no time: write max wait {with_unit}")),
        ("max-wait", "-2 s", format!("“-2 s” is no time: write max wait {with_unit}")),
    ];
    for (field, text, words) in all {
        browser.fill("#limit", "5");
        browser.fill(&format!("#{field}"), text);
        browser.click("#set");
        browser.until_is(
            "[text('#said'), text('#refused'), document.activeElement.id, $('[aria-invalid]')?.id]",
            json!(["", words, field, field]),
        );
        browser.fill("#max-waiting", "9");
        browser.fill("#max-wait", "");
    }
    browser.is_accessible();
    browser.picture("no-number");
    let settings = REFUSED.snapshot().settings;
    assert_eq!((settings.limit.value, settings.max_waiting.value), (5, Some(9)));
    let changes = REFUSED.snapshot().limit_changes;
    assert_eq!((changes.live, changes.file, changes.environment), (0, 0, 0));
    browser.finish(&["401"]);
}
