//! All limiters, in a table.

use crate::browser::Browser;
use crate::program::Program;
use fantoccini::key::Key;
use limit_runtime::{Limiter, Rejected};
use serde_json::json;

static BOTTLENECK: Limiter = Limiter::new("table::bottleneck", 1);
static BUSY: Limiter = Limiter::new("table::busy", 2);
static CALM: Limiter = Limiter::new("table::calm", 8);
static STRICT: Limiter<Rejected> = Limiter::new("table::strict", 1).max_waiting(0);

fn program() -> Program {
    let program = Program::read_only();
    program.calls(&BOTTLENECK, 30);
    program.calls(&BUSY, 7);
    program.calls(&CALM, 3);
    let permit = program.run(async { STRICT.try_acquire() }).expect("a free permit");
    program.again_and_again(move || {
        let _keeps_its_permit = &permit;
        let refused = STRICT.try_acquire();
        assert!(refused.is_err(), "it has one permit");
    });
    program
}

#[test]
fn it_fills_and_what_loses_most_time_comes_first() {
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = program();
    browser.go(&program.url());
    browser.fill("#filter", "table::");
    browser.until_is(
        "rows()",
        json!(["table::bottleneck", "table::busy", "table::strict", "table::calm"]),
    );
    let figures = "rows().map(name => cells(name).slice(1, 3))";
    let wanted = json!([["1 / 1", "29"], ["2 / 2", "5"], ["1 / 1", "0"], ["3 / 8", "0"]]);
    browser.until_is(figures, wanted);
    let label = "$('[data-name=\"table::busy\"] .bar').getAttribute('aria-label')";
    assert_eq!(browser.value(label), "2 of 2 permits in use");
    browser.until("/no permits/.test(cells('table::strict')[5])");
    browser.until("$('[data-name=\"table::calm\"] .spark path').getAttribute('d').includes('L')");
    browser.everything_has_a_name();
    browser.nothing_sticks_out();
    browser.picture("table");
    browser.dark(true);
    browser.picture("table-dark");
    browser.finish(&[]);
}

#[test]
fn its_head_sorts() {
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = program();
    browser.go(&program.url());
    browser.fill("#filter", "table::");
    browser.until("rows().length === 4");
    let sorted = "[...document.querySelectorAll('[aria-sort]')].map(head => [head.dataset.sort, head.ariaSort])";
    assert_eq!(browser.value(sorted), json!([["lost", "descending"]]));

    browser.click("[data-sort=name] button");
    let names = ["table::bottleneck", "table::busy", "table::calm", "table::strict"];
    browser.until_is("rows()", json!(names));
    assert_eq!(browser.value(sorted), json!([["name", "ascending"]]));
    // The keyboard works too.
    browser.press(&Key::Enter.to_string());
    let names = ["table::strict", "table::calm", "table::busy", "table::bottleneck"];
    browser.until_is("rows()", json!(names));
    assert_eq!(browser.value(sorted), json!([["name", "descending"]]));

    browser.click("[data-sort=refused] button");
    browser.until("rows()[0] === 'table::strict'");
    browser.finish(&[]);
}

#[test]
fn it_is_filtered_and_opened_by_the_keyboard() {
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = program();
    browser.go(&program.url());
    browser.until("rows().length >= 4");
    browser.press("/");
    assert_eq!(browser.value("document.activeElement.id"), "filter");
    browser.press("LE::c");
    browser.until_is("rows()", json!(["table::calm"]));
    assert!(browser.value("text('#count')").as_str().is_some_and(|text| text.starts_with("1 of ")));
    browser.press("xyz");
    browser.until("$('#limiters').hidden && !$('#no-match').hidden");
    assert_eq!(browser.value("text('#no-match')"), "No limiter's name contains “LE::cxyz”.");
    browser.press(&Key::Escape.to_string());
    browser.until("rows().includes('table::busy')");
    browser.press("table::b");
    browser.until_is("rows()", json!(["table::bottleneck", "table::busy"]));

    for _ in 0..20 {
        if browser.value("!!document.activeElement.closest('#rows')") == json!(true) {
            break;
        }
        browser.press(&Key::Tab.to_string());
    }
    let focus =
        "document.activeElement.closest('#rows tr')?.dataset.name ?? document.activeElement.id";
    assert_eq!(browser.value(focus), "table::bottleneck");
    browser.press(&Key::Down.to_string());
    assert_eq!(browser.value(focus), "table::busy");
    browser.press(&Key::Enter.to_string());
    browser.until_is(focus, "detail-name");
    assert_eq!(
        browser.value("[text('#detail-name'), location.hash]"),
        json!(["table::busy", "#name=table%3A%3Abusy"])
    );
    browser.press(&Key::Escape.to_string());
    browser.until("$('#detail').hidden");
    assert_eq!(browser.value(focus), "table::busy");
    assert_eq!(browser.value("location.hash"), "");
    browser.finish(&[]);
}

#[test]
fn rows_stay_where_they_are_while_one_has_the_focus() {
    static FIRST: Limiter = Limiter::new("steady::first", 1);
    static SECOND: Limiter = Limiter::new("steady::second", 1);
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::read_only();
    program.calls(&FIRST, 3);
    program.calls(&SECOND, 2);
    browser.go(&program.url());
    browser.fill("#filter", "steady::");
    browser.until_is("rows()", json!(["steady::first", "steady::second"]));
    browser.value("$('#rows a').focus()");
    program.calls(&SECOND, 30);
    browser.until("cells('steady::second')[2] === '31'");
    assert_eq!(browser.value("rows()"), json!(["steady::first", "steady::second"]));
    assert_eq!(browser.value("$('#held').hidden"), false);
    browser.value("document.activeElement.blur()");
    browser.until_is("rows()", json!(["steady::second", "steady::first"]));
    browser.finish(&[]);
}
