//! Changes: the way back, the list of all, and the marks in the charts.

use crate::browser::Browser;
use crate::knob::open;
use crate::program::{Program, TOKEN};
use fantoccini::key::Key;
use limit_runtime::{Limiter, find};
use serde_json::json;

#[test]
fn a_change_can_be_undone_for_half_a_minute() {
    static UNDONE: Limiter = Limiter::new("knob::undone", 2);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::writable();
    program.calls(&UNDONE, 5);
    open(&browser, &program, "knob::undone");
    let limiter = find("knob::undone").expect("it has been used");
    browser.fill("#token", TOKEN);
    browser.fill("#limit", "3");
    browser.click("#set");
    browser.until_is("[text('#said'), $('#undo').hidden]", json!(["limit 2 → 3", false]));
    browser.click("#undo");
    browser.until_is("text('#said')", "limit 3 → 2");
    // The code's value holds again, and not the same value set while running.
    let limit = limiter.settings().limit;
    assert_eq!((limit.value, limit.source.as_str()), (2, "attribute"));

    // From here on the time of the page goes by sixty times as fast.
    browser.value(
        "[window.delays = [], window.setTimeout = (real => (act, delay) => {
            delays.push(delay);
            return real(act, delay / 60);
        })(window.setTimeout)].length",
    );
    browser.fill("#limit", "4");
    browser.click("#set");
    browser.until_is("text('#said')", "limit 2 → 4");
    assert_eq!(browser.value("delays"), json!([30_000]));
    browser.until("$('#undo').hidden");
    assert_eq!(browser.value("text('#said')"), "limit 2 → 4");

    // Somebody else's change since is not undone.
    browser.value("window.setTimeout = () => 0");
    browser.fill("#limit", "5");
    browser.click("#set");
    browser.until_is("[text('#said'), $('#undo').hidden]", json!(["limit 4 → 5", false]));
    limiter.set_limit(6);
    browser.until("$('#undo').hidden");
    assert_eq!(limiter.limit(), Some(6));
    browser.finish(&[]);
}

#[test]
fn changes_of_all_limiters_are_listed_and_each_is_marked_in_the_charts() {
    static ONE: Limiter = Limiter::new("knob::log_one", 2);
    static OTHER: Limiter = Limiter::new("knob::log_other", 2);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::writable();
    program.calls(&ONE, 5);
    program.calls(&OTHER, 1);
    open(&browser, &program, "knob::log_one");
    browser.fill("#token", TOKEN);
    browser.fill("#by", "ops");
    browser.fill("#limit", "3");
    browser.click("#set");
    browser.until_is("text('#said')", "limit 2 → 3");
    find("knob::log_other").expect("it has been used").set_limit(7);
    let row = |name: &str| {
        format!(
            "[...$('#log-rows').rows].map(row => [...row.cells].slice(1).map(cell => cell.textContent)).find(row => row[0] === '{name}') ?? null"
        )
    };
    let one = json!(["knob::log_one", "limit 2 → 3", "ops (127.0.0.1)"]);
    browser.until_is(&row("knob::log_one"), one);
    browser.until_is(&row("knob::log_other"), json!(["knob::log_other", "limit 2 → 7", "live"]));
    browser.until("Number(text('#log-count')) >= 2");

    // In each chart that has something to show.
    let marks = "[...document.querySelectorAll('.plot')].filter(plot => plot.checkVisibility()).map(plot => plot.querySelectorAll('.mark').length)";
    browser.until(&format!("{marks}.length >= 3 && {marks}.every(marks => marks === 1)"));
    // The crosshair says what was changed there.
    browser.value("$('#charts .plot').focus()");
    browser.press(&Key::End.to_string());
    for _ in 0..60 {
        if browser.value("text('#moment').endsWith('limit 2 → 3, by ops (127.0.0.1)')") == true {
            break;
        }
        browser.press(&Key::Left.to_string());
    }
    assert_eq!(
        browser.value("text('#moment').endsWith('limit 2 → 3, by ops (127.0.0.1)')"),
        true,
        "each change is at one of the ticks"
    );

    // The list is opened and left by the keyboard; what is open below stays.
    browser.value("$('#log-open').focus()");
    browser.press(&Key::Enter.to_string());
    browser.until("$('#log').matches(':popover-open')");
    browser.is_accessible();
    browser.picture("log");
    browser.press(&Key::Escape.to_string());
    browser.until("!$('#log').matches(':popover-open')");
    assert_eq!(browser.value("text('#detail-name')"), "knob::log_one");
    // A limiter in it is opened.
    browser.click("#log-open");
    browser.click("#log-rows a[href$='log_other']");
    browser
        .until("text('#detail-name') === 'knob::log_other' && !$('#log').matches(':popover-open')");
    browser.finish(&[]);
}
