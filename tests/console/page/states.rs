//! The page with nothing to show, with very much to show, and with little room.

use crate::browser::{Browser, Turn};
use crate::program::{Program, wait_until};
use fantoccini::key::Key;
use limit_runtime::Limiter;
use limit_tests::programs::{is_alone, is_own_process};
use serde_json::json;
use std::future::pending;

/// Runs a test in a process in which no other test has used a limiter, when it is its turn.
#[track_caller]
pub(crate) fn alone(test: &str, body: impl FnOnce()) {
    if is_own_process(test) {
        return body();
    }
    let _turn = Turn::one();
    is_alone(test);
}

#[test]
fn without_limiters_it_says_what_to_do() {
    static FIRST: Limiter = Limiter::new("states::first", 2);
    alone("states::without_limiters_it_says_what_to_do", || {
        let program = Program::read_only();
        let Some(browser) = Browser::start(1440, 900) else { return };
        browser.go(&program.url());
        browser.until("!$('#empty').hidden && $('#limiters').hidden");
        assert_eq!(browser.value("text('#empty').includes('#[concurrency_limit(3)]')"), true);
        browser.is_accessible();
        browser.picture("empty");
        program.calls(&FIRST, 1);
        browser.until_is("rows()", json!(["states::first"]));
        assert_eq!(browser.value("$('#empty').hidden && !$('#limiters').hidden"), true);
        browser.finish(&[]);
    });
}

#[test]
fn ten_thousand_limiters_stay_usable() {
    alone("states::ten_thousand_limiters_stay_usable", || {
        let program = Program::read_only();
        let limiters: Vec<Limiter> =
            (0..10_000).map(|n| Limiter::named(format!("many::{n:05}"), 1 + n % 20)).collect();
        let limiters: &'static [Limiter] = Vec::leak(limiters);
        // Each call is a task of its own.
        for limiter in limiters {
            program.spawn(async {
                let _permit = limiter.acquire().await;
                pending::<()>().await;
            });
        }
        wait_until(|| limiters.iter().all(|limiter| limiter.snapshot().total.in_use == 1));
        let Some(browser) = Browser::start(1440, 900) else { return };
        browser.go(&program.url());
        browser.until_is("text('#count')", "10,000 limiters");
        // Those that are full come first.
        browser.until("cells(rows()[0])[1] === '1 / 1'");
        browser.picture("many");
        // All of them are there to be scrolled to, and only those in sight have elements.
        let elements = "document.querySelectorAll('*').length";
        let few = format!("rows().length < 60 && {elements} < 2500");
        assert_eq!(browser.value(&few), true);
        browser.click("[data-sort=name] button");
        browser.until("rows()[0] === 'many::00000'");
        browser.value("scrollTo(0, document.documentElement.scrollHeight)");
        browser.until("rows().at(-1) === 'many::09999'");
        assert_eq!(browser.value(&few), true);
        assert_eq!(browser.value("row('many::09999').getAttribute('aria-rowindex')"), "10001");
        let last = "row('many::09999').getBoundingClientRect().bottom <= innerHeight";
        assert_eq!(browser.value(last), true);

        // While nothing happens, no row is made anew or moved.
        browser.value(
            "[window.ticks = new Set(), window.moved = 0, new MutationObserver(changes => {
                window.moved += changes.length;
            }).observe($('#rows'), { childList: true })]",
        );
        browser.until("ticks.add(text('#clock')).size > 4");
        assert_eq!(browser.value("window.moved"), 0);

        // The keyboard goes through all rows, and the tab key reaches one of them.
        assert_eq!(browser.value("document.querySelectorAll('#rows a[tabindex=\"0\"]').length"), 1);
        browser.value("row('many::09999').querySelector('a').focus()");
        let focus = "document.activeElement.closest('#rows tr')?.dataset.name";
        browser.press(&Key::Up.to_string());
        browser.until_is(focus, "many::09998");
        browser.press(&Key::Home.to_string());
        browser.until_is(focus, "many::00000");
        assert_eq!(browser.value("rows().length < 60 && $('#held').matches('.said')"), true);
        let below_head = "row('many::00000').getBoundingClientRect().top >= $('#limiters thead th').getBoundingClientRect().bottom - 1";
        assert_eq!(browser.value(below_head), true);

        browser.fill("#filter", "many::07777");
        browser.until_is("rows()", json!(["many::07777"]));
        browser.until_is("text('#count')", "1 of 10,000");
        browser.finish(&[]);
    });
}

#[test]
fn on_a_phone_nothing_sticks_out() {
    static LONG: Limiter = Limiter::new(
        "states::a_module_with_a_long_name::and_another_one::a_function_whose_name_is_longer_still",
        2,
    );
    static SHORT: Limiter = Limiter::new("states::short", 100);
    let Some(browser) = Browser::start(375, 800) else { return };
    let program = Program::writable();
    program.calls(&LONG, 1200);
    program.calls(&SHORT, 40);
    browser.go(&program.url());
    browser.fill("#filter", "states::");
    browser.until("cells('states::short')[1] === '40 / 100' && rows()[0] !== 'states::short'");
    browser.nothing_sticks_out();
    // A row is one line, and has the calls that were refused.
    assert_eq!(
        browser.value("[...document.querySelectorAll('#rows tr')].every(row => row.offsetHeight === 32 && row.cells[3].checkVisibility() && row.cells[3].matches('.refused'))"),
        true
    );
    // A long name is cut, and can be read all the same.
    assert_eq!(
        browser.value("[...document.querySelectorAll('#rows a')].every(link => link.title === link.closest('tr').dataset.name && link.ariaLabel === link.title && link.querySelector('.last').offsetWidth > 20)"),
        true
    );
    browser.picture("phone");
    browser.click("#rows a");
    browser.until(
        "!$('#detail-body').hidden && document.querySelectorAll('#waiters tr').length === 50",
    );
    browser.until("($('#charts .in_use .stroke')?.getAttribute('d') ?? '').includes('L')");
    assert_eq!(browser.value("$('#overview').offsetParent === null && scrollY === 0"), true);
    browser.nothing_sticks_out();
    browser.is_accessible();
    // A card that scrolls can have the focus. A card that does not is no stop of the tab key.
    browser.click("#waiters-each summary");
    browser.until_is(
        "['waiters', 'settings'].map(id => $(`#${id}`).closest('.card').getAttribute('tabindex'))",
        json!(["0", null]),
    );
    browser.picture("phone-limiter");
    browser.dark(true);
    browser.picture("phone-limiter-dark");
    browser.click("#close");
    browser.until("$('#overview').offsetParent !== null && $('#detail').hidden");
    browser.finish(&[]);
}
