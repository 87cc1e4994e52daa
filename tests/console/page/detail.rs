//! One limiter.

use crate::browser::Browser;
use crate::program::Program;
use fantoccini::key::Key;
use limit_runtime::{KeyedLimiter, Limiter, Order, Share};
use serde_json::json;
use std::time::Duration;

#[test]
fn it_shows_history_holders_waiters_and_settings() {
    static SHOWN: Limiter = Limiter::new("detail::shown", 4);
    let Some(browser) = Browser::start(1440, 1900) else { return };
    let program = Program::read_only();
    program.calls(&SHOWN, 10);
    browser.go(&program.url_of("detail::shown"));
    browser.until("document.querySelectorAll('#holders tr').length === 4");
    browser.until("document.querySelectorAll('#waiters tr').length === 6");
    assert_eq!(browser.value("text('#holders th').includes('program.rs:')"), true);
    // They are counted by the place where they were made; each of them is behind that.
    let calls = |kind: &str| {
        format!(
            "[...$('#{kind}-places').rows].map(row => row.cells[0].textContent.replace(/[0-9]+$/, '…'))"
        )
    };
    browser.until_is(&calls("holders"), json!(["4 × program.rs:…"]));
    browser.until_is(&calls("waiters"), json!(["6 × program.rs:…"]));
    browser.until("/^[0-9.]+ m?s$/.test($('#holders-places').rows[0].cells[1].textContent)");
    assert_eq!(
        browser.value(
            "$('#holders-places span').title.endsWith(text('#holders th').split('/').at(-1))"
        ),
        true
    );
    assert_eq!(browser.value("$('#holders').checkVisibility()"), false);
    browser.click("#holders-each summary");
    assert_eq!(browser.value("$('#holders').checkVisibility()"), true);
    assert_eq!(
        browser.value("[...$('#settings').rows].map(row => row.innerText.split(/\\s*\\t\\s*/))[0]"),
        json!(["limit", "4", "the code"])
    );
    assert_eq!(browser.value("$('#runtimes').rows.length"), 1);
    assert_eq!(browser.value("text('#keys')"), "It has no keys.");
    assert_eq!(browser.value("text('#changes')"), "Nothing has been changed.");
    assert_eq!(browser.value("document.title"), "detail::shown · Limits");

    // The charts are drawn, and the arrow keys read them.
    browser.until("document.querySelectorAll('#charts .plot svg').length === 5");
    browser.until("($('#charts .in_use .stroke')?.getAttribute('d') ?? '').includes('L')");
    browser.until_is("[...document.querySelectorAll('#charts .legend li.in_use b, #charts .legend li.capacity b, #charts .legend li.waiting b')].map(value => value.textContent)", json!(["4", "4", "6"]));
    browser.value("$('#charts .plot').focus()");
    browser.press(&Key::Left.to_string());
    browser.until("/^[0-9:]+: in use [0-9]+, limit 4$/.test($('#charts .plot').getAttribute('aria-valuetext'))");
    browser.until("text('#moment').startsWith('at ')");
    // The limiter is new, so the charts are of a minute, and empty at first.
    browser.value("document.activeElement.blur()");
    browser.until("text('#charts-title') === 'The last minute' && /^first seen at [0-9:]{8}$/.test(text('#moment'))");

    browser.is_accessible();
    browser.nothing_sticks_out();
    browser.picture("limiter");
    browser.dark(true);
    browser.picture("limiter-dark");
    browser.finish(&[]);
}

#[test]
fn its_shares_are_shown_with_what_each_is_guaranteed() {
    static SHARED: Limiter = Limiter::new("detail::shared", 10)
        .shares(&[Share::new("live", 60), Share::new("batch", 20).at_most(50)]);
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::read_only();
    for _ in 0..7 {
        program.spawn(async {
            let _permit = SHARED.share("batch").acquire().await;
            std::future::pending::<()>().await;
        });
    }
    browser.go(&program.url_of("detail::shared"));
    let cells = "[...$('#parts').rows].map(row => [...row.cells].map(cell => cell.textContent))";
    browser.until_is(
        cells,
        json!([
            ["live", "0", "6", "10", "0", "0"],
            ["batch", "5", "2", "5", "2", "0"],
            ["rest", "0", "2", "10", "0", "0"]
        ]),
    );
    assert_eq!(browser.value("$('#shares-card').checkVisibility()"), true);
    assert_eq!(browser.value("$('#keys-card').checkVisibility()"), false);
    browser.is_accessible();
    browser.nothing_sticks_out();
    browser.picture("limiter-shares");
    browser.finish(&[]);
}

#[test]
fn its_busiest_keys_are_shown() {
    static KEYED: KeyedLimiter = Limiter::new("detail::keyed", 1).keyed();
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::read_only();
    let permits: Vec<_> = program.run(async {
        ["tenant-1", "tenant-2"].map(|key| KEYED.key(key.to_owned()).try_acquire()).into()
    });
    assert!(permits.iter().all(Result::is_ok));
    browser.go(&program.url_of("detail::keyed"));
    browser.until_is(
        "[...$('#keys').rows].map(row => row.cells[0].textContent).sort()",
        json!(["tenant-1", "tenant-2"]),
    );
    browser.until("/^2 in use · tenant-[12] 1.1$/.test(cells('detail::keyed')[1])");
    browser.finish(&[]);
}

