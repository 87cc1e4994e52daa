//! The strip on top: which program it is, and the verdict.

use crate::browser::Browser;
use crate::program::Program;
use limit_runtime::{KeyedLimiter, Limiter, Rejected};
use serde_json::json;
use std::time::Duration;

#[test]
fn a_stuck_job_a_noisy_tenant_and_a_limiter_that_fails_fast_are_said_in_a_sentence_each() {
    static JOB: Limiter = Limiter::new("verdict::nightly_job", 1);
    static TENANTS: KeyedLimiter = Limiter::new("verdict::tenants", 3).keyed();
    static REPORT: Limiter<Rejected> = Limiter::new("verdict::report", 2).max_waiting(6);
    static CALM: Limiter = Limiter::new("verdict::calm", 9);
    static SHADOW: Limiter = Limiter::new("verdict::shadow", 9).shadow();
    crate::states::alone(
        "strip::a_stuck_job_a_noisy_tenant_and_a_limiter_that_fails_fast_are_said_in_a_sentence_each",
        || {
            let Some(browser) = Browser::start(1280, 900) else { return };
            browser.hurry(3);
            let program = Program::read_only();
            program.calls(&CALM, 2);
            program.calls(&SHADOW, 1);
            browser.go(&program.url());
            browser.until_is("text('#sentence')", "All is well: nobody waits.");
            assert_eq!(browser.value("$('#verdict').className"), "well");
            browser.until("/^2 limiters · 0 waiting · [0-9.]+ a second admitted · 0 refused$/.test(text('#sums'))");
            browser.picture("well");

            program.calls(&JOB, 8);
            for (key, calls) in [("acme", 40), ("globex", 2), ("initech", 2)] {
                for _ in 0..calls {
                    program.spawn(async move {
                        loop {
                            let _permit = TENANTS.key(key.to_owned()).acquire().await;
                            tokio::time::sleep(Duration::from_millis(200)).await;
                        }
                    });
                }
            }
            for _ in 0..20 {
                program.spawn(async {
                    loop {
                        let permit = REPORT.acquire().await;
                        // A call that is refused comes again later.
                        let time = if permit.is_ok() { 100 } else { 400 };
                        tokio::time::sleep(Duration::from_millis(time)).await;
                    }
                });
            }
            browser.until(
                "/^nightly_job is stuck: 7 wait, nothing admitted for [0-9]+ s, oldest holder [0-9]+ s at program\\.rs:[0-9]+\\.$/.test(text('#sentence'))",
            );
            assert_eq!(browser.value("$('#verdict').className"), "stuck");
            let others =
                "[...document.querySelectorAll('#others li')].map(other => other.textContent)";
            browser.until(&format!(
                "/^report is full: [0-9]+ wait, [0-9.]+ a second refused \\([0-9]+ %\\)$/.test({others}[0])"
            ));
            browser.until(&format!(
                "/^tenants is full for acme: 3[0-9] wait, the oldest for [0-9]+ s$/.test({others}[1])"
            ));
            // The three are links, and a screen reader is told of the worst one, not of each figure.
            assert_eq!(
                browser
                    .value("[...document.querySelectorAll('#verdict a')].map(link => link.title)"),
                json!(["verdict::nightly_job", "verdict::report", "verdict::tenants"])
            );
            assert_eq!(browser.value("text('#gist')"), "verdict::nightly_job: stuck");

            // The chips count them, and choose.
            let chips =
                "[...document.querySelectorAll('.chip')].map(chip => chip.innerText.trim())";
            browser.until_is(
                chips,
                json!([
                    "All 5",
                    "Full 3",
                    "Refusing 1",
                    "Stuck 1",
                    "Paused or closed 0",
                    "Shadow 1"
                ]),
            );
            for (kind, name) in
                [("refusing", "report"), ("stuck", "nightly_job"), ("shadow", "shadow")]
            {
                browser.click(&format!("[data-kind={kind}]"));
                browser.until_is("rows()", json!([format!("verdict::{name}")]));
            }
            browser.click("[data-kind=closed]");
            browser.until_is("text('#no-match')", "No limiter is paused or closed.");
            browser.click("[data-kind=all]");
            browser.until("rows().length === 5");
            for (name, width) in [("390", 390), ("768", 768), ("1280", 1280), ("1680", 1680)] {
                browser.resize(width, 900);
                browser.until(&format!("innerWidth === {width}"));
                browser.nothing_sticks_out();
                assert_eq!(
                    browser.value("$('#rows .refused').checkVisibility()"),
                    true,
                    "{name} px"
                );
                for dark in [false, true] {
                    browser.dark(dark);
                    browser.picture(&format!("verdict-{name}{}", if dark { "-dark" } else { "" }));
                }
            }
            browser.click("#sentence a");
            browser.until("text('#detail-name') === 'verdict::nightly_job'");
            browser.finish(&[]);
        },
    );
}

#[test]
fn it_says_which_program_it_is() {
    static SHOWN: Limiter = Limiter::new("strip::shown", 1);
    let Some(browser) = Browser::start(1280, 900) else { return };
    let program = Program::read_only();
    program.calls(&SHOWN, 1);
    browser.go(&program.url());
    browser.until_is("text('#service')", "shop");
    let process =
        format!("/^[^ ]+ · pid {} · up [0-9]+ (s|ms)$/.test(text('#process'))", std::process::id());
    browser.until(&process);
    assert_eq!(browser.value("$('#restart').hidden"), true);
    browser.is_accessible();
    browser.finish(&[]);
}

#[test]
fn a_time_of_another_day_is_said_with_its_date() {
    static DAY: Limiter = Limiter::new("strip::day", 1);
    let Some(browser) = Browser::start(1280, 900) else { return };
    let program = Program::read_only();
    program.calls(&DAY, 1);
    browser.go(&program.url());
    browser.until("/^12:[0-9]{2}:[0-9]{2}$/.test(text('#clock'))");
    browser.believe_in_tomorrow();
    browser.go(&program.url());
    browser.until("/^[0-9]{4}-[0-9]{2}-[0-9]{2} 12:[0-9]{2}:[0-9]{2}$/.test(text('#clock'))");
    browser.finish(&[]);
}

#[test]
fn a_paused_limiter_and_a_closed_one_are_chosen_by_a_chip() {
    static PAUSED: Limiter = Limiter::new("chips::paused", 1);
    static CLOSED: Limiter<Rejected> = Limiter::new("chips::closed", 1).max_waiting(0);
    let Some(browser) = Browser::start(1280, 900) else { return };
    let program = Program::read_only();
    program.calls(&PAUSED, 1);
    PAUSED.set_limit(0);
    program.calls(&PAUSED, 1);
    CLOSED.close();
    program.again_and_again(|| assert!(CLOSED.try_acquire().is_err()));
    browser.go(&program.url());
    browser.fill("#filter", "chips::");
    browser.click("[data-kind=closed]");
    // The closed one refuses calls.
    browser.until_is("rows()", json!(["chips::closed", "chips::paused"]));
    let row = "[...document.querySelectorAll('#rows tr')].map(row => row.className)";
    browser.until_is(row, json!(["refusing", "waiting"]));
    browser.picture("paused-and-closed");
    browser.finish(&[]);
}
