//! Changing limits from the page.

use crate::browser::Browser;
use crate::program::{Program, TOKEN, wait_until};
use fantoccini::key::Key;
use limit_runtime::{Limiter, Rejected, find};
use serde_json::json;
use std::time::Duration;

/// Opens the limiter, and waits until it can be changed.
fn open(browser: &Browser, program: &Program, name: &str) {
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
    assert_eq!(browser.value("$('#limit').value"), "3");
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
fn a_limit_is_enforced_in_the_shadow_or_off_and_the_page_shows_which() {
    static FORCED: Limiter = Limiter::new("knob::forced", 2);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::writable();
    program.calls(&FORCED, 1);
    open(&browser, &program, "knob::forced");
    let limiter = find("knob::forced").expect("it has been used");
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
    browser.everything_has_a_name();
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
    browser.picture("no-number");
    let settings = REFUSED.snapshot().settings;
    assert_eq!((settings.limit.value, settings.max_waiting.value), (5, Some(9)));
    let changes = REFUSED.snapshot().limit_changes;
    assert_eq!((changes.live, changes.file, changes.environment), (0, 0, 0));
    browser.finish(&["401"]);
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
    for (width, height) in [(1280, 700), (1680, 700), (768, 700), (390, 844)] {
        let Some(browser) = Browser::start(width, height) else { return };
        let program = Program::writable();
        program.calls(&STICKY, 1);
        open(&browser, &program, "knob::sticky");
        let middle = |id: &str| {
            format!("(box => box.top + box.height / 2)($('#{id}').getBoundingClientRect())")
        };
        if width > 500 {
            let rows = ["limit", "max-waiting", "max-wait", "set", "enforce", "off", "pause"];
            let middles = rows.map(middle).join(", ");
            browser.until(&format!("new Set([{middles}].map(Math.round)).size === 1"));
        }
        browser.value("[scrollTo(0, 600), $('#detail').scrollTo(0, 600)].length");
        browser
            .until("text('#charts-title') && $('#charts-title').getBoundingClientRect().top < 60");
        let below = "$('#knob').getBoundingClientRect()";
        browser.until(&format!("{below}.top >= -5 && {below}.top < 80 && {below}.bottom < 260"));
        browser.nothing_sticks_out();
        browser.picture(&format!("sticky-{width}"));
        browser.finish(&[]);
    }
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
    browser.until("text('#moment').endsWith('limit 2 → 3, by ops (127.0.0.1)')");

    // The list is opened and left by the keyboard; what is open below stays.
    browser.value("$('#log-open').focus()");
    browser.press(&Key::Enter.to_string());
    browser.until("$('#log').matches(':popover-open')");
    browser.everything_has_a_name();
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