#[test]
fn its_order_and_its_window_are_said() {
    static RATE: Limiter =
        Limiter::new("detail::rate", 2).order(Order::Lifo).per(Duration::from_secs(60));
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::read_only();
    program.calls(&RATE, 1);
    browser.go(&program.url_of("detail::rate"));
    browser.until("text('#detail-about').includes('the newest waiter is served first')");
    browser.until("text('#detail-about').includes('a permit comes back 60 s after its start')");
    let settings = "[...$('#settings').rows].slice(-3).map(row => [...row.cells].map(cell => cell.textContent))";
    let wanted = json!([
        ["per", "60 s", "the code"],
        ["order", "the newest first", "the code"],
        ["scope", "each runtime", "the code"]
    ]);
    assert_eq!(browser.value(settings), wanted);
    browser.finish(&[]);
}

#[test]
fn it_says_how_many_permits_are_let_in_while_it_warms_up() {
    static RAMP: Limiter = Limiter::new("detail::ramp", 20).ramp(Duration::from_secs(86_400));
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::read_only();
    program.calls(&RAMP, 1);
    browser.go(&program.url_of("detail::ramp"));
    browser.until("text('#detail-about').includes('1 of 20 let in: warming up')");
    let settings = "[...$('#settings').rows].map(row => row.cells[0].textContent).includes('ramp')";
    assert_eq!(browser.value(settings), true);
    browser.finish(&[]);
}

#[test]
fn its_events_are_followed_only_when_asked_for() {
    static FOLLOWED: Limiter = Limiter::new("detail::followed", 1);
    static OTHER: Limiter = Limiter::new("detail::other", 1);
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::read_only();
    program.again_and_again(|| drop(FOLLOWED.try_acquire()));
    browser.go(&program.url_of("detail::followed"));
    browser.until("!$('#detail-body').hidden");
    browser.until_is("text('#events')", "Not followed.");
    browser.click("#follow");
    browser.until("$('#events').rows.length > 3 && /admitted/.test(text('#events')) && /released/.test(text('#events'))");
    // Another limiter is not followed either, until that is asked for.
    program.calls(&OTHER, 1);
    browser.until("rows().includes('detail::other')");
    browser.click("[data-name='detail::other'] a");
    browser.until("text('#detail-name') === 'detail::other' && !$('#detail-body').hidden");
    assert_eq!(
        browser.value("[$('#follow').checked, text('#events')]"),
        json!([false, "Not followed."])
    );
    browser.finish(&[]);
}

#[test]
fn it_has_an_address() {
    static ADDRESSED: Limiter = Limiter::new("detail::addressed", 1);
    let Some(browser) = Browser::start(1440, 900) else { return };
    let program = Program::read_only();
    program.calls(&ADDRESSED, 1);
    browser.go(&program.url());
    browser.fill("#filter", "addressed");
    browser.until_is("rows()", json!(["detail::addressed"]));
    // A click anywhere in the row opens the limiter.
    browser.click("#rows td");
    browser.until("text('#detail-name') === 'detail::addressed' && !$('#detail').hidden");
    browser.back();
    browser.until("$('#detail').hidden");

    browser.value("location.hash = 'name=detail%3A%3Anobody'");
    browser.until("!$('#detail-trouble').hidden && $('#detail-body').hidden");
    let words = browser.value("text('#detail-trouble')");
    assert!(words.as_str().is_some_and(|words| words.contains("`detail::nobody`")), "{words}");
    browser.click("#close");
    browser.until("$('#detail').hidden");
    browser.finish(&["404"]);
}

#[test]
fn a_limiter_that_is_gone_is_asked_for_once_and_again_when_it_is_back() {
    let Some(browser) = Browser::start(1440, 900) else { return };
    browser.hurry(5);
    let program = Program::read_only();
    let used = || {
        let limiter = Limiter::named("detail::gone".to_owned(), 3);
        program.run(async { drop(limiter.acquire().await) });
        limiter
    };
    let limiter = used();
    browser.go(&program.url_of("detail::gone"));
    browser.until("!$('#detail-body').hidden");
    drop(limiter);
    browser.until("!$('#detail-trouble').hidden && $('#detail-body').hidden");
    browser.until("!rows().includes('detail::gone')");
    browser.value("performance.clearResourceTimings()");
    browser.value("[window.ticks = new Set()].length");
    browser.until("ticks.add(text('#clock')).size > 2");
    let asked = "performance.getEntriesByType('resource').filter(entry => entry.name.includes('limiter?')).length";
    assert_eq!(browser.value(asked), 0);
    let limiter = used();
    browser.until("!$('#detail-body').hidden && $('#detail-trouble').hidden");
    drop(limiter);
    browser.finish(&["404"]);
}
