//! Limits that adapt, on the page.

use crate::browser::Browser;
use crate::knob::open;
use crate::program::{Program, TOKEN, wait_until};
use limit_runtime::{KeyedLimiter, Limiter};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::sleep;

/// Calls a backend that works on 8 calls at a time, from so many tasks, to the end of the program.
fn load(program: &Program, limiter: &'static Limiter, tasks: usize) {
    let workers = Arc::new(Semaphore::new(8));
    for _ in 0..tasks {
        let workers = Arc::clone(&workers);
        program.spawn(async move {
            loop {
                let _permit = limiter.acquire().await;
                let _worker = workers.acquire().await.expect("it is not closed");
                sleep(Duration::from_millis(2)).await;
            }
        });
    }
}

/// The facts about the limit that adapts: name and value.
const FACTS: &str = "Object.fromEntries([...document.querySelectorAll('#adaptive-facts div')].map(fact => \
                     [...fact.children].map(part => part.textContent)))";

#[test]
fn a_limit_that_adapts_is_shown_with_its_range_and_why_it_changed() {
    static DB: Limiter = Limiter::adaptive("adapting::db", 2..=200);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::read_only();
    program.run(async { drop(DB.try_acquire()) });
    browser.go(&program.url_of("adapting::db"));
    browser.until_is("text('#adaptive-words')", "It has not changed yet.");
    browser.until("cells('adapting::db')[1] === '0 / 4 of 2–200'");
    let title = "row('adapting::db').querySelector('.usage').title";
    browser.until_is(title, "0 of 4 permits in use; the limit adapts between 2 and 200");

    load(&program, &DB, 60);
    wait_until(|| DB.limit() > Some(6));
    browser.until("/^\\d+ \\/ ([6-9]|\\d\\d+) of 2–200$/.test(cells('adapting::db')[1])");
    browser.until(
        "/^It (grew|was cut|was halved for a moment|came back from a question) (just now|\\d+ s ago): /.test(text('#adaptive-words'))",
    );
    assert_eq!(browser.value("text('#adaptive-title')"), "The limit adapts");
    browser.until(&format!(
        "(facts => facts.Range === '2–200' && Number(facts['Chosen limit']) > 4 && /^[0-9.]+ ms$/.test(facts['Time of a call'])
            && /grow [0-9]+/.test(facts.Changes))({FACTS})"
    ));
    // The chart has each limit, in steps.
    browser
        .until("($('#charts path.dashed')?.getAttribute('d').match(/V[0-9.]+/g) ?? []).length > 2");
    let heights = "new Set($('#charts path.dashed').getAttribute('d').match(/V[0-9.]+/g)).size > 1";
    browser.until(heights);
    // Nobody has made these changes.
    assert_eq!(browser.value("text('#changes')"), "Nothing has been changed.");
    assert_eq!(browser.value("document.querySelectorAll('#charts .mark').length"), 0);
    browser.until("text('#settings').includes('2–200, now ')");
    assert_eq!(browser.value("$('#adapt-again').hidden"), true);
    browser.is_accessible();
    browser.picture("adapts");
    browser.dark(true);
    browser.picture("adapts-dark");
    browser.finish(&[]);
}

#[test]
fn a_limit_that_is_held_says_so_and_adapts_again_with_a_click() {
    static HELD: Limiter = Limiter::adaptive("adapting::held", 4..=200);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::writable();
    program.run(async { drop(HELD.try_acquire()) });
    open(&browser, &program, "adapting::held");
    browser.until_is("text('#limit-of')", "adapts 4–200");
    browser.fill("#token", TOKEN);
    browser.click("#greater");
    browser.click("#set");
    browser.until_is("text('#said')", "limit 4..=200 → 9");
    browser.until_is("text('#adaptive-title')", "The limit is held at 9");
    browser.until(
        "cells('adapting::held')[1] === '0 / 9' && cells('adapting::held')[0]?.endsWith('held')",
    );
    let title = "row('adapting::held').querySelector('.usage').title";
    browser.until(&format!("{title}.endsWith('it would adapt between 4 and 200')"));
    assert_eq!(browser.value("[text('#limit-of'), $('#undo').hidden]"), json!(["", false]));
    assert!(HELD.snapshot().settings.range.is_none());
    browser.is_accessible();
    browser.picture("held");

    browser.click("#adapt-again");
    browser.until_is("text('#said')", "limit 9 → 4..=200");
    browser.until("$('#adapt-again').hidden && text('#adaptive-title') === 'The limit adapts'");
    assert!(HELD.snapshot().settings.range.is_some());
    // To hold it where it is, is a change too.
    browser.click("#greater");
    browser.click("#less");
    browser.click("#set");
    browser.until_is("text('#said')", "limit 4..=200 → 9");
    browser.finish(&[]);
}

#[test]
fn a_total_that_is_held_adapts_again_with_a_click() {
    static TOTAL: KeyedLimiter = Limiter::new("adapting::total", 3).keyed().adaptive_total(4..=200);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::writable();
    drop(program.run(TOTAL.key(1).acquire()));
    open(&browser, &program, "adapting::total");
    browser.until("text('#adaptive-title') === 'The limit of all keys together adapts'");
    browser.until("cells('adapting::total')[0]?.endsWith('adapts')");
    assert_eq!(
        browser.value("[$('#adapt-again').hidden, $('#reset').hidden]"),
        json!([true, true])
    );
    TOTAL.set_total(9);
    let title = "text('#adaptive-title')";
    browser.until_is(title, "The limit of all keys together is held at 9");
    let change = "[...$('#changes').rows[0].cells].slice(1).map(cell => cell.textContent)";
    browser.until_is(change, json!(["total", "4..=200", "9", "live"]));
    browser.until("!$('#reset').hidden");
    browser.fill("#token", TOKEN);
    browser.click("#adapt-again");
    browser.until_is("text('#said')", "total 9 → 4..=200");
    browser.until_is(title, "The limit of all keys together adapts");
    // The console cannot set a total.
    assert_eq!(browser.value("[$('#undo').hidden, $('#adapt-again').hidden]"), json!([true, true]));
    browser.finish(&[]);
}

#[test]
fn a_range_can_be_typed_and_a_wrong_one_is_refused_in_words() {
    static TYPED: Limiter = Limiter::new("adapting::typed", 7);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::writable();
    program.run(async { drop(TYPED.try_acquire()) });
    open(&browser, &program, "adapting::typed");
    browser.fill("#token", TOKEN);
    let wrong = [
        ("4..200", "“4..200” is no range: write ..= between both ends, such as 4..=200."),
        ("9..=4", "“9..=4” is no range: write the lower end first."),
        ("0..=4", "“0..=4” is no range of limits: the lower end is at least 1."),
    ];
    for (range, words) in wrong {
        browser.fill("#limit", range);
        browser.click("#set");
        browser.until_is("text('#refused')", words);
    }
    browser.fill("#limit", "3 ..= 200");
    browser.click("#set");
    browser.until_is("text('#said')", "limit 7 → 3..=200");
    browser.until("!$('#adaptive').hidden && $('#limit').value === '7'");
    assert_eq!(TYPED.snapshot().settings.range.map(|range| range.high), Some(200));
    browser.click("#undo");
    browser.until_is("text('#said')", "limit 3..=200 → 7");
    browser.until("$('#adaptive').hidden");
    browser.finish(&[]);
}

#[test]
fn advice_stands_beside_the_limit_that_stays() {
    static ADVISED: Limiter = Limiter::adaptive("adapting::advised", 1..=400).start(30).advise();
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::read_only();
    program.run(async { drop(ADVISED.try_acquire()) });
    browser.go(&program.url_of("adapting::advised"));
    browser.until("cells('adapting::advised')[0]?.endsWith('advice')");
    browser.until(&format!("{FACTS}.Advice === 'none yet'"));
    // A quiet time, and then one at the limit.
    load(&program, &ADVISED, 6);
    wait_until(|| ADVISED.snapshot().adaptive.is_some_and(|known| known.base_time.is_some()));
    load(&program, &ADVISED, 90);
    wait_until(|| ADVISED.snapshot().adaptive.is_some_and(|known| known.advice.is_some()));
    browser.until("/^\\d+ \\/ 30, advice \\d+$/.test(cells('adapting::advised')[1])");
    browser.until_is("text('#adaptive-title')", "The limit stays at 30, with advice");
    browser.until(&format!("Number({FACTS}.Advice) >= 1 && {FACTS}.Limit === '30'"));
    assert_eq!(ADVISED.limit(), Some(30));
    browser.picture("advice");
    browser.finish(&[]);
}

#[test]
fn calls_that_are_held_off_are_said_to_be() {
    static OFF: Limiter = Limiter::adaptive("adapting::off", 1..=400);
    let Some(browser) = Browser::start(1440, 1200) else { return };
    let program = Program::read_only();
    program.spawn(async {
        OFF.acquire().await.overloaded_for(Duration::from_secs(3600));
    });
    wait_until(|| OFF.snapshot().adaptive.is_some_and(|known| known.is_held_off));
    program.calls(&OFF, 3);
    browser.go(&program.url_of("adapting::off"));
    browser.until("cells('adapting::off')[0]?.includes('held off')");
    browser.until_is("text('#adaptive-title')", "The limit adapts, and new calls are held off");
    browser.picture("held-off");
    browser.finish(&[]);
}
